#!/usr/bin/env bash
# tonic 1.7.0: the more the frames of ToFrame overlap, the less of the recording they show; at 0.9 they end after a third.
#
# Behavior: ToFrame(n_time_bins = 10, overlap = f) makes ten frames that are longer by the fraction f, as documented, but places
# them at steps of (1 + f)(1 - f) of a bin instead of one bin. From 0.25 on the last frame ends before the recording does. Of
# 1000 evenly spaced events the first 969 are seen at overlap 0.25, 825 at 0.5, and 362 at 0.9. n_event_bins does the same.
#
# One would have guessed: overlap adds events to frames and takes none away. The number of frames stays, each frame is
# longer, so together they still reach the end.
#
# Who meets it: whoever uses overlapping frames as the time steps of a spiking network. A gesture that happens in the second
# half of the recording never enters the network, and each frame by itself looks right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 tonic==1.7.0

cat >"$work/stated" <<'TEXT'
overlap 0.0: 10 frames, 100 events in the first, last event seen 999 of 1000
overlap 0.25: 10 frames, 125 events in the first, last event seen 968 of 1000
overlap 0.5: 10 frames, 150 events in the first, last event seen 825 of 1000
overlap 0.9: 10 frames, 190 events in the first, last event seen 361 of 1000
TEXT

"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import numpy as np
from tonic.transforms import ToFrame

# Event number k has a pixel of its own, so that the frames tell which events are in them.
events = np.zeros(1000, [("x", np.int16), ("y", np.int16), ("p", np.int64), ("t", np.int64)])
events["x"] = np.arange(1000)
events["t"] = np.arange(1000) * 1000
for overlap in (0.0, 0.25, 0.5, 0.9):
    frames = ToFrame(sensor_size=(1000, 1, 2), n_time_bins=10, overlap=overlap)(events)
    seen = np.flatnonzero(frames.sum(axis=(0, 1, 2)))
    first, last = frames[0].sum(), seen.max() + 1
    print(f"overlap {overlap}: {len(frames)} frames, {first} events in the first, last event seen {last} of 1000")
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
