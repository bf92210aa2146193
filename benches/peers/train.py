"""One epoch of the bundled residual network in PyTorch, as `spikescope train --arch resnet --activation qcfs:8` trains it.

Same shapes and amount of work: 18,000 training samples and 2,000 held out of 1x28x28 (random numbers: only speed is
looked at), batches of 64, Adam with a cosine schedule, learned thresholds held above zero, accuracy on the held-out
samples at the end. Prints one JSON object: `wall`, `cpu`, `peak_mib`.

`python train.py THREADS`
"""

import json
import logging
import math
import sys
import time

logging.getLogger("torch._library.triton").setLevel(logging.ERROR)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

TRAINING, HELD_OUT, BATCH, LEVELS, RATE = 18_000, 2_000, 64, 8, 2e-3


class Floor(torch.autograd.Function):
    """Floor with the gradient of its argument."""

    @staticmethod
    def forward(ctx, x):
        return x.floor()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Qcfs(nn.Module):
    """Quantized clip activation with a learned threshold."""

    def __init__(self):
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor([8.0]))

    def forward(self, z):
        levels = Floor.apply(z / self.threshold * LEVELS + 0.5) / LEVELS
        return levels.clamp(0, 1) * self.threshold


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, a 1x1 convolution where the shape changes."""

    def __init__(self, width, channels, stride):
        super().__init__()
        self.conv1, self.bn1, self.act1 = nn.Conv2d(width, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), Qcfs()
        self.conv2, self.bn2, self.act2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels), Qcfs()
        same = stride == 1 and width == channels
        self.shortcut = nn.Identity() if same else nn.Sequential(nn.Conv2d(width, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        return self.act2(y + self.shortcut(x))


def network():
    """As in `engine/src/network/zoo/architectures.rs`."""
    stem = [nn.Conv2d(1, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), Qcfs()]
    blocks = [Block(16, 16, 1), Block(16, 32, 2), Block(32, 32, 1)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def epoch(net, images, labels):
    """One pass over the training samples and the accuracy on the held-out ones."""
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    thresholds = [module.threshold for module in net.modules() if isinstance(module, Qcfs)]
    batches = math.ceil(TRAINING / BATCH)
    for index, chosen in enumerate(torch.randperm(TRAINING).split(BATCH)):
        for group in optimizer.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * index / batches))
        logits = net(images[chosen])
        loss = F.cross_entropy(logits, labels[chosen])
        if not math.isfinite(loss.item()):
            raise SystemExit("the loss is not a number")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for threshold in thresholds:
                threshold.clamp_(min=1e-3)
    net.eval()
    with torch.inference_mode():
        parts = [net(chunk).argmax(1) for chunk in images[TRAINING:].split(256)]
        return (torch.cat(parts) == labels[TRAINING:]).float().mean().item()


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(1)
    images = torch.rand(TRAINING + HELD_OUT, 1, 28, 28)
    labels = torch.randint(10, (TRAINING + HELD_OUT,))
    # Everything that is made once is made before the clock starts.
    warm = network()
    F.cross_entropy(warm(images[:BATCH]), labels[:BATCH]).backward()
    net = network()
    cpu, wall = time.process_time(), time.perf_counter()
    epoch(net, images, labels)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    with open("/proc/self/status") as lines:
        peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "peak_mib": peak}))


if __name__ == "__main__":
    main()
