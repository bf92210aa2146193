"""The whole way beside its peers: calibrating, ANN, simulation, training, gradient; each pair in turn. See README.md."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import spikescope
import workloads
from bench import HERE, TRAINING, PeerProcess, environment, one_theta, shared_data

PARTS = ("way", "ann", "calibration", "simulation", "gradient", "training")
WAY_STEPS = (4, 32)
# What is simulated alone: workload and steps.
SIMULATIONS = (("resnet20", 4), ("resnet20", 8), ("resnet20", 32), ("vgg16", 32), ("w3", 64))


class Side:
    """Runs both sides of a workload; peers are processes that stay."""

    def __init__(self, options):
        self.options, self.work = options, Path(options.work).resolve()
        self.files = workloads.Files(options.data, self.work)
        self.ways, self.simulators = {}, {}

    def workload(self, name):
        return next(workload for workload in workloads.ALL if workload.name == name)

    def spikescope(self, name, steps):
        """One run of Spikescope: its summary, with the peak memory of the process in MiB."""
        workload = self.workload(name)
        out = self.work / "way"
        options = workload.options(self.files.model(workload), self.files.archive(workload), steps)
        watched = spikescope.Watched(spikescope.command(self.options.binary, "run", out, options), self.options.threads)
        watched.run("wrote ")
        summary = json.loads((out / "summary.json").read_text())
        return {**summary, "peak_mib": watched.heard["wrote "][1]}

    def job(self, name):
        workload = self.workload(name)
        job = {"model": str(self.files.model(workload)), "data": str(self.files.archive(workload)), "scale": workload.scale}
        return {**job, "samples": workload.samples, "calibrate": workload.calibrate, "mode": "way"}

    def way(self, name):
        """The Python process that calibrates, runs the ANN and simulates."""
        if name not in self.ways:
            self.ways[name] = PeerProcess(self.work, self.job(name), "way_peer.py")
            self.ways[name].ask("warm", self.options.threads)
        return self.ways[name]

    def simulator(self, name, steps):
        """The SpikingJelly process with the thresholds that Spikescope chose."""
        if (name, steps) not in self.simulators:
            thetas = [one_theta(layer) for layer in self.spikescope(name, 1)["layers"]]
            job = {**self.job(name), "mode": "jelly-single", "thetas": thetas, "steps": steps}
            self.simulators[name, steps] = PeerProcess(self.work, job)
            self.simulators[name, steps].ask("warm", self.options.threads)
        return self.simulators[name, steps]

    def close(self):
        for peer in (*self.ways.values(), *self.simulators.values()):
            peer.close()

    def passes(self, name):
        """Seconds of one forward pass to the logits alone, and of one gradient of the input, in Spikescope."""
        workload = self.workload(name)
        given = [self.files.model(workload), f"npz:{self.files.archive(workload)}", workload.scale]
        program = Path(self.options.binary).parent / "examples" / "input_gradient"
        command = [program, *map(str, given), f"{workload.samples[0]}..{workload.samples[1]}"]
        environ = {**os.environ, "RAYON_NUM_THREADS": str(self.options.threads)}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environ)
        return {line.split(",")[0]: float(line.split()[-2]) for line in done.stdout.splitlines() if "median" in line}

    def train(self):
        """Seconds of an epoch on both sides."""
        mine = spikescope.train(self.options.binary, self.work / "trained.safetensors", self.options.threads, TRAINING)
        command = [sys.executable, str(HERE / "train.py"), str(self.options.threads)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        return mine.wall, json.loads(done.stdout)["wall"]


def stages(summary):
    """Seconds of Spikescope's stages that the peer has too, and of measuring, which it has not."""
    return [summary["seconds"][stage] for stage in ("calibrate", "ann", "snn", "measure")]


