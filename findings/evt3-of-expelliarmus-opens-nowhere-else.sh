#!/usr/bin/env bash
# expelliarmus 1.1.12: 40 s saved as EVT3 are 4 ms for every other reader, and EVT3 of another writer is twice as long in it.
#
# Behavior: times in EVT3 have two words of 12 bits. Wizard(encoding="evt3").save writes the upper word once, at the beginning.
# Its own reader adds 4096 us whenever the lower word gets smaller, so that it reads its own file right, as long as no pause is
# longer than 4 ms. A file with both words, here of faery, counts every 4096 us twice in it: 40 s become 80 s. evlib reads the
# file of faery right.
#
# One would have guessed: EVT3 is a format of cameras, and a file of it has the same times for whoever opens it.
#
# Who meets it: whoever cuts or converts recordings with expelliarmus and gives them to another program, and whoever opens
# recordings of other programs with it. Positions and polarities are right; only the time is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 expelliarmus==1.1.12 faery==0.7.1 \
    evlib==0.13.2

cat >"$work/stated" <<'TEXT'
written by expelliarmus, read by expelliarmus: 40000 of 40000 times equal, last event at 39.999 s
written by expelliarmus, read by evlib: 5 of 40000 times equal, last event at 0.004 s
written by faery, read by evlib: 40000 of 40000 times equal, last event at 39.999 s
written by faery, read by expelliarmus: 5 of 40000 times equal, last event at 79.996 s
TEXT

cd "$work"
"$work/venv/bin/python" - >"$work/seen" 2>/dev/null <<'PYTHON'
import evlib
import expelliarmus
import faery
import numpy as np

times = np.arange(0, 40_000_000, 1000)  # one event a millisecond, for 40 s


def events(dtype):
    out = np.zeros(len(times), dtype)
    out["t"], out["x"], out["y"] = times, np.arange(len(times)) % 64, 5
    return out


own = events([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "u1")])
expelliarmus.Wizard(encoding="evt3").save(fpath="expelliarmus.raw", arr=own)
faery.events_stream_from_array(events(faery.EVENTS_DTYPE), (64, 48)).to_file("faery.raw", version="evt3")


def by_expelliarmus(path):
    return expelliarmus.Wizard(encoding="evt3", fpath=path).read()["t"]


def by_evlib(path):
    # Without sorting: in file order.
    return evlib.load_events(path, sort=False).collect()["t"].dt.total_microseconds().to_numpy()


for writer, reader, read in [
    ("expelliarmus", "expelliarmus", by_expelliarmus),
    ("expelliarmus", "evlib", by_evlib),
    ("faery", "evlib", by_evlib),
    ("faery", "expelliarmus", by_expelliarmus),
]:
    seen = np.asarray(read(f"{writer}.raw")).astype(np.int64)
    equal, last = int((seen == times).sum()), seen.max() / 1e6
    print(f"written by {writer}, read by {reader}: {equal} of {len(seen)} times equal, last event at {last:.3f} s")
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
