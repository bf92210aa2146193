"""What is measured: networks, samples and numbers of steps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import networks
import samples

PROJECT = Path(__file__).resolve().parents[2]
IMAGENET = "mean=.485,.456,.406;std=.229,.224,.225"


@dataclass(frozen=True)
class Workload:
    """One network on one set of samples; `calibrate` and `samples` are ranges of the same archive."""

    name: str
    title: str
    data: str
    scale: str
    samples: tuple[int, int]
    calibrate: tuple[int, int]
    steps: tuple[int, ...]
    quick_steps: tuple[int, ...]
    threshold: str = "percentile:99.9"

    def options(self, model, archive, steps):
        """The options of `spikescope run`."""
        first, end = self.samples
        return {
            "--model": model,
            "--data": f"npz:{archive}",
            "--scale": self.scale,
            "--samples": f"{first}..{end}",
            "--calibrate": f"{self.calibrate[0]}..{self.calibrate[1]}",
            "--threshold": self.threshold,
            "--steps": steps,
        }


ALL = (
    Workload("vgg16", "VGG-16 for CIFAR, seeded weights", "cifar10", "0..1", (0, 50), (50, 114), (4, 32, 128), (4,)),
    Workload("resnet20", "ResNet-20, trained, CIFAR-10", "cifar10", IMAGENET, (0, 100), (100, 356), (32,), (4,)),
    Workload("resnet8", "ResNet-8 of MLPerf Tiny, trained, CIFAR-10", "cifar10", "0..255", (0, 100), (100, 356), (32,), (4,)),
    Workload("digits-cnn", "the bundled CNN on MNIST", "mnist", "0..1", (0, 1000), (1000, 1256), (32,), (8,)),
    Workload("w3", "conv 16, conv 32, pool, fc on MNIST", "mnist", "0..1", (0, 200), (200, 456), (64,), (16,)),
)


class Files:
    """Where networks and samples are, and those that are made here."""

    def __init__(self, data, made):
        self.data, self.made = Path(data), Path(made)
        self.made.mkdir(parents=True, exist_ok=True)

    def archive(self, workload):
        """The samples of `workload` as an `.npz` that both sides read."""
        path = self.made / f"{workload.data}.npz"
        if not path.exists():
            if workload.data == "cifar10":
                x, y = samples.cifar10(self._given("cifar10/test_batch.bin", "cifar10/test_batch_first500.bin"))
                x, y = x[:500], y[:500]
            else:
                files = [self._given(f"mnist/t10k-{part}-ubyte.gz") for part in ("images-idx3", "labels-idx1")]
                x, y = samples.mnist(*files, 2000)
            np.savez(path, x=x, y=y)
        return path

    def model(self, workload):
        """The ONNX file of `workload`."""
        if workload.name == "resnet20":
            return self._given("models/cifar10/resnet20_cifar10.onnx")
        if workload.name == "resnet8":
            return self._given("models/cifar10/mlperf_tiny_resnet8.onnx")
        path = self.made / f"{workload.name}.onnx"
        if not path.exists():
            if workload.name == "digits-cnn":
                networks.from_safetensors(path, PROJECT / "assets" / "digits-cnn.safetensors")
            else:
                first, end = workload.calibrate
                images = samples.scaled(np.load(self.archive(workload))["x"][first : min(end, first + 64)], workload.scale)
                (networks.vgg16 if workload.name == "vgg16" else networks.small_cnn)(path, images)
        return path

    def _given(self, *names):
        for name in names:
            if (self.data / name).exists():
                return self.data / name
        raise SystemExit(f"{self.data} has no {' or '.join(names)}; say --data DIR (see README.md)")