def rounds(side, options):
    """Every pair once a round; yields `(what, ours, peer, remark)`, seconds."""
    threads = options.threads
    for _ in range(options.pairs):
        if "way" in options.parts:
            for steps in WAY_STEPS:
                mine = side.spikescope("resnet20", steps)
                theirs = side.way("resnet20").ask("jelly", threads, steps=steps)
                parts = [theirs[stage] for stage in ("calibrate", "ann", "snn")]
                remark = " ".join(f"{s:.3f}" for s in stages(mine)) + " | " + " ".join(f"{s:.3f}" for s in parts)
                yield f"whole way, ResNet-20, T = {steps}, SpikingJelly", sum(stages(mine)), sum(parts), remark
                yield f"peak memory of that run, T = {steps}, MiB", mine["peak_mib"], theirs["peak_mib"], ""
        if "ann" in options.parts:
            for name in ("resnet20", "vgg16"):
                theirs = side.way(name).ask("ann", threads)["wall"]
                yield f"ANN forward, {name}, onnxruntime", side.passes(name)["logits alone"], theirs, ""
                mine, theirs = side.spikescope(name, 1)["seconds"]["ann"], side.way(name).ask("ann", threads)["wall"]
                yield f"ANN forward that keeps every pre-activation, {name}, onnxruntime", mine, theirs, ""
        if "calibration" in options.parts:
            mine = side.spikescope("resnet20", 1)
            theirs = side.way("resnet20").ask("percentiles", threads)
            thetas = [one_theta(layer) for layer in mine["layers"]]
            worst = max(abs(a / b - 1) for a, b in zip(thetas, theirs["thetas"]))
            remark = f"thresholds differ by {worst:.1e} at most"
            yield "calibration, 256 images, PyTorch + numpy.percentile", mine["seconds"]["calibrate"], theirs["wall"], remark
        if "simulation" in options.parts:
            for name, steps in SIMULATIONS:
                mine = side.spikescope(name, steps)["seconds"]["snn"]
                theirs = side.simulator(name, steps).ask("time", threads)["wall"]
                yield f"simulation alone, {name}, T = {steps}, SpikingJelly", mine, theirs, ""
        if "gradient" in options.parts:
            yield "gradient of the input, ResNet-20, PyTorch", side.passes("resnet20")["gradient"], side.way("resnet20").ask("gradient", threads)["wall"], ""
        if "training" in options.parts:
            yield ("training epoch, bundled residual net, PyTorch", *side.train(), "")


def main():
    options = arguments()
    side = Side(options)
    for key, value in environment(options).items():
        print(f"- {key}: {value}")
    print(f"- threads: {options.threads}, pairs in turn: {options.pairs}; medians\n")
    found = {}
    try:
        for what, mine, theirs, remark in rounds(side, options):
            found.setdefault(what, []).append((mine, theirs, remark))
            print(f"  {what}: {mine:.4g} {theirs:.4g} ratio {theirs / mine:.2f} {remark}", file=sys.stderr, flush=True)
    finally:
        side.close()
    print("| what, peer | Spikescope | peer | peer over Spikescope | least, most | stages: calibrate ANN SNN measure, peer's |\n" + "|---" * 6 + "|")
    for what, pairs in found.items():
        ratios = [theirs / mine for mine, theirs, _ in pairs]
        mine, theirs = (median(pair[k] for pair in pairs) for k in (0, 1))
        spread = f"{min(ratios):.2f}, {max(ratios):.2f}"
        remark = sorted(pairs, key=lambda pair: pair[0])[len(pairs) // 2][2]
        print(f"| {what} | {mine:.4g} | {theirs:.4g} | **{median(ratios):.2f}** | {spread} | {remark} |")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="run.sh way", description=__doc__)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS), metavar="P[,P]", help=", ".join(PARTS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--binary", default=os.environ.get("SPIKESCOPE", workloads.PROJECT / "target/release/spikescope"))
    parser.add_argument("--data", default=os.environ.get("PEERS_DATA") or shared_data(), metavar="DIR", help="data sets and networks")
    parser.add_argument("--work", default=workloads.PROJECT / "target/peers", metavar="DIR", help="made files")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if not Path(options.binary).exists():
        parser.error(f"there is no {options.binary}: build it with `cargo build --release --bins --examples`, or say --binary")
    return options


if __name__ == "__main__":
    main()
