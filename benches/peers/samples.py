"""Reads CIFAR-10 and MNIST files and scales samples as Spikescope does. Both sides read the same `.npz` written here."""

import gzip
from pathlib import Path

import numpy as np

CIFAR_RECORD = 1 + 3 * 32 * 32


def cifar10(path):
    """Images `uint8 [N, 3, 32, 32]` and labels of a file in the official binary layout."""
    records = np.fromfile(path, np.uint8).reshape(-1, CIFAR_RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def mnist(images, labels, count):
    """The first `count` images `uint8 [N, 1, 28, 28]` and labels of gzipped IDX files."""
    pixels = np.frombuffer(gzip.decompress(Path(images).read_bytes()), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    answers = np.frombuffer(gzip.decompress(Path(labels).read_bytes()), np.uint8, offset=8)
    return pixels[:count], answers[:count].astype(np.int64)


def scaled(images, scale):
    """`images` (bytes) as float32 network input; `scale` as on Spikescope's command line."""
    values = images.astype(np.float32)
    if scale == "0..255":
        return values
    values /= np.float32(255)
    if scale == "0..1":
        return values
    parts = dict(part.split("=") for part in scale.split(";"))
    mean, std = (np.array(parts[key].split(","), np.float32).reshape(-1, 1, 1) for key in ("mean", "std"))
    return (values - mean) / std
