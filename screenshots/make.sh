#!/usr/bin/env bash
# Draws every picture of this folder anew, without a display: `screenshots/make.sh`
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release
shot() { target/release/spikescope shot "$@"; }
shot screenshots/explore-dark.png --size 1280x800 --theme dark
shot screenshots/explore-light.png --size 1920x1080 --theme light
for pane in t-curve ledger mismatch offset-spikes unevenness membrane raster threshold transfer; do
  shot "screenshots/pane-$pane.png" --pane "$pane" --size 640x400 --theme dark
done
