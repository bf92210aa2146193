#!/bin/bash
# Runs the recipes of docs/sweeps.md for other schedulers as they are written there, and compares each table with that of a local
# sweep, byte for byte. A scheduler that is not installed is told and left out.
#
# usage: tests/sweep/schedulers.sh [SPIKESCOPE] [PYTHON]
#        PYTHON has ray==2.52.0, dask[distributed]==2025.11.0 and snakemake==9.14.0
set -uo pipefail
here=$(realpath "$(dirname "$0")/../..")
spikescope=$(realpath "${1:-$here/target/release/spikescope}")
python=$(realpath -s "${2:-$(command -v python3)}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" && ln -s "$spikescope" "$work/bin/spikescope"
export PATH=$work/bin:$(dirname "$python"):$PATH
cd "$work" || exit 1
cat > plan.toml <<P
[base]
model = "builtin:digits-mlp"
data = "builtin:digits"
samples = "256..266"
calibrate = "0..20"
[grid]
threshold = ["max", "mse"]
correction = ["none", "srp:2"]
v-init = [0.0, 0.25, 0.5]
steps = [2, 5, 8]
P
spikescope sweep plan.toml --out whole > /dev/null && spikescope sweep merge plan.toml --out whole whole.csv > /dev/null || exit 1
# The code block after the line that begins with the name $1, of docs/sweeps.md.
recipe() { awk -v name="$1" '
    index($0, name) == 1 { found = 1; next }
    found && /^```/ { if (inside) exit; inside = 1; next }
    inside { print }' "$here/docs/sweeps.md"; }
failures=0
compare() { # name, exit code
    if [ "$2" = 0 ] && spikescope sweep merge plan.toml --out results table.csv > /dev/null 2>&1 && cmp -s whole.csv table.csv; then
        echo "$1: the same table, byte for byte"
    else
        echo "$1: another table, or an error (exit $2)"
        tail -5 log
        failures=$((failures + 1))
    fi
    rm -rf results table.csv
}
python_recipe() { # name, module
    if "$python" -c "import $2" 2> /dev/null; then
        recipe "$1" > recipe.py
        timeout 250 "$python" recipe.py > log 2>&1
        compare "$1" $?
    else
        echo "$1: not installed"
    fi
}
if command -v parallel > /dev/null; then
    recipe "GNU parallel" | sed 's/ --sshloginfile nodes//' > recipe.sh
    timeout 250 bash recipe.sh > log 2>&1
    compare "GNU parallel (on this machine alone)" $?
else
    echo "GNU parallel: not installed"
fi
if "$python" -c "import snakemake" 2> /dev/null; then
    recipe Snakemake > Snakefile
    timeout 250 "$python" -m snakemake --cores 2 > log 2>&1
    compare Snakemake $?
else
    echo "Snakemake: not installed"
fi
python_recipe Dask dask.distributed
python_recipe Ray ray
# PBS: its variables set, as an array does.
recipe PBS > task.sh
code=0
for row in $(seq 0 35); do
    PBS_O_WORKDIR=$work PBS_ARRAY_INDEX=$row NCPUS=1 bash task.sh > log 2>&1 || code=$?
done
compare "PBS (its variables set by this script)" $code
exit $((failures > 0))
