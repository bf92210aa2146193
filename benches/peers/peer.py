"""A process that holds one peer's network and runs it on demand, so that its memory is its own.

`python peer.py JOB.json` reads requests from standard input, one JSON object a line, and answers each with one line:

| request | answer |
|---|---|
| `{"do": "check", "threads": n, "counts": FILE, "steps": T}` | runs T steps, writes spike counts of every layer; `accuracy` for every t |
| `{"do": "warm", "threads": n}` | chooses the faster memory layout and warms everything up |
| `{"do": "time", "threads": n}` | one timed run: `wall`, `cpu` in seconds, `peak_mib`, `baseline_mib` (after imports), `layout` |
"""

import json
import logging
import sys
import time

logging.getLogger("torch._library.triton").setLevel(logging.ERROR)

import numpy as np  # noqa: E402
import torch  # noqa: E402

import onnx_graph  # noqa: E402
from samples import scaled  # noqa: E402
from simulators import Simulator  # noqa: E402


LAYOUTS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}
# Steps that the layouts are compared at.
LAYOUT_STEPS = 4


def status(key):
    """A figure of this process from the kernel, in MiB."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def forget_peak():
    """Starts the kernel's peak of this process' memory anew."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


class Peer:
    """One network, its samples and a way to simulate it."""

    def __init__(self, job):
        self.baseline = status("VmRSS")
        self.steps, self.mode = job["steps"], job["mode"]
        nodes = onnx_graph.with_thresholds(onnx_graph.read(job["model"]), job["thetas"])
        self.simulator = Simulator(nodes, self.mode)
        data, (first, end) = np.load(job["data"]), job["samples"]
        self.x = torch.from_numpy(scaled(data["x"][first:end], job["scale"]))
        self.labels = torch.from_numpy(data["y"][first:end])
        self.layout = "NCHW"

    def check(self, counts, steps):
        """Counts spikes and right answers of one run."""
        totals = [0] * len(self.simulator.neurons())

        def listen(index):
            def hook(module, inputs, spikes):
                if self.mode == "jelly-multi":
                    spikes = spikes.sum(0)
                elif self.mode == "folded":
                    spikes = spikes.unflatten(0, (steps, -1)).sum(0)
                totals[index] = totals[index] + spikes

            return hook

        handles = [n.register_forward_hook(listen(i)) for i, n in enumerate(self.simulator.neurons())]
        accuracy = []
        right = lambda total: accuracy.append((total.argmax(1) == self.labels).float().mean().item())  # noqa: E731
        self.simulator.simulate(self.x, steps, right)
        for handle in handles:
            handle.remove()
        np.savez(counts, **{f"layer{i}": total.numpy().astype(np.int16) for i, total in enumerate(totals)})
        return {"accuracy": accuracy}

    def warm(self):
        """Chooses the faster memory layout, then runs until nothing is done for the first time any more."""
        seconds = {}
        for name in LAYOUTS:
            self.lay_out(name)
            for _ in range(2):
                start = time.perf_counter()
                self.simulator.simulate(self.x, min(LAYOUT_STEPS, self.steps))
                seconds[name] = time.perf_counter() - start
        self.lay_out(min(seconds, key=seconds.get))
        # What goes step by step is warm by now; the others have to see the shapes of the whole run.
        self.simulator.simulate(self.x, self.steps if self.mode in ("jelly-multi", "folded") else 1)
        forget_peak()
        return {}

    def lay_out(self, name):
        """Lays images and kernels out in memory as `name` says."""
        self.layout = name
        self.simulator = self.simulator.to(memory_format=LAYOUTS[name])
        self.x = self.x.contiguous(memory_format=LAYOUTS[name])

    def time(self):
        """One run of all steps."""
        cpu, wall = time.process_time(), time.perf_counter()
        self.simulator.simulate(self.x, self.steps)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = status("VmHWM")
        return {"wall": wall, "cpu": cpu, "peak_mib": peak, "baseline_mib": self.baseline, "layout": self.layout}


def main():
    with open(sys.argv[1]) as file:
        peer = Peer(json.load(file))
    with torch.inference_mode():
        for line in sys.stdin:
            request = json.loads(line)
            torch.set_num_threads(request["threads"])
            match request["do"]:
                case "check":
                    answer = peer.check(request["counts"], request["steps"])
                case "warm":
                    answer = peer.warm()
                case "time":
                    answer = peer.time()
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
