"""Speed of event recordings: two builds of Spikescope on networks of N-MNIST's size, run in turn, with their spikes compared.

    python benches/peers/event_speed.py OLD NEW [--rounds 5] [--samples 100] [--steps 100] [--only WORD] [--folder DIR]

OLD and NEW are binaries. Recordings are those of `builtin:events-digits`, written as files by NEW (`spikescope events --recording
N --out FILE`), 34x34 pixels and as sparse as N-MNIST. Networks have random weights: a CNN of 8 and 16 channels, one of 12 and 32
channels with kernels of 5 (that of snnTorch's tutorial on N-MNIST), an MLP of 128 and 64, and the first layer of each alone before a
readout. One thread, medians. `first layer` has no other layer of neurons; `simulation` is `seconds.snn` of summary.json, `command`
the time from start to end, with reading and binning of the files, the ANN and the measures.
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import tempfile
import time

import numpy as np

SIDE = 34


def node(name, kind, inputs, shape, **op):
    return {"name": name, "op": {"kind": kind, **op}, "inputs": inputs, "shape": shape}


class Builder:
    """A network in Spikescope's own safetensors format, one node after the other."""

    def __init__(self, seed):
        self.nodes, self.tensors, self.draw = [node("input", "input", [], [2, SIDE, SIDE])], {}, np.random.default_rng(seed)

    def add(self, kind, shape, weight=None, **op):
        name = f"n{len(self.nodes)}"
        self.nodes.append(node(name, kind, [len(self.nodes) - 1], shape, **op))
        if weight:
            fan_in = int(np.prod(weight[1:]))
            self.tensors[f"{name}.weight"] = self.draw.normal(0, (2 / fan_in) ** 0.5, weight).astype("<f4")
            self.tensors[f"{name}.bias"] = np.zeros(weight[0], "<f4")

    @property
    def shape(self):
        return self.nodes[-1]["shape"]

    def conv(self, channels, kernel, padding):
        inputs, height, width = self.shape
        height, width = (size + 2 * padding - kernel + 1 for size in (height, width))
        self.add("conv", [channels, height, width], [channels, inputs, kernel, kernel], stride=[1, 1], padding=[padding] * 4,
                 dilation=[1, 1], groups=1, bias=True)
        self.relu()

    def linear(self, outputs):
        if len(self.shape) > 1:
            self.add("reshape", [int(np.prod(self.shape))])
        self.add("linear", [outputs], [outputs, self.shape[0]], bias=True)

    def relu(self):
        self.add("relu", self.shape)

    def pool(self, size):
        channels, height, width = self.shape
        self.add("avg-pool", [channels, height // size, width // size], kernel=[size] * 2, stride=[size] * 2, padding=[0] * 4,
                 count_include_pad=True)

    def write(self, path):
        graph = json.dumps({"nodes": self.nodes, "output": len(self.nodes) - 1})
        head = {"__metadata__": {"spikescope.format": "1", "spikescope.name": "net", "spikescope.scaling": "0..1",
                                 "spikescope.graph": graph}}
        at = 0
        for name, values in self.tensors.items():
            head[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
            at += values.nbytes
        text = json.dumps(head).encode()
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + b"".join(v.tobytes() for v in self.tensors.values()))


def cnn(net):
    net.conv(8, 3, 1)
    net.pool(2)
    net.conv(16, 3, 1)
    net.pool(2)
    net.linear(64)
    net.relu()


def cnn5(net):
    net.conv(12, 5, 0)
    net.pool(2)
    net.conv(32, 5, 0)
    net.pool(2)


def mlp(net):
    net.linear(128)
    net.relu()
    net.linear(64)
    net.relu()


def conv_alone(channels, kernel, padding):
    def build(net):
        net.conv(channels, kernel, padding)
        net.pool(net.shape[1])
    return build


def linear_alone(net):
    net.linear(128)
    net.relu()


NETWORKS = {
    "first layer: 8 channels, 3x3": conv_alone(8, 3, 1),
    "first layer: 12 channels, 5x5": conv_alone(12, 5, 0),
    "first layer: 128 neurons": linear_alone,
    "CNN 8-16-64, 3x3": cnn,
    "CNN 12-32, 5x5": cnn5,
    "MLP 128-64": mlp,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--only", default="")
    parser.add_argument("--folder")
    args = parser.parse_args()
    folder = args.folder or tempfile.mkdtemp()
    recordings = os.path.join(folder, "recordings")
    count = args.samples + 20
    os.makedirs(recordings, exist_ok=True)
    for index in range(count):
        path = os.path.join(recordings, f"{index:05}.npy")
        if not os.path.exists(path):
            subprocess.run([args.new, "events", "builtin:events-digits", "--recording", str(index), "--out", path], check=True,
                           capture_output=True)
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}

    def run(binary, model):
        out = os.path.join(folder, "out")
        data = f"events:{recordings},sensor={SIDE}x{SIDE},frames={args.steps}"
        command = [binary, "run", "--model", model, "--data", data, "--samples", f"0..{args.samples}", "--calibrate",
                   f"{args.samples}..{count}", "--threshold", "max", "--steps", str(args.steps), "--dump", "counts", "--out", out]
        begun = time.time()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        seconds = time.time() - begun
        with open(os.path.join(out, "summary.json")) as file:
            parts = json.load(file)["seconds"]
        with np.load(os.path.join(out, "counts.npz")) as counts:
            return {**parts, "command": seconds}, {name: counts[name] for name in counts.files}

    print(f"{args.samples} recordings, T = {args.steps}, one thread, medians of {args.rounds}, seconds old / new\n")
    print("| network | simulation | ratio | command | ratio | load | ANN | neurons with equal counts |\n" + "|" + "---|" * 8)
    for number, (name, build) in enumerate(NETWORKS.items()):
        if args.only not in name:
            continue
        net = Builder(number)
        build(net)
        net.linear(10)
        model = os.path.join(folder, f"net{number}.safetensors")
        net.write(model)
        times, counts = ([], []), [None, None]
        for _ in range(args.rounds):
            for side, binary in enumerate((args.old, args.new)):
                seconds, counts[side] = run(binary, model)
                times[side].append(seconds)
        median = lambda side, part: statistics.median(seconds[part] for seconds in times[side])
        pair = lambda part: f"{median(0, part):.3f} / {median(1, part):.3f}"
        ratio = lambda part: f"{median(0, part) / median(1, part):.1f}"
        same = sum(int((counts[0][key] == counts[1][key]).sum()) for key in counts[0])
        total = sum(counts[0][key].size for key in counts[0])
        print(f"| {name} | {pair('snn')} | {ratio('snn')} | {pair('command')} | {ratio('command')} | {pair('load')} | "
              f"{pair('ann')} | {same / total * 100:.3f} % |", flush=True)


if __name__ == "__main__":
    main()
