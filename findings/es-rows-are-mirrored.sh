#!/usr/bin/env bash
# faery 0.7.1 and event_stream 1.6.3: an .es file that one of them writes is upside down in the other.
#
# Behavior: both packages, of the same group, read and write Event Stream (.es) files. event_stream stores y as it is. faery
# stores height - 1 - y, and turns it back when it reads. The format says that y is a coordinate from 0 to height - 1 and leaves
# open where row 0 is, and the file has nothing that tells which package wrote it. Other formats faery does not turn.
#
# One would have guessed: the row that is written is the row that is read, by whichever of the two.
#
# Who meets it: whoever converts .es recordings to another format with faery, or trains on files of both. Digits and gestures
# are mirrored; times, columns and polarities are right, and nothing fails.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 event_stream==1.6.3 faery==0.7.1

cat >"$work/stated" <<'TEXT'
rows of the events: [0, 1, 2, 7]
written by event_stream, read by event_stream: [0, 1, 2, 7]
written by event_stream, read by faery: [7, 6, 5, 0]
written by faery, read by event_stream: [7, 6, 5, 0]
written by faery, read by faery: [0, 1, 2, 7]
through faery from .es to .dat: [7, 6, 5, 0]
TEXT

cd "$work"
"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import event_stream
import faery
import numpy as np

rows = [0, 1, 2, 7]


def events(dtype):
    out = np.zeros(len(rows), dtype)
    out["t"], out["x"], out["y"], out["on"] = [10, 20, 30, 40], [1, 2, 3, 4], rows, True
    return out


with event_stream.Encoder("event_stream.es", "dvs", 8, 8) as encoder:
    encoder.write(events(event_stream.dvs_dtype))
faery.events_stream_from_array(events(faery.EVENTS_DTYPE), (8, 8)).to_file("faery.es")


def by_event_stream(path):
    with event_stream.Decoder(path) as decoder:
        return np.concatenate(list(decoder))["y"].tolist()


def by_faery(path):
    return np.concatenate(list(faery.events_stream_from_file(path)))["y"].tolist()


print(f"rows of the events: {rows}")
for writer in ("event_stream", "faery"):
    for reader, read in (("event_stream", by_event_stream), ("faery", by_faery)):
        print(f"written by {writer}, read by {reader}: {read(f'{writer}.es')}")
faery.events_stream_from_file("event_stream.es").to_file("turned.dat")
print(f"through faery from .es to .dat: {by_faery('turned.dat')}")
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
