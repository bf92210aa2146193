#!/usr/bin/env bash
# snn-mlir 1.0.0 with nir 1.0.8: a NIR LIF neuron of resistance 1 loses its memory, whatever its time constant is.
#
# Behavior: NIR defines LIF by tau dv/dt = (v_leak - v) + r i; r is the input's gain and says nothing about the leak. snn-mlir
# takes r for tau / dt, the habit of some writers, so its decay per step is 1 - 1/r and tau cancels: r = 1 gives decay 0 (a
# threshold without memory) for tau = 20 ms and for tau = 20 s alike, and r = 0.5 gives decay -1 (the membrane potential changes
# its sign in every step), in float and in integer mode. snn_mlir.check calls all these graphs supported. Only files that do
# have r = tau / dt (here 200 for 20 ms in steps of 0.1 ms) come out with their leak.
#
# One would have guessed: a larger tau leaks less; a converter without a time step asks for one; and what cannot be represented
# is refused, as the same package does for an IF neuron with r other than 1.
#
# Who meets it: whoever compiles a NIR file whose LIF neurons have r = 1, the plain way of writing a neuron without an input
# gain. The network runs, spikes, and forgets everything between two time steps.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 h5py==3.16.0 nir==1.0.8 snn-mlir==1.0.0

cat >"$work/stated" <<'TEXT'
tau 0.02 r 1.0: supported True, decay 0.000, integer decay 0
tau 20.0 r 1.0: supported True, decay 0.000, integer decay 0
tau 0.02 r 0.5: supported True, decay -1.000, integer decay -4096
tau 0.02 r 200.0: supported True, decay 0.995, integer decay 4076
TEXT

cd "$work"
"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import re

import nir
import numpy as np
import snn_mlir

for tau, r in ((0.02, 1.0), (20.0, 1.0), (0.02, 0.5), (0.02, 200.0)):
    neuron = nir.LIF(tau=np.full(2, tau), r=np.full(2, r), v_leak=np.zeros(2), v_threshold=np.ones(2))
    nodes = {
        "input": nir.Input({"input": np.array([2])}),
        "linear": nir.Linear(np.ones((2, 2), np.float32)),
        "lif": neuron,
        "output": nir.Output({"output": np.array([2])}),
    }
    nir.write("network.nir", nir.NIRGraph(nodes, [("input", "linear"), ("linear", "lif"), ("lif", "output")]))
    supported = snn_mlir.check("network.nir").ok
    decay = float(re.search(r"decay_float = (\S+)", snn_mlir.to_mlir("network.nir")).group(1))
    integer = re.search(r"decay_int = (\S+)", snn_mlir.to_mlir("network.nir", quantize=True)).group(1)
    print(f"tau {tau} r {r}: supported {supported}, decay {decay:.3f}, integer decay {integer}")
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
