"""A network and images of ImageNet's size: VGG-16 at 224x224 with seeded weights, a thousand classes, 8 images, T = 32. How
much memory does the process take at most? `target/peers-venv/bin/python benches/peers/large.py --data DIR` (after `run.sh`).
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from torch import from_numpy

import networks
import samples
import spikescope
import workloads
from workloads import PROJECT

SIDE, IMAGES, CALIBRATION, STEPS = 224, 8, 4, 32


def main():
    """Makes what is not there yet, runs, prints."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    options.add_argument("--binary", type=Path, default=PROJECT / "target" / "release" / "spikescope")
    options.add_argument("--work", type=Path, default=PROJECT / "target" / "peers")
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    archive, model = given.work / "imagenet-size.npz", given.work / "vgg16-224.onnx"
    if not archive.exists():
        cifar = next(workload for workload in workloads.ALL if workload.data == "cifar10")
        of_cifar = np.load(workloads.Files(given.data, given.work).archive(cifar))
        x, y = (of_cifar[key][: IMAGES + CALIBRATION] for key in ("x", "y"))
        small = from_numpy(x.astype(np.float32))
        large = F.interpolate(small, size=(SIDE, SIDE), mode="bilinear").numpy().round().astype(np.uint8)
        np.savez(archive, x=large, y=y)
    if not model.exists():
        networks.vgg16(model, samples.scaled(np.load(archive)["x"][IMAGES:], "0..1"), classes=1000)
    run = {
        "--model": model,
        "--data": f"npz:{archive}",
        "--scale": "0..1",
        "--samples": f"0..{IMAGES}",
        "--calibrate": f"{IMAGES}..{IMAGES + CALIBRATION}",
        "--steps": STEPS,
    }
    out = given.work / "imagenet-size"
    watched = spikescope.Watched(spikescope.command(given.binary, "run", out, run), given.threads)
    watched.run("measuring", "wrote ")
    peaks = [watched.heard[word][1] / 1024 for word in ("measuring", "wrote ")]
    summary = json.loads((out / "summary.json").read_text())
    spikes = sum(layer["spikes"] for layer in summary["layers"])
    print(f"VGG-16 at {SIDE}x{SIDE}, {IMAGES} images, T = {STEPS}, {given.threads} threads: {summary['seconds']['snn']:.1f} s,")
    print(f"{spikes:,} spikes; the process took {peaks[0]:.2f} GiB up to the end of the run, {peaks[1]:.2f} GiB in all")


if __name__ == "__main__":
    main()
