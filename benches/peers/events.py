"""Event recordings beside the packages of the field: events in, events out, and binning beside tonic's.

    python -m venv V && V/bin/pip install tonic==1.7.0 expelliarmus==1.1.12 aedat==2.3.0 event_stream==1.6.3 faery==0.7.1 \
        dv_processing==2.0.4 evlib==0.13.2
    V/bin/python benches/peers/events.py target/release/spikescope [--folder DIR] [--only WORD]

Each package writes the same events to a file of each format that it writes; `spikescope events FILE --out OUT.npy` reads it,
and the events are compared one by one: x, y, polarity and the time since the first event. Files of one package are read by
the others too. A cell says how many events went in and came out equal. `ToFrame` of tonic is compared with the frames that
`spikescope export RUN.npz` states as its input.
"""

import argparse
import contextlib
import importlib.metadata
import io
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

WIDTH, HEIGHT, COUNT = 64, 48, 20_000
# 40 s: both words of EVT3's time wrap (4 ms and 16.8 s).
LAST_US = 40_000_000


def recording(count=COUNT, last=LAST_US, seed=1):
    """Events of one recording in order of time, with pauses and with several at one time, as tonic's records."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, dtype=[("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])
    events["t"] = np.sort(rng.integers(0, last, count) // 3 * 3) + 1000
    events["x"], events["y"] = rng.integers(0, WIDTH, count), rng.integers(0, HEIGHT, count)
    events["p"] = rng.integers(0, 2, count)
    return events


def fields(events, dtype):
    """The events as records of another type, by the order x, y, t, p of its names."""
    out = np.zeros(len(events), dtype=dtype)
    for name in out.dtype.names:
        own = {"x": "x", "y": "y", "p": "p", "pol": "p", "polarity": "p", "on": "p"}.get(name, "t")
        out[name] = events[own]
    return out


# --- what each package writes: name -> (format, package, writer(path, events)) ---


def numpy_files():
    def save(make):
        return lambda path, events: np.save(path, make(events))

    def signed(events):
        out = fields(events, [("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "i1")])
        out["p"] = out["p"] * 2 - 1
        return out

    def columns(order, dtype):
        return lambda events: np.stack([events[letter].astype(dtype) for letter in order], 1)

    def seconds(scale, dtype):
        def make(events):
            out = np.zeros(len(events), dtype=[("x", "<i2"), ("y", "<i2"), ("t", dtype), ("p", "?")])
            for name in "xyp":
                out[name] = events[name]
            out["t"] = events["t"] / scale
            return out

        return make

    def archive(names, compressed=False):
        write = np.savez_compressed if compressed else np.savez

        def write_all(path, events):
            write(path, **{name: events[own] for name, own in zip(names, "txyp", strict=True)})

        return write_all

    import event_stream
    import expelliarmus  # noqa: F401
    import faery
    import tonic.io

    expelliarmus_dtype = [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "u1")]
    dvs = [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("polarity", "?")]
    aedat_dtype = [("t", "<u8"), ("x", "<u2"), ("y", "<u2"), (("on", "p"), "?")]
    padded = np.dtype([("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")], align=True)
    big = [("x", ">i2"), ("y", ">i2"), ("ts", ">u4"), ("p", ">i2")]
    timed = [("x", "<u2"), ("y", "<u2"), ("timestamp", "<m8[us]"), ("polarity", "i1")]
    return {
        "npy tonic": save(lambda e: fields(e, tonic.io.events_struct)),
        "npy expelliarmus": save(lambda e: fields(e, expelliarmus_dtype)),
        "npy event_stream": save(lambda e: fields(e, event_stream.dvs_dtype)),
        "npy faery": save(lambda e: fields(e, faery.EVENTS_DTYPE)),
        "npy aedat (titled)": save(lambda e: fields(e, aedat_dtype)),
        "npy dv_processing": save(lambda e: fields(e, [(dvs_name(n), t) for n, t in dvs])),
        "npy padded": save(lambda e: fields(e, padded)),
        "npy big-endian, ts": save(lambda e: fields(e, big)),
        "npy timedelta, polarity": save(lambda e: fields(e, timed)),
        "npy polarity -1/+1": save(signed),
        "npy Nx4 int64 xytp": save(columns("xytp", "<i8")),
        "npy Nx4 float64 txyp": save(columns("txyp", "<f8")),
        "npy Nx4 column-major": save(lambda e: np.asfortranarray(columns("xytp", "<i8")(e))),
        "npy seconds f8": save(seconds(1e6, "<f8")),
        "npy milliseconds f8": save(seconds(1e3, "<f8")),
        "npz spikingjelly": archive(["t", "x", "y", "p"]),
        "npz spikingjelly, packed": archive(["t", "x", "y", "p"], True),
        "npz ts/polarity": archive(["timestamps", "x", "y", "polarity"]),
        "npz events": lambda path, events: np.savez_compressed(path, events=events),
    }


def dvs_name(name):
    return {"t": "timestamp"}.get(name, name)


def camera_files():
    import dv_processing as dv
    import event_stream
    import expelliarmus
    import faery

    def faery_file(**options):
        def write(path, events):
            own = fields(events, faery.EVENTS_DTYPE)
            faery.events_stream_from_array(own, (WIDTH, HEIGHT)).to_file(path, **options)

        return write

    def expelliarmus_file(encoding):
        def write(path, events):
            own = fields(events, [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "u1")])
            expelliarmus.Wizard(encoding=encoding).save(fpath=path, arr=own)

        return write

    def dv_file(compression):
        def write(path, events):
            config = dv.io.MonoCameraWriter.Config("camera")
            config.addEventStream((WIDTH, HEIGHT))
            config.compression = getattr(dv.CompressionType, compression)
            store = dv.EventStore()
            for event in events.tolist():
                x, y, t, p = event
                store.push_back(t, x, y, bool(p))
            writer = dv.io.MonoCameraWriter(path, config)
            writer.writeEvents(store)
            del writer

        return write

    def es_file(path, events):
        with event_stream.Encoder(path, "dvs", WIDTH, HEIGHT) as encoder:
            encoder.write(fields(events, event_stream.dvs_dtype))

    def dat_2d(path, events):
        """Type 0x00, as the first cameras wrote it: no package does."""
        words = np.zeros((len(events), 2), "<u4")
        words[:, 0] = events["t"]
        x, y, p = (events[name].astype(np.uint32) for name in "xyp")
        words[:, 1] = x | y << 9 | p << 17
        with open(path, "wb") as file:
            file.write(b"% Data file containing events.\n\x00\x08" + words.tobytes())

    def evt3_vectors(path, events):
        """EVT3 as cameras write it: vectors of columns, repeated upper time words; no package does."""
        words, high, low, row = [], None, None, None
        for k, (x, y, t, p) in enumerate(events.tolist()):
            if high != t >> 12 & 0xFFF or k % 50 == 0:
                high = t >> 12 & 0xFFF
                words.append(0x8000 | high)
                low = low if k % 50 == 0 and k > 0 and low == t & 0xFFF else None
            if low != t & 0xFFF:
                low = t & 0xFFF
                words.append(0x6000 | low)
            if row != y:
                row = y
                words.append(row)
            words += [0x3000 | p << 11 | x, 0x5001] if k % 2 else [0x2000 | p << 11 | x]
        head = f"% evt 3.0\n% format EVT3;height={HEIGHT};width={WIDTH}\n% end\n".encode()
        with open(path, "wb") as file:
            file.write(head + np.array(words, "<u2").tobytes())

    files = {
        "dat expelliarmus": expelliarmus_file("dat"),
        "dat faery, version 1": faery_file(version="dat1"),
        "dat faery, version 2": faery_file(version="dat2"),
        "dat 0x00 (this script)": dat_2d,
        "evt2 expelliarmus": expelliarmus_file("evt2"),
        "evt2 faery": faery_file(version="evt2"),
        "evt3 expelliarmus": expelliarmus_file("evt3"),
        "evt3 faery": faery_file(version="evt3"),
        "evt3 vectors (this script)": evt3_vectors,
        "es event_stream": es_file,
        "es faery": faery_file(),
        "aedat4 faery, none": faery_file(compression=None),
        "aedat4 faery, lz4": faery_file(compression=("lz4", 1)),
        "aedat4 faery, zstd": faery_file(compression=("zstd", 1)),
    }
    for compression in ["NONE", "LZ4", "LZ4_HIGH", "ZSTD", "ZSTD_HIGH"]:
        files[f"aedat4 dv_processing, {compression.lower()}"] = dv_file(compression)
    return files


ENDINGS = {"npy": ".npy", "npz": ".npz", "dat": ".dat", "evt2": ".raw", "evt3": ".raw", "es": ".es", "aedat4": ".aedat4"}


# --- what the other packages read ---


def readers(kind, path):
    """Package -> reader of a file of this kind; each gives t, x, y, p."""

    def of(events, t="t", p="p"):
        return [np.asarray(events[name]).astype(np.int64) for name in (t, "x", "y", p)]

    def wizard():
        import expelliarmus

        return of(expelliarmus.Wizard(encoding=kind, fpath=path).read())

    def faery_read():
        import faery

        parts = list(faery.events_stream_from_file(path, dimensions_fallback=(WIDTH, HEIGHT)))
        return of(np.concatenate(parts))

    def aedat_read():
        import aedat

        return of(np.concatenate([p["events"] for p in aedat.Decoder(path) if "events" in p]))

    def tonic_read():
        import tonic.io

        return of(tonic.io.read_aedat4(path))

    def dv_read():
        import dv_processing as dv

        camera, parts = dv.io.MonoCameraRecording(path), []
        while (batch := camera.getNextEventBatch()) is not None:
            parts.append(batch.numpy())
        return of(np.concatenate(parts), "timestamp", "polarity")

    def es_read():
        import event_stream

        with event_stream.Decoder(path) as decoder:
            return of(np.concatenate(list(decoder)), p="on")

    def evlib_read():
        import evlib

        frame = evlib.load_events(path).collect()
        t = frame["t"].dt.total_microseconds().to_numpy()
        values = [t, frame["x"].to_numpy(), frame["y"].to_numpy(), frame["polarity"].to_numpy() > 0]
        return [np.asarray(value).astype(np.int64) for value in values]

    return {
        "dat": {"expelliarmus": wizard, "faery": faery_read},
        "evt2": {"expelliarmus": wizard, "faery": faery_read, "evlib": evlib_read},
        "evt3": {"expelliarmus": wizard, "faery": faery_read, "evlib": evlib_read},
        "es": {"event_stream": es_read, "faery": faery_read},
        "aedat4": {"aedat": aedat_read, "tonic": tonic_read, "dv_processing": dv_read, "faery": faery_read,
                   "evlib": evlib_read},
    }.get(kind, {})  # fmt: skip


def spikescope_read(program, path, folder, options=""):
    out = os.path.join(folder, "out.npy")
    command = [program, "events", f"events:{path}{options}", "--out", out, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    events = np.load(out)
    return [events[name].astype(np.int64) for name in "txyp"], json.loads(done.stdout)["notes"]


def agreement(read, events):
    """`in` and `out` events, and how many are equal: x, y, p, and the time since the first event."""
    t, x, y, p = read
    if len(t) != len(events):
        return f"{len(events)} in, {len(t)} out"
    # Recorders sort nothing, but readers may: events of one time come in any order.
    own = np.stack([events["t"] - events["t"].min(), events["x"], events["y"], events["p"]], 1).astype(np.int64)
    other = np.stack([t - t.min(), x, y, p], 1)
    own, other = (rows[np.lexsort(rows.T[::-1])] for rows in (own, other))
    equal = int((own == other).all(1).sum())
    return f"{len(t)}" if equal == len(t) else f"{len(t)} out, {equal} equal"


def compare_files(program, folder, only):
    events = recording()
    print(f"{len(events)} events in, {WIDTH}x{HEIGHT} pixels, {LAST_US / 1e6:.0f} s\n")
    print("| file of | Spikescope | others |\n|---|---|---|")
    notes = {}
    for name, write in {**numpy_files(), **camera_files()}.items():
        kind = name.split()[0]
        if only and only not in name:
            continue
        path = os.path.join(folder, name.replace(" ", "_").replace("/", "-").replace(",", "") + ENDINGS[kind])
        write(path, events)
        try:
            # faery counts the rows of .es from the bottom.
            read, said = spikescope_read(program, path, folder, ",y=up" if name == "es faery" else "")
            own = agreement(read, events)
            for note in said:
                text = note.replace(os.path.basename(path), "the file")
                notes.setdefault(re.sub(r"[0-9.]+ from", "N from", text), []).append(name)
        except RuntimeError as error:
            own = str(error)
        others = []
        for package, reader in readers(kind, path).items():
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    result = agreement(reader(), events)
            except BaseException as error:  # a panic of Rust is no Exception
                result = f"{type(error).__name__}: {str(error).splitlines()[0][:60]}"
            others.append(f"{package} {result}")
        print(f"| {name} | {own} | {'; '.join(others)} |", flush=True)
    print("\nWhat had to be said:\n")
    for note, names in notes.items():
        print(f"- {note}: {len(names)} of the files, such as {names[0]}")


def nmnist_file(path, events):
    words = np.zeros((len(events), 5), np.uint8)
    words[:, 0], words[:, 1] = events["x"] % 34, events["y"] % 34
    t = events["t"].astype(np.uint32)
    words[:, 2] = events["p"].astype(np.uint8) << 7 | (t >> 16 & 0x7F)
    words[:, 3], words[:, 4] = t >> 8 & 0xFF, t & 0xFF
    words.tofile(path)


def compare_nmnist(program, folder, sample):
    import tonic.io

    dtype = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])
    path = os.path.join(folder, "written.bin")
    nmnist_file(path, recording(5000, 300_000))
    for file in [path, *([sample] if sample else [])]:
        events = tonic.io.read_mnist_file(file, dtype)
        read, _ = spikescope_read(program, file, folder)
        print(f"| N-MNIST {os.path.basename(file)}, read by tonic | {agreement(read, events)} | |")


def compare_frames(program, folder, sample):
    """tonic's ToFrame beside the frames that Spikescope gives a network, over all its samples."""
    import tonic

    print("\n| frames of | tonic | Spikescope | cells that differ |\n|---|---|---|---|")
    cases = []
    for seed in range(3):
        events = recording(4000, 200_000 + 777 * seed, seed)
        path = os.path.join(folder, f"frames{seed}.npy")
        np.save(path, events)
        cases.append((f"recording {seed}", path, events, (WIDTH, HEIGHT)))
    if sample:
        events = tonic.io.read_mnist_file(sample, np.dtype([("x", int), ("y", int), ("t", int), ("p", int)]))
        cases.append(("N-MNIST", sample, events, (34, 34)))
    for name, path, events, (width, height) in cases:
        model = identity_network(folder, width, height)
        for tonic_options, options in [
            ({"n_time_bins": 10}, "frames=10,tonic=1"),
            ({"n_time_bins": 32}, "frames=32,tonic=1"),
            ({"time_window": 10_000}, "us=10000,tonic=1"),
            ({"time_window": 7_001}, "us=7001,tonic=1"),
            ({"n_time_bins": 10}, "frames=10"),
            ({"time_window": 10_000}, "us=10000"),
        ]:
            frames = tonic.transforms.ToFrame(sensor_size=(width, height, 2), **tonic_options)(events.copy())
            run = os.path.join(folder, "run.npz")
            command = [program, "export", run, "--model", model, "--data", f"events:{path},{options}", "--samples", "0..1",
                       "--calibrate", "0..1", "--threshold", "max", "--steps", "1"]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(f"| {name} | {tonic_options} | {options} | {done.stderr.strip()} |")
                continue
            own = np.load(run)["input"].reshape(-1, 2, height, width)
            if own.shape != frames.shape:
                differ = f"{frames.shape[0]} and {own.shape[0]} frames"
            else:
                differ = f"{int((own != frames).sum())} of {own.size}"
            differ += f", {int(frames.sum())} and {int(own.sum())} of {len(events)} events"
            print(f"| {name} | {tonic_options} | {options} | {differ} |", flush=True)


