#!/usr/bin/env python3
"""A segmentation network or detector on scenes: Spikescope beside a careful PyTorch loop of the same spiking network.

    cargo build --release
    target/peers-venv/bin/python benches/peers/scenes.py MODEL.safetensors DATA [--samples 50] [--steps 64] [--threads 2]

MODEL is a file of Spikescope with its graph; the thresholds are those of the run. The loop computes what does not depend
on spikes once, folds scales into convolutions, and updates neurons in place. Runs are in turn; the spikes are compared.
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[2]


def read(path):
    """Graph and tensors of a safetensors file."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    meta = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = torch.from_numpy(np.frombuffer(data[start:end], np.float32).reshape(entry["shape"]).copy())
    return json.loads(meta["spikescope.graph"]), tensors


class Loop:
    """The spiking network, one pass of the graph a step."""

    def __init__(self, graph, tensors, layers):
        self.nodes, self.output, self.tensors = graph["nodes"], graph["output"], tensors
        self.theta = {layer["name"]: torch.tensor(layer["theta"]) for layer in layers}
        readers = [0] * len(self.nodes)
        for node in self.nodes:
            for source in node["inputs"]:
                readers[source] += 1
        self.alias = list(range(len(self.nodes)))
        for index, node in enumerate(self.nodes):
            if node["op"]["kind"] == "affine":
                self.fold(index, node, readers)
        self.spiking = [False] * len(self.nodes)
        for index, node in enumerate(self.nodes):
            is_neuron = node["op"]["kind"] in ("relu", "clip", "qcfs")
            self.spiking[index] = is_neuron or any(self.spiking[source] for source in node["inputs"])

    def fold(self, index, node, readers):
        source = node["inputs"][0]
        kind, name = self.nodes[source]["op"]["kind"], self.nodes[source]["name"]
        if kind != "conv" or readers[source] != 1:
            return
        scale, shift = (self.tensors[f"{node['name']}.{part}"] for part in ("scale", "shift"))
        bias = self.tensors.get(f"{name}.bias", torch.zeros(len(self.tensors[f"{name}.weight"])))
        self.tensors[f"{name}.weight"] = self.tensors[f"{name}.weight"] * scale.view(-1, 1, 1, 1)
        self.tensors[f"{name}.bias"] = bias * scale + shift
        self.alias[index] = source

    def apply(self, node, values):
        op, name, x = node["op"], node["name"], values[0]
        weight, bias = self.tensors.get(f"{name}.weight"), self.tensors.get(f"{name}.bias")
        kind = op["kind"]
        if kind in ("conv", "conv-transpose"):
            top, left, bottom, right = op["padding"]
            assert (top, left) == (bottom, right), "one padding on both sides"
            if kind == "conv":
                return F.conv2d(x, weight, bias, op["stride"], (top, left), op["dilation"], op["groups"])
            return F.conv_transpose2d(
                x, weight, bias, op["stride"], (top, left), op["output_padding"], op["groups"], op["dilation"])
        if kind == "resample":
            rows, columns = self.tensors[f"{name}.rows"], self.tensors[f"{name}.columns"]
            return rows @ x @ columns.T
        if kind == "affine":
            scale, shift = self.tensors[f"{name}.scale"], self.tensors[f"{name}.shift"]
            return x * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)
        if kind == "linear":
            return F.linear(x, weight, bias)
        if kind == "add":
            return sum(values[1:], values[0])
        if kind == "reshape":
            return x.reshape(len(x), *node["shape"])
        if kind == "concat":
            return torch.cat(values, op["axis"] + 1)
        if kind == "avg-pool":
            return F.avg_pool2d(x, op["kernel"], op["stride"])
        raise SystemExit(f"node {name}: {kind} is not in this loop")

    def run(self, x, steps):
        """The summed readout and the spikes of each layer."""
        potentials, counts, constant = {}, {}, {}
        total = None
        for _ in range(steps):
            values = {}
            for index, node in enumerate(self.nodes):
                kind = node["op"]["kind"]
                if self.alias[index] != index:
                    values[index] = values[self.alias[index]]
                elif kind == "input":
                    values[index] = x
                elif kind in ("relu", "clip", "qcfs"):
                    theta = self.theta[node["name"]].view(1, -1, *[1] * (len(node["shape"]) - 1))
                    current = values[node["inputs"][0]]
                    if index not in potentials:
                        potentials[index] = torch.zeros_like(current) + theta / 2
                        counts[node["name"]] = 0
                    fired = potentials[index].add_(current).ge(theta).to(current.dtype)
                    spikes = fired * theta
                    potentials[index].sub_(spikes)
                    counts[node["name"]] += fired.sum()
                    values[index] = spikes
                elif not self.spiking[index]:
                    if index not in constant:
                        constant[index] = self.apply(node, [values[source] for source in node["inputs"]])
                    values[index] = constant[index]
                else:
                    values[index] = self.apply(node, [values[source] for source in node["inputs"]])
            out = values[self.output]
            total = out.clone() if total is None else total.add_(out)
        return total, {name: int(count) for name, count in counts.items()}


def spikescope(program, args, folder):
    command = [program, "run", "--model", args.model, "--data", args.data, "--samples", f"0..{args.samples}"]
    command += ["--calibrate", f"0..{min(args.samples, 16)}", "--threshold", "percentile:99.9"]
    command += ["--steps", str(args.steps), "--out", folder]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(args.threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads((Path(folder) / "summary.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data", help="as for --data of spikescope run; its scaled samples are random here")
    parser.add_argument("--samples", type=int, default=50)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--input", help="npy file of the scaled samples [N, C, H, W], to compare spikes")
    parser.add_argument("--program", default=os.environ.get("SPIKESCOPE", str(ROOT / "target/release/spikescope")))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    graph, tensors = read(args.model)
    own, loop_seconds, summary = [], [], None
    for _ in range(args.pairs):
        with tempfile.TemporaryDirectory() as folder:
            summary = spikescope(args.program, args, folder)
        own.append(summary["seconds"]["snn"])
        loop = Loop(graph, dict(tensors), summary["layers"])
        shape = graph["nodes"][0]["shape"]
        x = torch.from_numpy(np.load(args.input)) if args.input else torch.rand(args.samples, *shape)
        with torch.inference_mode():
            start = time.perf_counter()
            _, counts = loop.run(x[: args.samples].float(), args.steps)
            loop_seconds.append(time.perf_counter() - start)
    if args.input:
        for layer in summary["layers"]:
            off = abs(layer["spikes"] - counts[layer["name"]]) / max(layer["spikes"], 1)
            print(f"{layer['name']}: {layer['spikes']} spikes, {counts[layer['name']]} of the loop ({100 * off:.2f} % off)")
    a, b = statistics.median(own), statistics.median(loop_seconds)
    print(f"{args.samples} pictures, T = {args.steps}, {args.threads} threads: Spikescope {a:.2f} s "
          f"(whole command: {sum(summary['seconds'].values()):.2f} s), PyTorch {b:.2f} s, ratio {b / a:.1f}")


if __name__ == "__main__":
    main()
