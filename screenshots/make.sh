#!/usr/bin/env bash
# Draws every picture of this folder anew, without a display: `screenshots/make.sh`
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release
shot() { target/release/spikescope shot "$@"; }
shot screenshots/explore-dark.png --size 1280x800 --theme dark
shot screenshots/explore-light.png --size 1920x1080 --theme light
# In the middle of a lesson; a canvas with a digit on it.
shot screenshots/teach-dark.png --lesson order --step 3 --theme dark
shot screenshots/teach-light.png --session screenshots/drawing.json --theme light --size 1600x900
shot screenshots/pane-draw.png --session screenshots/drawing.json --pane draw --size 640x400 --theme dark
# The same network after COS, raced against the other corrections.
for pane in race offset-spikes unevenness; do
  shot "screenshots/corrected-$pane.png" --session screenshots/corrections.json --pane "$pane" --size 760x520 --theme dark
done
for pane in t-curve ledger mismatch offset-spikes unevenness membrane raster threshold transfer delay energy initial bench \
  attribution robustness; do
  shot "screenshots/pane-$pane.png" --pane "$pane" --size 640x400 --theme dark
done
