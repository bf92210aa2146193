#!/usr/bin/env bash
# nirtorch 2.6: nir_to_torch gives every Affine node random biases; those of the file are attached to the weights, unused.
#
# Behavior: nirtorch.nir_to_torch turns an Affine node of a NIR graph into a torch.nn.Linear by its default map. The weights are
# those of the file. The bias is what torch.nn.Linear draws at its creation: the default map writes the bias of the node to
# `module.weight.bias`, an attribute that nothing reads. Two calls with the same file give two networks with different outputs,
# without a message. Conv1d and Conv2d, mapped beside it, get their bias.
#
# One would have guessed: the layer computes weight @ x + bias with the values of the file, as the mapped convolutions do; or the
# function says that biases are not supported.
#
# Who meets it: whoever opens a NIR file in PyTorch with nirtorch and maps only the neurons, as its documentation shows: fully
# connected layers behave almost as trained, and differently at every start.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
# Without dependencies: the CUDA libraries are needed only because torch's own are linked to them (2.3 GB to fetch).
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps nir==1.0.8 nirtorch==2.6 torch==2.15.0 \
  numpy==2.4.6 h5py==3.16.0 filelock==4.2.12 mpmath==1.3.0 sympy==1.14.0 typing_extensions==4.16.0 \
  nvidia-cublas==13.4.1.3 nvidia-cuda-cupti==13.2.86 nvidia-cuda-nvrtc==13.2.86 nvidia-cuda-runtime==13.2.86 \
  nvidia-cudnn-cu13==9.26.0.51 nvidia-cufft==12.2.0.57 nvidia-cufile==1.17.1.22 nvidia-cusparse==12.7.10.12 \
  nvidia-cusparselt-cu13==0.8.1 nvidia-nccl-cu13==2.30.7 nvidia-nvjitlink==13.5.37 nvidia-nvshmem-cu13==3.7.2

cat >"$work/stated" <<'TEXT'
Affine, weight [[1, 0], [0, 1]], bias [10, 20], input [1, 2]: due [11, 22]
seed 0: as the file says: False; weights as in the file: True; bias as in the file: False; weight.bias: [10, 20]
seed 1: as the file says: False; weights as in the file: True; bias as in the file: False; weight.bias: [10, 20]
both equal: False
Conv2d, 1x1 weight 1, bias 10, input 1: 11
TEXT

cd "$work"
"$work/venv/bin/python" -W ignore - >"$work/seen" <<'PYTHON'
import nir
import nirtorch
import numpy as np
import torch

weight, bias = np.eye(2, dtype=np.float32), np.array([10, 20], np.float32)
nir.write("network.nir", nir.NIRGraph.from_list(nir.Affine(weight, bias)))
print("Affine, weight [[1, 0], [0, 1]], bias [10, 20], input [1, 2]: due [11, 22]")
outputs = []
for seed in (0, 1):
    torch.manual_seed(seed)
    network = nirtorch.nir_to_torch(nir.read("network.nir"), {})
    output = network(torch.tensor([[1.0, 2.0]]))
    output = output[0] if isinstance(output, tuple) else output
    outputs.append(output.detach().reshape(-1).numpy())
    (layer,) = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
    print(
        f"seed {seed}: as the file says: {np.allclose(outputs[-1], [11, 22])};"
        f" weights as in the file: {np.array_equal(layer.weight.detach().numpy(), weight)};"
        f" bias as in the file: {np.array_equal(layer.bias.detach().numpy(), bias)};"
        f" weight.bias: {layer.weight.bias.int().tolist()}"
    )
print("both equal:", np.array_equal(*outputs))
convolution = nir.Conv2d((1, 1), np.ones((1, 1, 1, 1), np.float32), 1, 0, 1, 1, np.array([10], np.float32))
network = nirtorch.nir_to_torch(nir.NIRGraph.from_list(convolution), {})
output = network(torch.ones(1, 1, 1, 1))
output = output[0] if isinstance(output, tuple) else output
print("Conv2d, 1x1 weight 1, bias 10, input 1:", int(output.item()))
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
