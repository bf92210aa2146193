#!/usr/bin/env bash
# SpikingJelly 2.0.0, torch 2.15.0: PoissonEncoder lets black pixels fire; in bfloat16 once in 512 steps.
#
# Behavior: the encoder fires where a uniform random number is at most the pixel ("probability x" by its documentation), and the
# random number is drawn in the type of the image, where 0 is one of a few values: 1 in 2^24 for float32, about 1 in 4,000 for
# float16 and 1 in 512 for bfloat16. Of 7.84 million draws for pixels that are 0, none fires in float32, 1,943 in float16 and
# 15,375 in bfloat16; pixels of 1/255 fire 1.5 times as often as they should in bfloat16. torch.bernoulli on the same tensors
# never fires at 0 and keeps the rate in all three types.
#
# One would have guessed: probability 0 means no spike, whatever the precision, and half precision costs digits of the rate.
#
# Who meets it: whoever encodes pictures as spikes in half precision, to save memory over many time steps. A black background
# becomes noise, of which a picture of 224x224x3 in bfloat16 has 294 spikes a step, and counts of operations include it.
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
float32: spikes at 0: 0 of the encoder, 0 of bernoulli; rate at 1/255: 1.0 and 1.0 of what is due
float16: spikes at 0: 1943 of the encoder, 0 of bernoulli; rate at 1/255: 1.1 and 1.0 of what is due
bfloat16: spikes at 0: 15375 of the encoder, 0 of bernoulli; rate at 1/255: 1.5 and 1.0 of what is due
TEXT

"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import torch
from spikingjelly.activation_based.encoding import PoissonEncoder

torch.set_num_threads(1)
encoder, shape, steps = PoissonEncoder(), (100, 28, 28), 100
draws = steps * 100 * 28 * 28


def spikes(draw, images):
    return sum(int(draw(images).sum(dtype=torch.float64)) for _ in range(steps))


for dtype in (torch.float32, torch.float16, torch.bfloat16):
    torch.manual_seed(0)
    black, dim = torch.zeros(shape, dtype=dtype), torch.full(shape, 1 / 255, dtype=dtype)
    at_zero = [spikes(draw, black) for draw in (encoder, torch.bernoulli)]
    due = float(dim[0, 0, 0]) * draws
    rates = [spikes(draw, dim) / due for draw in (encoder, torch.bernoulli)]
    print(
        f"{str(dtype)[6:]}: spikes at 0: {at_zero[0]} of the encoder, {at_zero[1]} of bernoulli; "
        f"rate at 1/255: {rates[0]:.1f} and {rates[1]:.1f} of what is due"
    )
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
