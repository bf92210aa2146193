#!/usr/bin/env bash
# norse 1.1.0: a neuron of a NIR graph in volts fires at every step from its first spike on.
#
# Behavior: from_nir takes v_leak and v_threshold of nir.LIF and drops v_reset: the neuron is reset to 0. With potentials of a
# real neuron (rest and reset at -65 mV, threshold at -50 mV), 0 is above the threshold: after the first spike the neuron spikes
# at every step, whatever its input. nir.IF with v_reset = 0.5 gives the spikes of v_reset = 0. Of r, which it does not take
# either, it warns; of v_reset not.
#
# One would have guessed: v_reset is taken as the other potentials are, or there is a warning as for r.
#
# Who meets it: whoever brings a network with potentials in volts or millivolts, as of NEST or Brian, to norse by way of NIR.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
# Without dependencies: the CUDA libraries are needed only because torch's own are linked to them (2.3 GB to fetch).
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps norse==1.1.0 torch==2.15.0 \
  nir==1.0.8 nirtorch==2.6 h5py==3.16.0 setuptools==65.5.0 numpy==2.4.6 filelock==4.2.12 mpmath==1.3.0 sympy==1.14.0 \
  typing_extensions==4.16.0 \
  nvidia-cublas==13.4.1.3 nvidia-cuda-cupti==13.2.86 nvidia-cuda-nvrtc==13.2.86 nvidia-cuda-runtime==13.2.86 \
  nvidia-cudnn-cu13==9.26.0.51 nvidia-cufft==12.2.0.57 nvidia-cufile==1.17.1.22 nvidia-cusparse==12.7.10.12 \
  nvidia-cusparselt-cu13==0.8.1 nvidia-nccl-cu13==2.30.7 nvidia-nvjitlink==13.5.37 nvidia-nvshmem-cu13==3.7.2

cat >"$work/stated" <<'TEXT'
LIF in volts, by the definition: 4 spikes, at [13, 27, 41, 55]
LIF in volts, norse: 47 spikes, at [13, 14, 15, 16] and every step after
IF, v_reset 0 and 0.5, norse: equal spikes
warnings: none
IF with r = 2: a warning
TEXT

cd "$work"
"$work/venv/bin/python" - >"$work/seen" 2>"$work/errors" <<'PYTHON' || { cat "$work/errors"; exit 1; }
import io
import logging

import nir
import numpy as np
import norse.torch as norse
import torch

warned = io.StringIO()
logging.basicConfig(stream=warned, force=True)


def number(value):
    return np.array([value], dtype=np.float32)


def spikes(neuron, current, steps):
    """Steps at which norse's neuron spikes on a constant current; a step is a millisecond."""
    ends = {"in": nir.Input({"input": np.array([1])}), "out": nir.Output({"output": np.array([1])})}
    graph = nir.NIRGraph(nodes={**ends, "neuron": neuron}, edges=[("in", "neuron"), ("neuron", "out")])
    network, state, found = norse.from_nir(graph, dt=1e-3), None, []
    for step in range(steps):
        fired, state = network(torch.full((1, 1), current), state)
        if fired.sum() > 0:
            found.append(step)
    return found


def definition(tau, leak, threshold, reset, current, steps):
    """tau dv/dt = v_leak - v + r I, by steps of a millisecond; a spike above the threshold, then v_reset."""
    v, found = leak, []
    for step in range(steps):
        v += 1e-3 / tau * (leak - v + current)
        if v > threshold:
            found.append(step)
            v = reset
    return found


rest, threshold = -65e-3, -50e-3
due = definition(0.02, rest, threshold, rest, 0.03, 60)
print(f"LIF in volts, by the definition: {len(due)} spikes, at {due}")
lif = nir.LIF(tau=number(0.02), r=number(1), v_leak=number(rest), v_threshold=number(threshold), v_reset=number(rest))
found = spikes(lif, 0.03, 60)
always = " and every step after" if found == list(range(found[0], 60)) else ""
print(f"LIF in volts, norse: {len(found)} spikes, at {found[:4]}{always}")
zero, half = (spikes(nir.IF(r=number(1), v_threshold=number(1), v_reset=number(reset)), 0.2, 40) for reset in (0, 0.5))
print(f"IF, v_reset 0 and 0.5, norse: {'equal' if zero == half else 'other'} spikes")
print(f"warnings: {warned.getvalue() or 'none'}")
spikes(nir.IF(r=number(2), v_threshold=number(1), v_reset=number(0)), 0.2, 1)
print(f"IF with r = 2: {'a warning' if 'parameter r' in warned.getvalue() else 'none'}")
PYTHON
cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
