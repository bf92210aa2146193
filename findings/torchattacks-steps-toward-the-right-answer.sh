#!/usr/bin/env bash
# torchattacks 3.5.1: of certain answers in float32, FGSM and PGD can step toward the right answer.
#
# Behavior: the attacks follow the sign of the gradient of PyTorch's cross entropy. With respect to the label's logit it is p - 1,
# computed from p in float32. Once the lead of the label is above some 17 (p > 1 - 2^-25), p is 1 and that term is exactly 0, while
# the terms of the other classes, p_j, are far from underflow. What is left of the gradient says "raise the other logits"; that the
# label's logit falls faster counts no more. Where all logits grow with a pixel, the step raises it, and the right answer becomes
# more certain at every step. The same network and images in float64 are fooled by one step of the same size.
#
# One would have guessed: the sign of a gradient does not depend on its size, so these attacks find the same direction in float32
# until the whole gradient underflows (a lead of about 100); or they do nothing, which a count of unchanged pixels would show.
#
# Who meets it: whoever measures robust accuracy of a well-trained classifier. On the first 200 test images of CIFAR-10, a ResNet-20
# had 21.5 % accuracy under FGSM with 4/255 in float32, and 13.0 % with the gradient computed in float64.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
# Without dependencies: the CUDA libraries are needed only because torch's own are linked to them (2.3 GB to fetch).
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps torchattacks==3.5.1 torchvision==0.29.2 \
  torch==2.15.0 numpy==2.4.6 scipy==1.17.0 requests==2.32.5 urllib3==2.6.2 idna==3.11 certifi==2025.11.12 charset-normalizer==3.4.4 \
  tqdm==4.67.1 pillow==12.1.0 filelock==4.2.12 mpmath==1.3.0 sympy==1.14.0 typing_extensions==4.16.0 networkx==3.6.1 jinja2==3.1.6 \
  markupsafe==3.0.3 fsspec==2025.12.0 \
  nvidia-cublas==13.4.1.3 nvidia-cuda-cupti==13.2.86 nvidia-cuda-nvrtc==13.2.86 nvidia-cuda-runtime==13.2.86 \
  nvidia-cudnn-cu13==9.26.0.51 nvidia-cufft==12.2.0.57 nvidia-cufile==1.17.1.22 nvidia-cusparse==12.7.10.12 \
  nvidia-cusparselt-cu13==0.8.1 nvidia-nccl-cu13==2.30.7 nvidia-nvjitlink==13.5.37 nvidia-nvshmem-cu13==3.7.2

cat >"$work/stated" <<'TEXT'
logits of the label and of the other class: 750 and 730
FGSM, float32: pixels change by +0.0314; the label leads by 45.1
FGSM, float64: pixels change by -0.0314; the label leads by -5.1
PGD, float32: pixels change by +0.0314; the label leads by 45.1
PGD, float64: pixels change by -0.0314; the label leads by -5.1
TEXT

cd "$work"
"$work/venv/bin/python" -W ignore - >"$work/seen" <<'PYTHON'
import torch
import torchattacks

# Twenty pixels of 0.75. Both logits grow with every pixel, that of the label (class 0) faster: 50 and 10 for each.
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(20, 2))
with torch.no_grad():
    network[1].weight.copy_(torch.tensor([[50.0], [10.0]]).expand(2, 20))
    network[1].bias.copy_(torch.tensor([0.0, 580.0]))
image, label = torch.full((1, 1, 4, 5), 0.75), torch.tensor([0])
print("logits of the label and of the other class: {:.0f} and {:.0f}".format(*network(image)[0].tolist()))
attacks = {
    "FGSM": lambda network: torchattacks.FGSM(network, eps=8 / 255),
    "PGD": lambda network: torchattacks.PGD(network, eps=8 / 255, alpha=2 / 255, steps=20, random_start=False),
}
for name, attack in attacks.items():
    for wide in (torch.float32, torch.float64):
        network.to(wide).eval()
        attacked = attack(network)(image.to(wide), label)
        change = (attacked - image.to(wide)).flatten()
        lead = torch.diff(network(attacked)[0].flip(0)).item()
        print(f"{name}, {str(wide)[6:]}: pixels change by {change[0].item():+.4f}; the label leads by {lead:.1f}")
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
