#!/usr/bin/env bash
# sinabs 3.1.3: the spiking model of a converted network may not spike at all: every activation but nn.ReLU stays as it is.
#
# Behavior: from_model replaces nn.ReLU by neurons and leaves nn.ReLU6, nn.Hardtanh, nn.LeakyReLU and nn.Threshold(0, 0), the same
# function as ReLU, where they are. The result is called spiking_model, takes time-steps, and computes floating-point activations
# that a report of accuracy cannot tell from spikes: it agrees with the network to the last digit. No error, no warning.
#
# One would have guessed: from_model refuses or warns about an activation that it has no neuron for.
#
# Who meets it: whoever converts MobileNet or another network with ReLU6, and is glad that conversion cost no accuracy.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
# Without dependencies: the CUDA libraries are needed only because torch's own are linked to them (2.3 GB to fetch).
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps sinabs==3.1.3 torch==2.15.0 \
  nir==1.0.8 nirtorch==2.6 h5py==3.16.0 pbr==7.1.3 setuptools==65.5.0 matplotlib==3.11.2 contourpy==1.3.3 cycler==0.12.1 \
  fonttools==4.68.0 kiwisolver==1.5.1 packaging==26.4 pillow==13.0.0 pyparsing==3.3.3 python-dateutil==4.0.0 \
  numpy==2.4.6 filelock==4.2.12 mpmath==1.3.0 sympy==1.14.0 typing_extensions==4.16.0 \
  nvidia-cublas==13.4.1.3 nvidia-cuda-cupti==13.2.86 nvidia-cuda-nvrtc==13.2.86 nvidia-cuda-runtime==13.2.86 \
  nvidia-cudnn-cu13==9.26.0.51 nvidia-cufft==12.2.0.57 nvidia-cufile==1.17.1.22 nvidia-cusparse==12.7.10.12 \
  nvidia-cusparselt-cu13==0.8.1 nvidia-nccl-cu13==2.30.7 nvidia-nvjitlink==13.5.37 nvidia-nvshmem-cu13==3.7.2

cat >"$work/stated" <<'TEXT'
ReLU: IAFSqueeze, 0 warnings, whole numbers: True
ReLU6: ReLU6, 0 warnings, whole numbers: False
Hardtanh: Hardtanh, 0 warnings, whole numbers: False
LeakyReLU: LeakyReLU, 0 warnings, whole numbers: False
Threshold: Threshold, 0 warnings, whole numbers: False
TEXT

cd "$work"
"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import warnings

import torch
from sinabs.from_torch import from_model
from torch import nn

for activation in (nn.ReLU(), nn.ReLU6(), nn.Hardtanh(0.0, 6.0), nn.LeakyReLU(), nn.Threshold(0.0, 0.0)):
    network = nn.Sequential(nn.Linear(1, 1, bias=False), activation)
    network[0].weight.data.fill_(0.3)
    with warnings.catch_warnings(record=True) as seen, torch.no_grad():
        warnings.simplefilter("always")
        spiking = from_model(network, batch_size=1).spiking_model
        out = spiking(torch.ones(10, 1))
    kind = type(spiking[1]).__name__
    whole = bool((out == out.round()).all())
    print(f"{type(activation).__name__}: {kind}, {len(seen)} warnings, whole numbers: {whole}")
PYTHON
cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
