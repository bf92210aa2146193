#!/bin/bash
# Measures status and merge of a sweep of 100,000 rows with made-up results: seconds and largest memory.
#
# usage: tests/sweep/scale.sh [SPIKESCOPE] [SWEEP_ROWS] [ROWS]     (the example `sweep_rows`, built with --release)
set -euo pipefail
spikescope=$(realpath "${1:-target/release/spikescope}")
sweep_rows=$(realpath "${2:-target/release/examples/sweep_rows}")
rows=${3:-100000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{
    echo '[base]'
    echo 'model = "builtin:digits-mlp"'
    echo 'data = "builtin:digits"'
    echo '[grid]'
    echo 'threshold = ["max", "mse", "percentile:99", "percentile:99.9"]'
    echo "v-init = [$(seq -s, 0 0.04 0.99)]"
    echo "calibrate = [$(seq -s, 1 $((rows / 1000)) | sed 's/[0-9]*/"0..&"/g')]"
    echo 'steps = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]'
} > plan.toml
measured() { # name, command
    local name=$1
    shift
    python3 - "$name" "$@" <<'P'
import os, subprocess, sys, time
name, command = sys.argv[1], sys.argv[2:]
began = time.monotonic()
process = subprocess.Popen(command, stdout=open("out.log", "w"))
_, status, usage = os.wait4(process.pid, 0)
seconds = time.monotonic() - began
print(f"{name:<22} | {seconds:7.2f} s | {usage.ru_maxrss / 1024:6.0f} MiB | {usage.ru_utime + usage.ru_stime:7.2f} s of processor")
sys.exit(os.waitstatus_to_exitcode(status))
P
}
echo "rows: $("$spikescope" sweep plan.toml --count)"
measured "write (not synced)" "$sweep_rows" plan.toml out
measured "status" "$spikescope" sweep status plan.toml --out out
cat out.log | head -3
measured "merge to Parquet" "$spikescope" sweep merge plan.toml --out out table.parquet
cat out.log
measured "merge to CSV" "$spikescope" sweep merge plan.toml --out out table.csv
measured "nothing to do" "$spikescope" sweep plan.toml --out out
du -sh --apparent-size out table.parquet table.csv
