"""Attribution beside captum: seconds of every method on the bundled network with trojans, 100 images, in one run.

    python attribution.py [--methods saliency,kernel-shap] [--images 100] [--pairs 3] [--threads 2] [--out attribution.json]

Needs torch, numpy, captum 0.9.0 (`pip install --no-deps captum==0.9.0`; it imports matplotlib, tqdm, and scikit-learn for LIME),
and `cargo build --release`. Both sides explain the same images by the same weights, numbers and patches, in turn. What `--out`
has already is not measured again. captum asks as many changed images at once as makes it fastest (1, 8 or 32 a picture).
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from captum import attr
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PATCH, LAYER = 4, "layer2.1.conv2"
GRADIENT = ["saliency", "input-x-gradient", "integrated-gradients", "deeplift", "deeplift-shap", "gradient-shap",
            "guided-backprop", "deconvolution", "guided-grad-cam", "lrp"]
PERTURBATION = ["feature-ablation", "feature-permutation", "occlusion", "shapley-sampling", "kernel-shap", "lime"]


class Sum(nn.Module):
    def forward(self, a, b):
        return a + b


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Network(nn.Module):
    """The nodes of a safetensors file of Spikescope as torch modules."""

    def __init__(self, path):
        super().__init__()
        raw = Path(path).read_bytes()
        size = struct.unpack("<Q", raw[:8])[0]
        head = json.loads(raw[8:8 + size])
        kinds = {"F32": np.float32, "F16": np.float16}

        def tensor(name):
            entry = head[name]
            a, b = entry["data_offsets"]
            values = np.frombuffer(raw[8 + size + a:8 + size + b], kinds[entry["dtype"]])
            return torch.from_numpy(values.astype(np.float32).reshape(entry["shape"]))

        nodes = json.loads(head["__metadata__"]["spikescope.graph"])["nodes"]
        self.inputs, self.names = [node["inputs"] for node in nodes], [node["name"] for node in nodes]
        self.layers = nn.ModuleList(self.module(node, tensor) for node in nodes)
        self.requires_grad_(False).eval()

    @staticmethod
    def module(node, tensor):
        op, name, shape = node["op"], node["name"], node["shape"]
        kind = op["kind"]
        if kind == "conv":
            weight = tensor(f"{name}.weight")
            layer = nn.Conv2d(weight.shape[1], shape[0], weight.shape[2:], op["stride"], op["padding"][:2], bias=False)
            layer.weight.data = weight
        elif kind == "affine":
            layer = nn.BatchNorm2d(shape[0], eps=0.0)
            layer.weight.data, layer.bias.data = tensor(f"{name}.scale"), tensor(f"{name}.shift")
        elif kind == "linear":
            weight = tensor(f"{name}.weight")
            layer = nn.Linear(weight.shape[1], weight.shape[0])
            layer.weight.data, layer.bias.data = weight, tensor(f"{name}.bias")
        else:
            layer = {"input": nn.Identity, "relu": nn.ReLU, "add": Sum, "mean": Mean}[kind]()
        return layer

    def layer(self, name):
        return self.layers[self.names.index(name)]

    def forward(self, x):
        values = [x]
        for layer, inputs in list(zip(self.layers, self.inputs))[1:]:
            values.append(layer(*[values[i] for i in inputs]))
        return values[-1]


def peer(name, network, x, targets, at_once):
    """The maps of captum."""
    zero = torch.zeros_like(x[:1])
    mask = torch.arange(8).repeat_interleave(PATCH)
    mask = (mask[:, None] * 8 + mask[None, :]).expand(1, 3, -1, -1).contiguous()
    given = dict(target=targets)
    if name == "saliency":
        return attr.Saliency(network).attribute(x, **given)
    if name == "input-x-gradient":
        return attr.InputXGradient(network).attribute(x, **given)
    if name == "integrated-gradients":
        return attr.IntegratedGradients(network).attribute(x, zero, n_steps=50, internal_batch_size=at_once * len(x), **given)
    if name == "deeplift":
        return attr.DeepLift(network).attribute(x, zero, **given)
    if name == "deeplift-shap":
        # One baseline is an error there: two that are equal, as Spikescope gets them.
        return attr.DeepLiftShap(network).attribute(x, zero.repeat(2, 1, 1, 1), **given)
    if name == "gradient-shap":
        return attr.GradientShap(network).attribute(x, zero, n_samples=5, stdevs=0.0, **given)
    if name == "guided-backprop":
        return attr.GuidedBackprop(network).attribute(x, **given)
    if name == "deconvolution":
        return attr.Deconvolution(network).attribute(x, **given)
    if name == "guided-grad-cam":
        return attr.GuidedGradCam(network, network.layer(LAYER)).attribute(x, **given)
    if name == "lrp":
        for layer in network.layers:
            layer.rule = EpsilonRule()
        return attr.LRP(network).attribute(x, **given)
    if name == "feature-ablation":
        return attr.FeatureAblation(network).attribute(x, zero, feature_mask=mask, perturbations_per_eval=at_once, **given)
    if name == "feature-permutation":
        return attr.FeaturePermutation(network).attribute(x, feature_mask=mask, perturbations_per_eval=at_once, **given)
    if name == "occlusion":
        window, step = (3, 2 * PATCH, 2 * PATCH), (3, PATCH, PATCH)
        return attr.Occlusion(network).attribute(x, window, step, zero, perturbations_per_eval=at_once, **given)
    if name == "shapley-sampling":
        method = attr.ShapleyValueSampling(network)
        return method.attribute(x, zero, feature_mask=mask, n_samples=25, perturbations_per_eval=at_once, **given)
    method = attr.KernelShap(network) if name == "kernel-shap" else attr.Lime(network)
    words = dict(n_samples=200, perturbations_per_eval=max(at_once, 50), feature_mask=mask)
    # They explain one image at a time.
    rows = [method.attribute(x[k:k + 1], baselines=zero, target=targets[k:k + 1], **words) for k in range(len(x))]
    return torch.cat(rows)


def spikescope(options, data, name, *words):
    """Seconds and maps of one method."""
    with tempfile.TemporaryDirectory() as folder:
        command = [options.binary, "explain", "--model", "builtin:objects-trojans", "--data", f"npz:{data}", "--scale", "0..1"]
        command += ["--samples", f"0..{options.images}", "--methods", name, "--layer", LAYER, "--out", folder, *words]
        if name == "deeplift-shap":
            command += ["--baseline", Path(data).with_name("baselines.npz")]
        if name == "lrp":
            command += ["--lrp", "epsilon:1e-9"]
        environ = {**os.environ, "RAYON_NUM_THREADS": str(options.threads)}
        subprocess.run(list(map(str, command)), check=True, env=environ, stdout=subprocess.DEVNULL)
        report = json.loads((Path(folder) / "scores.json").read_text())
        return report["methods"][name]["seconds"], np.load(Path(folder) / "maps.npz")[name.replace("-", "_")]


def timed(work):
    start = time.time()
    return work(), time.time() - start


def measure(options, data, name, network, x, targets):
    """Seconds of both in turn, and the correlation of their maps."""
    choices = [1] if name in GRADIENT and name != "integrated-gradients" else [1, 8, 32]
    if name in ("kernel-shap", "lime"):
        choices = [50, 200]
    few = slice(0, options.images if name in GRADIENT else 10)
    best = min(choices, key=lambda n: timed(lambda: peer(name, network, x[few], targets[few], n))[1])
    pairs = []
    for _ in range(options.pairs if name != "shapley-sampling" else 1):
        mine, own = spikescope(options, data, name)
        theirs, seconds = timed(lambda: peer(name, network, x, targets, best))
        pairs.append((mine, seconds))
    theirs = theirs.detach().numpy().reshape(options.images, -1).astype(np.float64)
    own = own.reshape(options.images, -1).astype(np.float64)
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(own, theirs) if a.std() > 0 and b.std() > 0]
    ratios = sorted(b / a for a, b in pairs)
    return {
        "seconds": statistics.median(a for a, _ in pairs), "captum": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios), "range": [ratios[0], ratios[-1]],
        "correlation": float(np.median(alike)) if alike else None, "at_once": best,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=ROOT / "target/release/spikescope", type=Path)
    parser.add_argument("--data", default=next((p / "shared/data" for p in [ROOT, *ROOT.parents] if (p / "shared/data").exists()), None), type=Path)
    parser.add_argument("--threads", default=os.cpu_count(), type=int)
    parser.add_argument("--methods", default=",".join(GRADIENT + PERTURBATION))
    parser.add_argument("--images", default=100, type=int)
    parser.add_argument("--pairs", default=3, type=int)
    parser.add_argument("--snn", help="also seconds of the spiking network after so many steps, without a peer")
    parser.add_argument("--out", default="attribution.json", type=Path)
    options = parser.parse_args()
    if options.data is None:
        sys.exit("no data: --data names the folder with cifar10/")
    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    network = Network(ROOT / "assets/objects-trojans.safetensors")
    raw = np.fromfile(options.data / "cifar10/test_batch_first500.bin", np.uint8).reshape(-1, 3073)[:options.images]
    pixels = raw[:, 1:].reshape(-1, 3, 32, 32)
    x = torch.from_numpy(pixels.astype(np.float32) / np.float32(255))
    targets = network(x).argmax(1)
    known = json.loads(options.out.read_text()) if options.out.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "images.npz"
        np.savez(data, x=pixels)
        np.savez(Path(folder) / "baselines.npz", baselines=np.zeros((2, 3, 32, 32), np.float32))
        for name in options.methods.split(","):
            if name not in known:
                known[name] = measure(options, data, name, network, x, targets)
            row = known[name]
            if options.snn and f"snn {options.snn}" not in row:
                row[f"snn {options.snn}"] = spikescope(options, data, name, "--on", "snn", "--steps", options.snn)[0]
            options.out.write_text(json.dumps(known, indent=1))
            alike = "none" if row["correlation"] is None else f"{row['correlation']:.4f}"
            low, high = row["range"]
            print(
                f"{name:<21} Spikescope {row['seconds']:7.3f} s  captum {row['captum']:7.3f} s ({row['at_once']} at once)  "
                f"ratio {row['ratio']:5.2f} ({low:.2f} to {high:.2f})  correlation of the maps {alike}"
                + (f"  SNN, T = {options.snn}: {row[f'snn {options.snn}']:.2f} s" if options.snn else ""),
                flush=True,
            )


if __name__ == "__main__":
    main()
