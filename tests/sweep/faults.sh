#!/bin/bash
# Faults of a sweep, one after the other: kills, a full disk, a read-only folder, two processes, a clock that jumps, a file half
# copied, a folder on which rename fails. After each the sweep is run again, and its table is that of an undisturbed sweep, byte for
# byte. Prints one line a fault.
#
# usage: tests/sweep/faults.sh [SPIKESCOPE] [KILLS]       (KILLS: 100 by default; a seed in SEED)
#
# A full disk, a read-only mount and a failing rename need root (tmpfs); without it these lines say "not run".
set -uo pipefail
spikescope=$(realpath "${1:-target/release/spikescope}")
kills=${2:-100}
RANDOM=${SEED:-1}
work=$(mktemp -d)
mounts=()
cleanup() {
    for mount in "${mounts[@]}"; do umount "$mount" 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT
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
steps = [2, 5, 3, 8]
P
rows=$("$spikescope" sweep plan.toml --count)
export RAYON_NUM_THREADS=1
sweep() { "$spikescope" sweep plan.toml --out "$1" "${@:2}"; }
json() { "$spikescope" sweep status plan.toml --out "$1" --json | python3 -c "import json,sys; s=json.load(sys.stdin); print($2)"; }
began=$(date +%s%N)
sweep whole >/dev/null 2>&1
whole=$((($(date +%s%N) - began) / 1000000))
"$spikescope" sweep merge plan.toml --out whole whole.csv >/dev/null
failures=0
printf '%-34s | %-6s | %s\n' fault result "what the program says"
line() { # fault, result, words
    printf '%-34s | %-6s | %s\n' "$1" "$2" "${3//$work\//}"
    [ "$2" = lost ] && failures=$((failures + 1))
    return 0
}
# Whether the folder $1, finished by another sweep, gives the table of the undisturbed one, with every row once.
same() {
    sweep "$1" >/dev/null 2>&1
    "$spikescope" sweep merge plan.toml --out "$1" "$work/table.csv" >/dev/null 2>&1 && cmp -s whole.csv table.csv &&
        [ "$(find "$1/rows" -name '*.json' | wc -l)" = "$rows" ] && echo ok || echo lost
}
sentence() { grep -m1 -E "Cannot|did not run|error" "$1" || tail -1 "$1"; }

# Kills at random moments of a sweep that goes on each time; a finished one begins anew.
torn=0 complete=0 hit=0
for ((kill = 0; kill < kills; kill++)); do
    # The program itself, not a shell around it.
    "$spikescope" sweep plan.toml --out killed >/dev/null 2>&1 &
    sleep "$(awk -v r=$RANDOM -v whole="$whole" 'BEGIN { printf "%.3f", r / 32768 * whole / 2000 }')"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
    [ $? = 137 ] && hit=$((hit + 1))
    torn=$((torn + $(json killed 'len(s["damaged"])')))
    if [ "$(json killed 's["done"]')" = "$rows" ]; then
        [ "$(same killed)" = ok ] && complete=$((complete + 1)) || complete=$((complete - 1000))
        rm -rf killed
    fi
done
result=$(same killed)
[ $torn = 0 ] && [ $complete -ge 0 ] && [ $hit -gt 0 ] || result=lost
line "kill -9 at $kills random moments" "$result" "$hit hit a running sweep; $torn torn rows; $((complete > 0 ? complete : 0)) sweeps came to their end between kills"

# Two processes on one plan and one folder.
sweep both > both1.log 2>&1 & one=$!
sweep both > both2.log 2>&1 & two=$!
wait $one; first=$?
wait $two; second=$?
result=$(same both)
[ $first = 0 ] && [ $second = 0 ] || result=lost
line "two processes, one folder" "$result" "$(tail -1 both1.log)"

# A file half copied, one renamed, one of a later version, one that is not a row.
cp -r whole copied
mapfile -t files < <(find copied/rows -name '*.json' | sort)
head -c 300 "${files[0]}" > half && cp half "${files[0]}"
cp "${files[2]}" "${files[1]}"
sed -i 's/"format": 1/"format": 99/' "${files[3]}"
echo x > copied/rows/notes.txt
"$spikescope" sweep status plan.toml --out copied > copied.log
line "file half copied" "$(same copied)" "$(grep -m1 damaged copied.log)"
line "file of a later version" "$([ "$(grep -c 'later version' copied.log)" = 1 ] && echo ok || echo lost)" "$(grep -m1 'later version' copied.log)"
line "file renamed" "$([ "$(grep -c renamed copied.log)" = 1 ] && echo ok || echo lost)" "$(grep -m1 renamed copied.log)"

# A clock that jumps: the time of day that the program sees leaps by years, forward and back, at every fifth look, while it runs and
# between runs; files are of the future and of 1970.
cat > jump.c <<'P'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long leap(void) {
    static unsigned looks;
    static const long years[] = {0, 30, -20, 60, -25};
    const char *jump = getenv("JUMP");
    return years[__atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED) / 5 % 5] * 31556952L + (jump ? atol(jump) : 0);
}
int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, at);
    if (clock == CLOCK_REALTIME) at->tv_sec += leap();
    return code;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
