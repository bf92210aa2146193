#!/usr/bin/env bash
# SpikingJelly 2.0.0: the threshold of mode="Max" is not the maximum but a mean in which the first calibration batch has most weight.
#
# Behavior: Converter with RateCodingRecipe(mode="Max") takes the largest activation of each batch, sets the threshold to that of
# the first batch, and moves it by a tenth (momentum=0.1) towards that of every later one. Three more batches that reach 10 lift a
# threshold of 1 to 3.4 only, so that two thirds of the range are clipped; the same batches in another order give 7.6 or 9.1. A
# percentile such as mode="99.9%" is averaged in the same way. No warning is given. With one batch the
# figure is what its name says.
#
# One would have guessed: "Max" is the maximum over all batches, as the documentation says ("recording the maximum value of ANN
# activation"); order and size of the batches do not matter, and more calibration data can only raise it.
#
# Who meets it: whoever calibrates with a DataLoader, as all examples do. Thresholds change with the batch size and with shuffling,
# and a first batch of small activations clips the layer for good.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
# Without dependencies: the CUDA libraries are needed only because torch's own are linked to them (2.3 GB to fetch).
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps spikingjelly==2.0.0 torch==2.15.0 \
  numpy==2.4.6 filelock==4.2.12 loguru==0.7.3 mpmath==1.3.0 sympy==1.14.0 typing_extensions==4.16.0 tqdm==4.70.1 \
  requests==2.34.2 urllib3==2.8.0 certifi==2026.10.19.post1 idna==3.20 charset_normalizer==3.5.3 \
  nvidia-cublas==13.4.1.3 nvidia-cuda-cupti==13.2.86 nvidia-cuda-nvrtc==13.2.86 nvidia-cuda-runtime==13.2.86 \
  nvidia-cudnn-cu13==9.26.0.51 nvidia-cufft==12.2.0.57 nvidia-cufile==1.17.1.22 nvidia-cusparse==12.7.10.12 \
  nvidia-cusparselt-cu13==0.8.1 nvidia-nccl-cu13==2.30.7 nvidia-nvjitlink==13.5.37 nvidia-nvshmem-cu13==3.7.2

cat >"$work/stated" <<'TEXT'
largest activation of each batch -> threshold
[1] -> 1.00
[1, 10, 10, 10] -> 3.44
[10, 1, 1, 1] -> 7.56
[10, 10, 10, 1] -> 9.10
all in one batch -> 10.00
TEXT

cd "$work"
TQDM_DISABLE=1 "$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import logging

logging.disable(logging.WARNING)
import torch
from loguru import logger
from spikingjelly.activation_based.ann2snn import Converter
from spikingjelly.activation_based.ann2snn.recipes import RateCodingRecipe
from torch import nn

logger.remove()


def threshold(batches):
    network = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Flatten())
    recipe = RateCodingRecipe([(batch, 0) for batch in batches], mode="Max")
    spiking = Converter(recipe).convert(network)
    (scaler,) = [module for name, module in spiking.named_modules() if name.endswith("scaler1")]
    return f"{scaler.scale.item():.2f}"


def sample(largest):
    return torch.tensor([[float(largest), 0.0]])


print("largest activation of each batch -> threshold")
for largest in ([1], [1, 10, 10, 10], [10, 1, 1, 1], [10, 10, 10, 1]):
    print(largest, "->", threshold([sample(value) for value in largest]))
print("all in one batch ->", threshold([torch.cat([sample(value) for value in (1, 10, 10, 10)])]))
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
