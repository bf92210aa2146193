#!/usr/bin/env bash
# sinabs 3.1.3: neurons of a converted network forget inhibition, so that input whose mean is zero makes them fire.
#
# Behavior: from_model gives every neuron a floor of -1 for its potential (min_v_mem=-1.0, one threshold below zero), and no
# warning. A neuron that gets -3 for five steps and then 3 for five steps, nothing in sum, fires 14 times, nearly as
# often as the 15 times of the other order. Noise of mean zero (deviation one threshold), for which the ReLU of the mean is zero,
# gives one spike every five steps. With min_v_mem=None the first neuron fires not once, and noise gives a tenth of the spikes.
#
# One would have guessed: a converted neuron integrates like those of every paper on conversion, whose spike count follows the
# sum of its input: early inhibition cancels later excitation.
#
# Who meets it: whoever converts a trained network with the defaults. Deep layers get positive and negative spikes in turn and
# fire at rates their ReLU does not have, an error that more time-steps do not shrink.
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
floor -1.0: five steps of -3, then five of 3: 14 spikes
floor -1.0: five steps of 3, then five of -3: 15 spikes
floor -1.0: noise of mean zero: 0.19 spikes a step
no floor: five steps of -3, then five of 3: 0 spikes
no floor: five steps of 3, then five of -3: 15 spikes
no floor: noise of mean zero: 0.02 spikes a step
TEXT

cd "$work"
"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import sinabs
import torch
from sinabs.from_torch import from_model
from torch import nn

network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU())
network[0].weight.data.fill_(1.0)


def spikes(spiking, currents):
    sinabs.reset_states(spiking)
    with torch.no_grad():
        return int(spiking(torch.tensor(currents).view(-1, 1)).sum())


noise = torch.randn(4000, generator=torch.Generator().manual_seed(0))
noise -= noise.mean()
for name, options in (("floor -1.0", {}), ("no floor", {"min_v_mem": None})):
    spiking = from_model(network, batch_size=1, **options).spiking_model
    print(f"{name}: five steps of -3, then five of 3: {spikes(spiking, [-3.0] * 5 + [3.0] * 5)} spikes")
    print(f"{name}: five steps of 3, then five of -3: {spikes(spiking, [3.0] * 5 + [-3.0] * 5)} spikes")
    rate = spikes(spiking, noise.tolist()) / len(noise)
    print(f"{name}: noise of mean zero: {rate:.2f} spikes a step")
PYTHON
cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
