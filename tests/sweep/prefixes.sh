#!/bin/bash
# Measures what T = 1, 2, 4, … 256 costs beside T = 256 alone, for every published method: seconds and processor seconds of both
# sweeps, each in a folder of its own, and their ratio.
#
# usage: tests/sweep/prefixes.sh [SPIKESCOPE] [MODEL] [DATA] [SAMPLES] [CALIBRATE] [SCALE]
set -euo pipefail
spikescope=$(realpath "${1:-target/release/spikescope}")
model=${2:-builtin:digits-resnet}
data=${3:-builtin:digits}
samples=${4:-256..264}
calibrate=${5:-0..32}
scale=${6:+scale = \"$6\"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/one.toml" <<P
[base]
method = "none of them"
P
# The error about an unknown method names all.
methods=$("$spikescope" sweep "$work/one.toml" --count 2>&1 | sed -n 's/.*Use any of //p' | sed 's/\.$//; s/, /", "/g; s/.*/"&"/') || true
plan() { # file, steps
    cat > "$work/$1.toml" <<P
[base]
model = "$model"
data = "$data"
samples = "$samples"
calibrate = "$calibrate"
$scale
[grid]
method = [$methods]
steps = [$2]
P
}
plan all "1, 2, 4, 8, 16, 32, 64, 128, 256"
plan last 256
python3 - "$spikescope" "$work" <<'P'
import os, subprocess, sys, time
spikescope, work = sys.argv[1:]
taken = {}
for name in ["last", "all"]:
    began = time.monotonic()
    command = [spikescope, "sweep", f"{work}/{name}.toml", "--out", f"{work}/{name}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(f"{work}/{name}.log", "w"))
    _, status, usage = os.wait4(process.pid, 0)
    rows = sum(len(files) for _, _, files in os.walk(f"{work}/{name}/rows"))
    taken[name] = (time.monotonic() - began, usage.ru_utime + usage.ru_stime)
    print(f"{name}: {rows} rows, {taken[name][0]:.1f} s, {taken[name][1]:.1f} s of processor, exit {os.waitstatus_to_exitcode(status)}")
    print("".join(line for line in open(f"{work}/{name}.log") if "did not run" in line), end="")
wall, cpu = (taken["all"][k] / taken["last"][k] for k in (0, 1))
print(f"all over last: {wall:.2f} in seconds, {cpu:.2f} in processor seconds")
P
