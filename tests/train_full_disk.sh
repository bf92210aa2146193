#!/usr/bin/env bash
# A disk that is full while a checkpoint is written: a sentence, and the checkpoint of the epoch before stays and resumes.
#
# tests/train_full_disk.sh target/release/spikescope          needs root, for a tmpfs of 2.6 MB
set -eu
spikescope=$(realpath "${1:-target/release/spikescope}")
work=$(mktemp -d)
trap 'umount "$work/full" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/full" "$work/whole" "$work/resumed"
cd "$work"
# One checkpoint of this network has 1.75 MB; the next one does not fit beside it.
mount -t tmpfs -o size=2600k tmpfs full
options="--kind snn --arch mlp --steps 2 --epochs 2 --data builtin:digits-train"
if "$spikescope" train $options --out full/n.safetensors >log 2>&1; then
    echo "the disk was not full" && exit 1
fi
grep -q "No space left on device" log
"$spikescope" train $options --resume full/n.checkpoint --out resumed/n.safetensors >/dev/null
"$spikescope" train $options --out whole/n.safetensors >/dev/null
cmp resumed/n.safetensors whole/n.safetensors
echo "full disk: $(tail -1 log); the checkpoint before it resumes to the same bytes"
