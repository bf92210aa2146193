"""Graphs written by the Python package `nir`, each with an input and the output that its rates come to beside it:
NAME.nir and NAME.npz. An IF neuron of threshold θ answers clip(I/θ, 0, 1) spikes a step over many steps.

    pip install nir numpy && python make.py
"""

from pathlib import Path

import nir
import numpy as np

HERE = Path(__file__).parent
RNG = np.random.default_rng(11)


def normal(*shape):
    return RNG.normal(0, 1 / np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 4), shape).astype(np.float32)


def neurons(*shape, theta=1.0):
    ones = np.ones(shape, np.float32)
    return nir.IF(r=ones, v_threshold=ones * np.float32(theta), v_reset=ones * 0)


def rate(current, theta):
    return np.clip(current / theta, 0, 1)


def conv(x, w, b):
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return np.einsum("chwij,ocij->ohw", windows, w) + b[:, None, None]


def save(name, nodes, edges, shape, forward):
    nir.write(HERE / f"{name}.nir", nir.NIRGraph(nodes, edges))
    x = RNG.random((3, *shape)).astype(np.float32)
    np.savez(HERE / f"{name}.npz", input=x, output=np.stack([forward(sample) for sample in x]).astype(np.float32))


w1, b1, w2, b2 = normal(3, 2, 3, 3), normal(3), normal(4, 12), normal(4)
save(
    "conv",
    {
        "input": nir.Input({"input": np.array([2, 4, 4])}),
        "conv": nir.Conv2d((4, 4), w1, (1, 1), (1, 1), (1, 1), 1, b1),
        "if": neurons(3, 4, 4, theta=0.75),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([3, 2, 2])}, 0, -1),
        "fc": nir.Affine(w2, b2),
        "output": nir.Output({"output": np.array([4])}),
    },
    [("input", "conv"), ("conv", "if"), ("if", "pool"), ("pool", "flat"), ("flat", "fc"), ("fc", "output")],
    (2, 4, 4),
    lambda x: w2 @ rate(conv(x, w1, b1), 0.75).reshape(3, 2, 2, 2, 2).sum((2, 4)).reshape(-1) + b2,
)

wa, wb, wc = normal(5, 6), normal(5, 5), normal(3, 5)
scale = RNG.uniform(0.5, 1.5, 5).astype(np.float32)


def residual(x):
    a = rate(wa @ x, 0.5)
    return wc @ rate(wb @ a + scale * a, 1.0)


save(
    "residual",
    {
        "0": nir.Input({"input": np.array([6])}),
        "1": nir.Linear(wa),
        "2": neurons(5, theta=0.5),
        "3": nir.Linear(wb),
        "4": nir.Scale(scale),
        "5": neurons(5),
        "6": nir.Linear(wc),
        "7": nir.Output({"output": np.array([3])}),
    },
    [("6", "7"), ("0", "1"), ("1", "2"), ("2", "3"), ("2", "4"), ("3", "5"), ("4", "5"), ("5", "6")],
    (6,),
    residual,
)

wi, wo = normal(4, 1, 3, 3), normal(2, 4)
theta = np.repeat(np.array([0.5, 1.0, 0.25, 2.0], np.float32), 16).reshape(4, 4, 4)


def channels(x):
    return wo @ rate(conv(x, wi, np.zeros(4)), theta).mean((1, 2))


save(
    "channels",
    {
        "input": nir.Input({"input": np.array([1, 4, 4])}),
        "conv": nir.Conv2d((4, 4), wi, 1, 1, 1, 1, np.zeros(4, np.float32)),
        "if": nir.IF(r=np.ones_like(theta), v_threshold=theta),
        "pool": nir.AvgPool2d(np.array([4, 4]), np.array([4, 4]), np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([4, 1, 1])}, 0, -1),
        "fc": nir.Linear(wo),
        "output": nir.Output({"output": np.array([2])}),
    },
    [("input", "conv"), ("conv", "if"), ("if", "pool"), ("pool", "flat"), ("flat", "fc"), ("fc", "output")],
    (1, 4, 4),
    channels,
)
