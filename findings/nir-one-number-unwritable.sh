#!/usr/bin/env bash
# nir 1.0.8: neurons with one number for the whole layer: the type check refuses the graph, and without it nir.write fails half-way.
#
# Behavior: IF, LIF and LI nodes accept parameters without dimensions, which stand for all neurons of the layer. In a graph with the
# type check on, such a node has the type [] and fits no layer. With type_check=False the graph is built, but nir.write hands
# compression="gzip" to h5py for every array, and h5py refuses to compress a dataset without dimensions: TypeError "Scalar datasets
# don't support chunk/filter options", after the beginning of the file is on the disk. What is left is an HDF5 file with some of
# the nodes, which nir.read refuses with a KeyError. With compression=None the same graph is written and read back.
#
# One would have guessed: one number fits layers of any size; what the package builds it also writes; and no half file is left.
#
# Who meets it: whoever exports with norse 1.1.0, whose to_nir makes such nodes of IAFCell, LIFCell, LIFBoxCell and LIBoxCell, so
# that no network of them can be written with nir.write(path, graph); and whoever exports Leaky(beta=0.9) with snnTorch 1.0.0, the
# example of its documentation, where export_to_nir ends in the type check.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 h5py==3.16.0 nir==1.0.8

cat >"$work/stated" <<'TEXT'
IF, parameters of shape (2,): built, written, read back with shape (2,)
IF, parameters of shape (): built, refused by nir.write: TypeError Scalar datasets don't support chunk/filter options
IF, parameters of shape (), type check on: refused when built (fc.output: [[2]] -> neurons.input: [])
file left behind: True, nir.read: KeyError
IF, parameters of shape (), compression=None: written, read back with shape ()
LIF, parameters of shape (): built, refused by nir.write: TypeError Scalar datasets don't support chunk/filter options
LI, parameters of shape (): built, refused by nir.write: TypeError Scalar datasets don't support chunk/filter options
TEXT

cd "$work"
"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import os

import nir
import numpy as np

COUNTS = {nir.IF: 2, nir.LIF: 4, nir.LI: 3}


def graph(kind, shape, type_check):
    neurons = kind(*(np.ones(shape) for _ in range(COUNTS[kind])))
    nodes = {"input": nir.Input(np.array([2])), "fc": nir.Linear(np.eye(2)), "neurons": neurons, "output": nir.Output(np.array([2]))}
    return nir.NIRGraph(nodes, [("input", "fc"), ("fc", "neurons"), ("neurons", "output")], type_check=type_check)


def write(kind, shape, **options):
    name = f"{kind.__name__}, parameters of shape {shape}"
    try:
        nir.write("network.nir", graph(kind, shape, shape != ()), **options)
    except TypeError as error:
        return f"{name}: built, refused by nir.write: TypeError {error}"
    back = nir.read("network.nir", type_check=shape != ()).nodes["neurons"]
    built = ", compression=None: " if options else ": built, "
    return f"{name}{built}written, read back with shape {back.r.shape}"


print(write(nir.IF, (2,)))
os.remove("network.nir")
print(write(nir.IF, ()))
try:
    graph(nir.IF, (), True)
except ValueError as error:
    print("IF, parameters of shape (), type check on: refused when built (" + str(error).split("type mismatch: ")[-1] + ")")
try:
    nir.read("network.nir")
    outcome = "read"
except Exception as error:
    outcome = type(error).__name__
print(f"file left behind: {os.path.exists('network.nir')}, nir.read: {outcome}")
print(write(nir.IF, (), compression=None))
print(write(nir.LIF, ()))
print(write(nir.LI, ()))
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
