"""A process that does in Python what a run of Spikescope does: calibrate, ANN, simulate; and a gradient of the input.

`python way_peer.py JOB.json` answers one JSON object a line with one line, as `peer.py` does:

| request | answer |
|---|---|
| `{"do": "warm", "threads": n}` | chooses the faster memory layout and warms everything up |
| `{"do": "jelly", "threads": n, "steps": T}` | SpikingJelly's converter and its network: seconds `calibrate`, `ann`, `snn`, and `accuracy` |
| `{"do": "percentiles", "threads": n}` | PyTorch's forward and numpy's percentile of every ReLU: `wall`, `thetas` |
| `{"do": "ann", "threads": n}` | onnxruntime's forward of the samples: `wall`, `accuracy` |
| `{"do": "gradient", "threads": n}` | gradient of the cross entropy with respect to the input in PyTorch: `wall`, `norm` |
"""

import json
import logging
import os
import sys
import time

logging.getLogger("torch._library.triton").setLevel(logging.ERROR)
os.environ["TQDM_DISABLE"] = "1"

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from loguru import logger  # noqa: E402
from spikingjelly.activation_based import functional  # noqa: E402
from spikingjelly.activation_based.ann2snn import Converter  # noqa: E402
from spikingjelly.activation_based.ann2snn.recipes import RateCodingRecipe  # noqa: E402
from torch import nn  # noqa: E402

import onnx_graph  # noqa: E402
from peer import LAYOUTS, status  # noqa: E402
from samples import scaled  # noqa: E402
from simulators import module_of  # noqa: E402

PERCENTILE = 99.9


class Ann(nn.Module):
    """The nodes of `onnx_graph` as plain torch modules, with `nn.ReLU` where neurons will be."""

    def __init__(self, nodes):
        super().__init__()
        self.inputs = [node.inputs for node in nodes]
        self.layers = nn.ModuleList(nn.ReLU() if node.kind == "neuron" else module_of(node, "plain") for node in nodes)
        self.requires_grad_(False).eval()

    def forward(self, x):
        values = [x]
        for index, inputs in enumerate(self.inputs):
            if index:
                values.append(self.layers[index](*[values[i] for i in inputs]))
        return values[-1]


class Recipe(RateCodingRecipe):
    """SpikingJelly's recipe without the last step, the adapters for multi-step mode, which refuse the padding of a shortcut.

    Single-step mode, which is timed, does not need them.
    """

    def replace(self, converter, fx_model):
        return self._replace_by_neurons(fx_model).to(converter.device)


class Way:
    """One network with its calibration samples and the samples that are run."""

    def __init__(self, job):
        logger.remove()
        nodes = onnx_graph.read(job["model"])
        for node in nodes:
            if node.kind == "add":
                node.settings["factors"] = [1.0] * len(node.inputs)
        self.ann = Ann(nodes)
        data = np.load(job["data"])
        of = lambda span: torch.from_numpy(scaled(data["x"][span[0] : span[1]], job["scale"]))  # noqa: E731
        self.calibration, self.x = of(job["calibrate"]), of(job["samples"])
        self.labels = torch.from_numpy(data["y"][job["samples"][0] : job["samples"][1]])
        self.model, self.sessions = job["model"], {}

    def warm(self, threads):
        """Chooses the layout in which the ANN is faster, then does everything once."""
        seconds = {}
        for name in LAYOUTS:
            self.lay_out(name)
            for _ in range(3):
                seconds[name] = timed(lambda: self.ann(self.x))[0]
        self.lay_out(min(seconds, key=seconds.get))
        for _ in range(2):
            self.jelly(2)
            self.percentiles()
            self.run_ann(threads)
            self.gradient()
        return {"layout": min(seconds, key=seconds.get)}

    def lay_out(self, name):
        """Lays images and kernels out in memory as `name` says."""
        self.ann = self.ann.to(memory_format=LAYOUTS[name])
        self.x = self.x.contiguous(memory_format=LAYOUTS[name])
        self.calibration = self.calibration.contiguous(memory_format=LAYOUTS[name])

    def jelly(self, steps):
        """Calibrates and converts with SpikingJelly, runs the ANN, then the converted network step by step.

        The calibration samples are one batch: over several, its thresholds would be running means.
        """
        recipe = Recipe([(self.calibration, 0)], mode=f"{PERCENTILE}%")
        with torch.inference_mode(False), torch.no_grad():
            calibrate, network = timed(lambda: Converter(recipe).convert(self.ann))
        network.eval()
        ann, logits = timed(lambda: self.ann(self.x))

        def simulate():
            functional.reset_net(network)
            total = 0
            for _ in range(steps):
                total = total + network(self.x)
            return total

        snn, total = timed(simulate)
        return {"calibrate": calibrate, "ann": ann, "snn": snn, "accuracy": self.accuracy(total), "ann_accuracy": self.accuracy(logits)}

    def percentiles(self):
        """The forward pass over the calibration samples and the exact percentile of every ReLU's output."""
        kept = []
        handles = [m.register_forward_hook(lambda m, i, out: kept.append(out)) for m in self.ann.layers if isinstance(m, nn.ReLU)]

        def work():
            self.ann(self.calibration)
            return [float(np.percentile(values.numpy(), PERCENTILE)) for values in kept]

        wall, thetas = timed(work)
        for handle in handles:
            handle.remove()
        return {"wall": wall, "thetas": thetas}

    def run_ann(self, threads):
        """The samples through onnxruntime, in one batch, or one by one where the file's batch is fixed."""
        if threads not in self.sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
            self.sessions[threads] = onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])
        session = self.sessions[threads]
        given, x = session.get_inputs()[0], self.x.contiguous().numpy()
        batch = given.shape[0] if isinstance(given.shape[0], int) else len(x)

        def work():
            parts = [session.run(None, {given.name: x[i : i + batch]})[0] for i in range(0, len(x), batch)]
            return torch.from_numpy(np.concatenate(parts))

        wall, logits = timed(work)
        return {"wall": wall, "accuracy": self.accuracy(logits)}

    def gradient(self):
        """The gradient of the cross entropy with respect to the input, which one step of an attack needs."""
        with torch.inference_mode(False), torch.enable_grad():
            x = self.x.clone().requires_grad_()
            labels = self.labels.clone()

            def work():
                return torch.autograd.grad(F.cross_entropy(self.ann(x), labels), x)[0]

            wall, gradient = timed(work)
        return {"wall": wall, "norm": gradient.norm().item()}

    def accuracy(self, logits):
        return (logits.argmax(1) == self.labels).float().mean().item()


def timed(work):
    """Seconds and result of `work`."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main():
    with open(sys.argv[1]) as file:
        way = Way(json.load(file))
    for line in sys.stdin:
        request = json.loads(line)
        threads = request["threads"]
        torch.set_num_threads(threads)
        with torch.no_grad():
            match request["do"]:
                case "warm":
                    answer = way.warm(threads)
                case "jelly":
                    answer = way.jelly(request["steps"])
                case "percentiles":
                    answer = way.percentiles()
                case "ann":
                    answer = way.run_ann(threads)
                case "gradient":
                    answer = way.gradient()
        print(json.dumps({**answer, "peak_mib": status("VmHWM")}), flush=True)


if __name__ == "__main__":
    main()