def identity_network(folder, width, height):
    """A NIR graph would do; numbers of a linear layer are simplest: flatten, then one output."""
    import struct

    path = os.path.join(folder, f"net{width}x{height}.arch.toml")
    features = 2 * width * height
    weights = np.random.default_rng(0).random((4, features)).astype("<f4") / features
    last = np.eye(4, dtype="<f4")
    header, blob = {}, b""
    for key, value in [("fc1.weight", weights), ("fc2.weight", last)]:
        header[key] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(blob), len(blob) + value.nbytes]}
        blob += value.tobytes()
    text = json.dumps(header).encode()
    file = os.path.join(folder, f"net{width}x{height}.safetensors")
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + blob)
    with open(path, "w") as out:
        out.write(
            f'input = [2, {height}, {width}]\nlayers = ["flatten", {{ op = "linear", key = "fc1" }}, "relu", '
            '{ op = "linear", key = "fc2" }]\n'
        )
    return file


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("--folder", help="where files are written; a temporary folder without it")
    arguments.add_argument("--only", help="only files with this word in their name; no frames")
    arguments.add_argument("--nmnist", help="a recording of N-MNIST")
    options = arguments.parse_args()
    packages = ["tonic", "expelliarmus", "aedat", "event_stream", "faery", "dv_processing", "evlib", "numpy"]
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages), end="\n\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or temporary
        os.makedirs(folder, exist_ok=True)
        compare_files(options.program, folder, options.only)
        if not options.only:
            compare_nmnist(options.program, folder, options.nmnist)
            compare_frames(options.program, folder, options.nmnist)


if __name__ == "__main__":
    sys.exit(main())
