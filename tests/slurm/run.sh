#!/bin/bash
# Runs a plan of 1,200 short rows on a real Slurm, kills tasks and a node daemon on the way, and compares the merged table with
# that of a local sweep, byte for byte. Not part of `cargo test`: it needs Slurm.
#
# usage: tests/slurm/run.sh START_SCRIPT STOP_SCRIPT [SPIKESCOPE]
#
# START_SCRIPT DIR starts a Slurm whose files are in DIR (with DIR/slurm.conf), STOP_SCRIPT DIR ends it.
set -euo pipefail
start=$1 stop=$2
spikescope=$(realpath "${3:-target/release/spikescope}")
work=$(mktemp -d)
trap 'bash "$stop" "$work/slurm" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
bash "$start" "$work/slurm"
export SLURM_CONF=$work/slurm/slurm.conf
cd "$work"

{
    echo '[base]'
    echo 'model = "builtin:digits-mlp"'
    echo 'data = "builtin:digits"'
    echo 'samples = "256..266"'
    echo 'calibrate = "0..20"'
    echo '[grid]'
    echo 'threshold = ["max", "mse", "percentile:99.9"]'
    echo "v-init = [$(seq -s, 0 0.0125 0.49)]"
    echo 'steps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]'
} > plan.toml
rows=$("$spikescope" sweep plan.toml --count)
echo "rows: $rows"

time "$spikescope" sweep plan.toml --out local
"$spikescope" sweep merge plan.toml --out local local.csv

"$spikescope" sweep plan.toml --slurm jobs --out cluster --concurrent 4
ls jobs
bash jobs/submit.sh
began=$(date +%s)

# Kills: tasks by Slurm and by signal 9, requeues, a node daemon that goes and comes back. Processes are found by this folder.
tasks() { pgrep -f "sweep $work/jobs/plan.toml .*--task" || true; }
for round in 1 2 3 4 5; do
    sleep 8
    running=$(squeue -h -t RUNNING -r -o %i | head -3)
    set -- $running
    [ $# -ge 1 ] && scontrol requeue "$1" || true
    [ $# -ge 2 ] && scancel --signal=KILL --full "$2" || true
    tasks | tail -1 | xargs -r kill -9 2>/dev/null || true
done
kill -9 "$(cat slurm/slurmd-n2.pid)"
sleep 15
slurmd -N n2 -f "$SLURM_CONF"
scontrol update nodename=n2 state=resume 2>/dev/null || true

while [ -n "$(squeue -h -r)" ]; do
    # Requeued tasks wait for two minutes; they may begin now.
    squeue -h -r -t PENDING -o '%i %r' | awk '$2 == "BeginTime" {print $1}' | while read -r job; do
        scontrol update jobid="$job" starttime=now 2>/dev/null || true
    done
    sleep 5
    [ $(($(date +%s) - began)) -lt 3000 ] || { echo 'too slow'; squeue; exit 1; }
done
"$spikescope" sweep status plan.toml --out cluster

# What was killed without a requeue is submitted once more: finished rows end at once.
missing=$("$spikescope" sweep status plan.toml --out cluster --json | python3 -c 'import json,sys; print(*json.load(sys.stdin)["missing"])')
for row in $missing; do
    sbatch --wait --output=again.out --wrap "exec $spikescope sweep $work/plan.toml --out $work/cluster --task $row --threads 1" >/dev/null
done
"$spikescope" sweep status plan.toml --out cluster --json
"$spikescope" sweep merge plan.toml --out cluster cluster.csv
cmp local.csv cluster.csv
echo "equal, byte for byte: $(wc -l < cluster.csv) lines; $(($(date +%s) - began)) s on the cluster"
