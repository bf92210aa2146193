#!/usr/bin/env bash
# tonic 1.7.0: ToVoxelGrid counts OFF events as ON events if the recording's polarity field is bool, as in DVSGesture.
#
# Behavior: a voxel grid adds +1 for an ON and -1 for an OFF event. ToVoxelGrid replaces the zeros in the polarity field by -1
# inside that field; in a bool field -1 becomes True, so every event adds +1. One hundred OFF events sum to -89.6 if "p" is an
# integer and to +89.6 if it is bool; if every second one is ON, to -0.5 and again to +89.6. Nothing is said. tonic's own classes
# DVSGesture, CIFAR10DVS, DVSLip and DSEC declare "p" as bool, NMNIST as int.
#
# One would have guessed: the result depends on the events, not on the type of the field that stores 0 and 1; and the
# transforms of a package handle the types that its data sets produce.
#
# Who meets it: whoever feeds DVSGesture or CIFAR10DVS as voxel grids to a network, or makes such grids in two programs
# and compares them. The grid has the right shape and the right places; only the polarity is gone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 tonic==1.7.0

cat >"$work/stated" <<'TEXT'
polarity field by class: NMNIST int64, DVSGesture bool, CIFAR10DVS bool, DVSLip bool, DSEC bool
half of the events OFF, int64: sum of the grid -0.5, smallest cell -0.5
half of the events OFF, bool: sum of the grid 89.6, smallest cell 10.4
all events OFF, int64: sum of the grid -89.6, smallest cell -19.8
all events OFF, bool: sum of the grid 89.6, smallest cell 10.4
TEXT

"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import numpy as np
import tonic
from tonic.transforms import ToVoxelGrid

names = ("NMNIST", "DVSGesture", "CIFAR10DVS", "DVSLip", "DSEC")
print("polarity field by class:", ", ".join(f"{name} {getattr(tonic.datasets, name).dtype['p']}" for name in names))
for what, polarity in (("half of the events OFF", np.arange(100) % 2), ("all events OFF", np.zeros(100))):
    for kind in (np.int64, np.bool_):
        events = np.zeros(100, [("x", np.int16), ("y", np.int16), ("p", kind), ("t", np.int64)])
        events["t"] = np.arange(100) * 10
        events["p"] = polarity
        grid = ToVoxelGrid(sensor_size=(1, 1, 2), n_time_bins=5)(events)
        smallest = grid.min().round(1) + 0.0
        print(f"{what}, {np.dtype(kind)}: sum of the grid {grid.sum():.1f}, smallest cell {smallest:.1f}")
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
