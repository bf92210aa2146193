#!/bin/bash
# Measures what T = 1, 2, 4, … 256 costs beside T = 256 alone, for 19 methods: the published ones of a race, balanced thresholds with
# delayed readout, and early exit. Each method is swept in a process and folder of its own; processor seconds are compared.
#
# usage: tests/sweep/prefixes.sh [SPIKESCOPE] [MODEL] [DATA] [SAMPLES] [CALIBRATE] [SCALE] [CALIBRATE_DATA]
#
# STEPS=every takes all of T = 1 … 256. FOLDER=DIR keeps results, and goes on with what is there; LIMIT=SECONDS begins no further
# method after so long. METHODS=N takes the first N.
set -euo pipefail
spikescope=$(realpath "${1:-target/release/spikescope}")
base="model = \"${2:-builtin:digits-resnet}\"
data = \"${3:-builtin:digits}\"
samples = \"${4:-256..356}\"
calibrate = \"${5:-0..256}\"
presteps = 16
${6:+scale = \"$6\"}
${7:+calibrate-data = \"$7\"}"
work=${FOLDER:-$(mktemp -d)}
[ -n "${FOLDER:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
printf '[base]\nmethod = "none of them"\n' > "$work/none.toml"
# The error about an unknown method names all.
known=$("$spikescope" sweep "$work/none.toml" --count 2>&1 | sed -n 's/.*Use any of //p' | sed 's/\.$//') || true
python3 - "$spikescope" "$work" "$base" "$known" "${STEPS:-powers}" "${LIMIT:-1000000}" "${METHODS:-1000}" <<'P'
import json, os, subprocess, sys, time
spikescope, work, base, known, kind, limit, count = sys.argv[1:]
methods = [(name, "sum") for name in known.split(", ")] + [("balanced", "delay:auto"), ("plain", "exit:0.9")]
several = list(range(1, 257)) if kind == "every" else [2**k for k in range(9)]
record_path = f"{work}/taken.json"
taken = json.load(open(record_path)) if os.path.exists(record_path) else {}
began = time.monotonic()


def measure(name, readout, steps, part):
    """Rows and processor seconds of a sweep."""
    key = f"{name}, {readout}, {part}"
    if key in taken:
        return taken[key]
    if time.monotonic() - began > float(limit):
        print("stopped at the limit; run it once more")
        sys.exit(3)
    place = f"{work}/{len(taken)}"
    plan = f'[base]\n{base}\nmethod = "{name}"\nreadout = "{readout}"\n[grid]\nsteps = {steps}\n'
    open(f"{place}.toml", "w").write(plan)
    command = [spikescope, "sweep", f"{place}.toml", "--out", place]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(f"{place}.log", "w"))
    _, status, usage = os.wait4(process.pid, 0)
    rows = sum(len(files) for _, _, files in os.walk(f"{place}/rows"))
    assert status == 0 and rows == len(steps), open(f"{place}.log").read()
    taken[key] = [rows, usage.ru_utime + usage.ru_stime]
    json.dump(taken, open(record_path, "w"))
    return taken[key]


print(f"{'method':28} {'rows':>5} {'T = 256':>8} {'all':>8}  ratio   (processor seconds)")
total = [0, 0.0, 0.0]
for name, readout in methods[: int(count)]:
    _, last = measure(name, readout, [256], "last")
    rows, whole = measure(name, readout, several, kind)
    label = name if readout == "sum" else f"{name}, {readout}"
    print(f"{label:28} {rows:5} {last:8.1f} {whole:8.1f}  {whole / last:.2f}", flush=True)
    total = [a + b for a, b in zip(total, [rows, last, whole])]
print(f"{'together':28} {total[0]:5} {total[1]:8.1f} {total[2]:8.1f}  {total[2] / total[1]:.2f}")
P