P
how="files of 2099 and 1970; the program's clock as it is: needs cc"
jumping() { env "$@"; }
if cc -shared -fPIC -O1 -o jump.so jump.c -ldl 2> cc.log; then
    jumping() { env LD_PRELOAD="$work/jump.so" "$@"; }
    seen=$(for jump in 0 1000000000; do JUMP=$jump jumping date +%Y; done | sort -u | wc -l)
    how="files of 2099 and 1970, the program's clock as it is"
    [ "$seen" = 2 ] && how="files of 2099 and 1970; leaps of 20 to 60 years while rows run"
fi
sweep clock --task 0 >/dev/null 2>&1
find clock -exec touch -d '2099-01-01' {} +
JUMP=-900000000 jumping "$spikescope" sweep plan.toml --out clock --task 7 >/dev/null 2>&1
find clock -exec touch -d '1970-01-02' {} +
JUMP=900000000 jumping "$spikescope" sweep plan.toml --out clock --task 9 >/dev/null 2>&1
before=$(json clock 's["done"]')
JUMP=0 jumping "$spikescope" sweep plan.toml --out clock > clock.log 2>&1
code=$?
result=$(same clock)
[ $code = 0 ] && [ "$before" = 3 ] || result=lost
line "clock that jumps" "$result" "exit $code, $before rows known before; $how"

# The rest needs a file system of its own.
mounted() { mkdir -p "$1" && mount -t tmpfs -o "$2" tmpfs "$work/$1" 2>/dev/null && mounts+=("$work/$1"); }
if mounted full size=64k; then
    sweep full/out > full.log 2>&1
    code=$?
    inside=$(find full/out/rows -name '*.json' 2>/dev/null | wc -l)
    damaged=$(json full/out 'len(s["damaged"])')
    mount -o remount,size=16m "$work/full"
    result=$(same full/out)
    [ $code != 0 ] && [ "$damaged" = 0 ] || result=lost
    line "full disk (tmpfs of 64 KiB)" "$result" "exit $code, $inside rows kept: $(sentence full.log)"
else
    line "full disk" "not run" "needs root"
fi
if mounted readonly size=16m; then
    sweep readonly/out --task 0 >/dev/null 2>&1
    mount -o remount,ro "$work/readonly"
    sweep readonly/out > readonly.log 2>&1
    code=$?
    known=$(json readonly/out 's["done"]')
    mount -o remount,rw "$work/readonly"
    result=$(same readonly/out)
    [ $code != 0 ] && [ "$known" = 1 ] || result=lost
    line "read-only folder" "$result" "exit $code, status still reads it: $(sentence readonly.log)"
else
    line "read-only folder" "not run" "needs root"
fi
# rename fails where the place of a row is taken by a folder with something in it.
sweep rename --task 3 >/dev/null 2>&1
file=$(find rename/rows -name '*.json')
rm "$file" && mkdir "$file" && touch "$file/x"
sweep rename > rename.log 2>&1
code=$?
temporary=$(find rename -name '.*' -type f | wc -l)
rm -r "$file"
result=$(same rename)
[ $code != 0 ] && [ "$temporary" = 0 ] || result=lost
line "rename fails" "$result" "exit $code, $temporary files left beside: $(sentence rename.log)"

echo "$failures of the faults lost or doubled a row; an undisturbed sweep of $rows rows took $whole ms"
[ $failures = 0 ]
