"""One epoch of a spiking network in SpikingJelly's multi-step mode beside `spikescope train --kind snn`, in turn.

The bundled size: 784-128-64-10, T = 8, integrate-and-fire neurons with a hard reset that is not detached, 18,000 training samples
and 2,000 held out, batches of 64, Adam, accuracy on the held-out samples at the end. The peer computes the first layer once,
since its input is the same at every step. Prints both times and the part of the peer's time that Spikescope takes. Packages: torch and spikingjelly 2.0.

`python benches/peers/train_snn.py --spikescope target/release/spikescope --threads 1 [--pairs 1]`
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--spikescope", default="target/release/spikescope")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--pairs", type=int, default=1)
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = str(args.threads)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from spikingjelly.activation_based import functional, layer, neuron, surrogate  # noqa: E402
from torch import nn  # noqa: E402

TRAINING, HELD_OUT, BATCH, STEPS, RATE = 18_000, 2_000, 64, 8, 2e-3
# Epochs whose mean is the command's time: a single one is short beside the start and the drawing of the digits.
MEASURED = 5


def spikes():
    return neuron.IFNode(
        v_threshold=1.0, v_reset=0.0, surrogate_function=surrogate.PiecewiseQuadratic(alpha=1.0), step_mode="m"
    )


class Network(nn.Module):
    """Three linear layers with neurons between them; the answer is the mean over time."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(784, 128)
        self.rest = nn.Sequential(
            spikes(), layer.Linear(128, 64, step_mode="m"), spikes(), layer.Linear(64, 10, step_mode="m")
        )

    def forward(self, x):
        current = self.first(x)
        return self.rest(current.unsqueeze(0).expand(STEPS, *current.shape)).mean(0)


def peer():
    """Seconds of one epoch and the score of the samples held out."""
    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    x, y = torch.rand(TRAINING + HELD_OUT, 784), torch.randint(0, 10, (TRAINING + HELD_OUT,))
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    batches = -(-TRAINING // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, batches)
    begun = time.perf_counter()
    for chosen in torch.randperm(TRAINING).split(BATCH):
        optimizer.zero_grad()
        F.cross_entropy(network(x[chosen]), y[chosen]).backward()
        optimizer.step()
        schedule.step()
        functional.reset_net(network)
    with torch.no_grad():
        for rows in torch.arange(TRAINING, TRAINING + HELD_OUT).split(256):
            (network(x[rows]).argmax(1) == y[rows]).sum()
            functional.reset_net(network)
    return time.perf_counter() - begun


def ours(folder, epochs):
    """Seconds of the command with so many epochs."""
    command = [args.spikescope, "train", "--kind", "snn", "--arch", "mlp", "--steps", str(STEPS), "--epochs", str(epochs)]
    command += ["--data", "builtin:digits-train", "--out", str(Path(folder) / "network.safetensors")]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


with tempfile.TemporaryDirectory() as folder:
    peers, own = [], []
    for _ in range(args.pairs):
        peers.append(peer())
        # Start and drawing of the digits are in both calls.
        own.append((ours(folder, 1 + MEASURED) - ours(folder, 1)) / MEASURED)
ratio = statistics.median(a / b for a, b in zip(own, peers))
mine, theirs = statistics.median(own), statistics.median(peers)
print(
    f"threads {args.threads}: Spikescope {mine:.2f} s, SpikingJelly {theirs:.2f} s: Spikescope takes {ratio:.2f} of its time"
)
