"""Attacks beside torchattacks: robust accuracy of ResNet-20 on CIFAR-10, and the time of a PGD pass.

    python attacks.py robust [--images 500] [--attacks apgd,square] [--eps 1/255,2/255] [--queries 500]
    python attacks.py speed [--pairs 5]

Needs torch, numpy, onnx and torchattacks 3.5.1 (`pip install --no-deps torchattacks==3.5.1`; it imports tqdm and requests),
and `cargo build --release`. Both sides attack the same images, in [0, 1], through the same weights and scaling.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torchattacks
from torch import nn

import onnx_graph
from simulators import module_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SCALE = f"mean={','.join(map(str, MEAN))};std={','.join(map(str, STD))}"


class Network(nn.Module):
    """The nodes of an ONNX file as torch modules, behind the scaling."""

    def __init__(self, path):
        super().__init__()
        nodes = onnx_graph.read(path)
        for node in nodes:
            if node.kind == "add":
                node.settings["factors"] = [1.0] * len(node.inputs)
        self.inputs = [node.inputs for node in nodes]
        self.layers = nn.ModuleList(nn.ReLU() if node.kind == "neuron" else module_of(node, "plain") for node in nodes)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.requires_grad_(False).eval()

    def forward(self, x):
        values = [(x - self.mean) / self.std]
        for index, inputs in enumerate(self.inputs):
            if index:
                values.append(self.layers[index](*[values[i] for i in inputs]))
        return values[-1]


def images(data, count):
    raw = np.fromfile(data / "cifar10/test_batch_first500.bin", np.uint8).reshape(-1, 3073)[:count]
    x = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / np.float32(255))
    return x, torch.from_numpy(raw[:, 0].astype(np.int64))


def fraction(text):
    top, _, bottom = text.partition("/")
    return float(top) / float(bottom or 1)


def spikescope(options, count, *words):
    """`attack.json` of one run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [options.binary, "attack", "--model", options.model, "--scale", SCALE]
        command += ["--data", f"cifar10:{options.data / 'cifar10/test_batch_first500.bin'}", "--samples", f"0..{count}"]
        command += ["--calibrate", "0..8", "--out", folder, *words]
        environ = {**os.environ, "RAYON_NUM_THREADS": str(options.threads)}
        subprocess.run(list(map(str, command)), check=True, env=environ, stdout=subprocess.DEVNULL)
        return json.loads((Path(folder) / "attack.json").read_text())


def robust(options, network):
    x, labels = images(options.data, options.images)
    right = network(x).argmax(1) == labels
    print(f"clean accuracy of torch {100 * right.float().mean():.1f} % on {len(x)} images", flush=True)
    for name in options.attacks.split(","):
        for eps in options.eps.split(","):
            if name == "apgd":
                words, theirs = ["--attack-steps", 100], torchattacks.APGD(network, eps=fraction(eps), steps=100)
            else:
                words = ["--queries", options.queries]
                theirs = torchattacks.Square(network, eps=fraction(eps), n_queries=options.queries)
            start = time.time()
            mine = spikescope(options, len(x), "--attack", name, "--eps", eps, *words)
            middle = time.time()
            adversarial = torch.cat([theirs(a, b) for a, b in zip(x.split(100), labels.split(100))])
            held = right & (network(adversarial).argmax(1) == labels)
            ours, peers = 100 * mine["robust_accuracy"], 100 * held.float().mean().item()
            print(
                f"{name} {eps}: Spikescope {ours:.1f} % ({middle - start:.0f} s), torchattacks {peers:.1f} % "
                f"({time.time() - middle:.0f} s), difference {ours - peers:+.1f} points",
                flush=True,
            )


def speed(options, network):
    """The same work on both sides: answers to the clean images, the attack, answers to what they became, and to images that are
    moved at random as far. The peer's attack alone is printed too."""
    x, labels = images(options.data, 100)

    def whole(attack, given):
        start = time.time()
        with torch.no_grad():
            network(given).argmax(1)
        begun = time.time()
        adversarial = attack(given, labels)
        alone = time.time() - begun
        with torch.no_grad():
            network(adversarial).argmax(1)
            moved = (adversarial - given)[:, :, torch.randperm(given.shape[2])]
            network((given + moved).clamp(0, 1)).argmax(1)
        return time.time() - start, alone

    layouts = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
    best = {}
    for name, layout in layouts.items():
        attack = torchattacks.PGD(network.to(memory_format=layout), eps=8 / 255, alpha=2 / 255, steps=10)
        given = x.to(memory_format=layout)
        whole(attack, given)
        best[name] = whole(attack, given)[0]
    layout = layouts[min(best, key=best.get)]
    attack = torchattacks.PGD(network.to(memory_format=layout), eps=8 / 255, alpha=2 / 255, steps=10)
    given = x.to(memory_format=layout)
    pairs = []
    for _ in range(options.pairs):
        mine = spikescope(options, 100, "--attack", "pgd", "--eps", "8/255")["seconds"]["attack"]
        pairs.append((mine, *whole(attack, given)))
    mine, peer, alone = np.median(pairs, 0)
    ratios = sorted(a / b for a, b, _ in pairs)
    print(
        f"PGD-10 over 100 images, {options.threads} threads: Spikescope {mine:.2f} s, torchattacks {peer:.2f} s "
        f"({alone:.2f} s without the three answers), {np.median(ratios):.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["robust", "speed"])
    parser.add_argument("--binary", default=ROOT / "target/release/spikescope", type=Path)
    parser.add_argument("--data", default=next((p / "shared/data" for p in [ROOT, *ROOT.parents] if (p / "shared/data").exists()), None), type=Path)
    parser.add_argument("--threads", default=os.cpu_count(), type=int)
    parser.add_argument("--images", default=500, type=int)
    parser.add_argument("--attacks", default="apgd,square")
    parser.add_argument("--eps", default="1/255,2/255")
    parser.add_argument("--queries", default=500, type=int)
    parser.add_argument("--pairs", default=5, type=int)
    options = parser.parse_args()
    if options.data is None:
        sys.exit("no data: --data names the folder with cifar10/ and models/")
    options.model = options.data / "models/cifar10/resnet20_cifar10.onnx"
    torch.set_num_threads(options.threads)
    network = Network(str(options.model))
    {"robust": robust, "speed": speed}[options.part](options, network)


if __name__ == "__main__":
    main()
