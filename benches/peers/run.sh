#!/usr/bin/env bash
# Times Spikescope beside SpikingJelly and PyTorch: `benches/peers/run.sh [--quick] [--only NAME] [--threads 1,2] …`
# `run.sh way` times everything from a loaded network to answers, training and gradients.
# The first call makes a virtual environment; PEERS_VENV says where (default target/peers-venv), PEERS_PYTHON with what.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${PEERS_VENV:-$here/../../target/peers-venv}
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  "${PEERS_PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install --no-deps -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
# One setting for all: no library picks a number of threads of its own, and no slower kernels are forced on numpy.
unset OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS RAYON_NUM_THREADS
program=bench.py
if [ "${1:-}" = way ]; then
  program=way.py
  shift
fi
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$here/$program" "$@"
