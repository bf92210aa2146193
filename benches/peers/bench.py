"""Times Spikescope beside SpikingJelly and plain PyTorch on the same networks and samples; see README.md."""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np

import compare
import spikescope
import workloads

HERE = Path(__file__).resolve().parent
MODES = ("jelly-single", "jelly-multi", "folded", "plain")
TRAINING = {"--arch": "resnet", "--activation": "qcfs:8", "--epochs": 1, "--data": "builtin:digits-train"}


class PeerProcess:
    """A peer in a process of its own; see peer.py and way_peer.py."""

    def __init__(self, work, job, program="peer.py"):
        path = work / f"job-{job['mode']}.json"
        path.write_text(json.dumps(job))
        command = [sys.executable, str(HERE / program), str(path)]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, do, threads, **more):
        """Sends a request and waits for its answer."""
        self.child.stdin.write(json.dumps({"do": do, "threads": threads, **more}) + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit(f"a peer process ended with code {self.child.wait()}")
        return json.loads(line)

    def close(self):
        self.child.stdin.close()
        self.child.wait()


def main():
    options = arguments()
    work = Path(options.work).resolve()
    files = workloads.Files(options.data, work)
    report = Report(work, options.threads, environment(options))
    known = [w.name for w in workloads.ALL] + ["train"]
    if unknown := set(options.only or []) - set(known):
        raise SystemExit(f"no workload is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    wanted = options.only or known
    for workload in (w for w in workloads.ALL if w.name in wanted):
        for steps in options.steps or (workload.quick_steps if options.quick else workload.steps):
            simulation(workload, steps, files, options, report)
    if "train" in wanted and not options.check:
        training(options, work, report)
    report.finish()


def simulation(workload, steps, files, options, report):
    """One network at one number of steps: are both sides the same, and what does each cost."""
    report.say(f"\n## {workload.name}: {workload.title}, {count(workload)} samples, T = {steps}\n")
    work, most = report.work, max(options.threads)
    model, archive = files.model(workload), files.archive(workload)

    def ours(steps, threads=most, dump=False):
        return spikescope.run(options.binary, work / "out", threads, workload.options(model, archive, steps), dump)

    summary, _ = ours(min(steps, compare.FEW_STEPS))
    modes = fitting(summary, workload, steps, options, report)
    job = {"model": str(model), "data": str(archive), "scale": workload.scale, "samples": workload.samples, "steps": steps}
    job["thetas"] = [one_theta(layer) for layer in summary["layers"]]
    peers = {mode: PeerProcess(work, {**job, "mode": mode}) for mode in modes}
    record = {"workload": workload.name, "steps": steps, "samples": count(workload), "checks": [], "threads": []}
    try:
        # Few steps have few ties, so that every layer is seen with samples that none has touched; then all steps.
        if all(checked(workload, at, peers, ours, report, record) for at in sorted({min(steps, compare.FEW_STEPS), steps})):
            for threads in [] if options.check else options.threads:
                record["threads"].append(timed(peers, steps, ours, threads, options, report))
    finally:
        for peer in peers.values():
            peer.close()
    report.keep("simulations", record)


def count(workload):
    """Samples that are run."""
    return workload.samples[1] - workload.samples[0]


def one_theta(layer):
    """The threshold of a layer."""
    if len(layer["theta"]) != 1:
        raise SystemExit(f"layer '{layer['name']}' has a threshold per channel; the peers take one per layer")
    return layer["theta"][0]


def fitting(summary, workload, steps, options, report):
    """The modes whose memory is below the limit. Those with time in the batch hold several of the widest layer at once."""
    widest = max(int(np.prod(layer["shape"])) for layer in summary["layers"])
    need = 8 * 4 * widest * steps * count(workload) / 2**30
    if need <= options.memory:
        return options.modes
    report.say(f"jelly-multi and folded are left out: at T = {steps} they would need about {need:.0f} GiB (--memory)\n")
    return [mode for mode in options.modes if mode not in ("jelly-multi", "folded")]


def checked(workload, steps, peers, ours, report, record):
    """Compares spike counts and accuracies of every peer with Spikescope's at `steps`; prints a table of the layers."""
    summary, _ = ours(steps, dump=True)
    counts, found, faults = np.load(report.work / "out" / "counts.npz"), {}, []
    for mode, peer in peers.items():
        path = report.work / f"counts-{mode}.npz"
        accuracy = peer.ask("check", max(report.threads), counts=str(path), steps=steps)["accuracy"]
        found[mode] = compare.layers(counts, np.load(path))
        faults += [f"{mode}, {f}" for f in compare.faults(found[mode], summary["snn_accuracy"], accuracy, count(workload))]
    rows = []
    for index, layer in enumerate(summary["layers"]):
        equal = [f"{100 * found[mode][index].equal:.3f} ({found[mode][index].clean})" for mode in peers]
        rows.append([layer["name"], f"{layer['theta'][0]:.4g}", f"{100 * layer['rate']:.2f}", *equal])
    report.say(f"Equal counts in % at T = {steps}, and how many of {count(workload)} samples are equal up to this layer:\n")
    report.table(["layer", "θ", "rate, %", *peers], rows)
    rate = float(np.average([l["rate"] for l in summary["layers"]], weights=[np.prod(l["shape"]) for l in summary["layers"]]))
    accuracy = f"accuracy of the ANN {summary['ann_accuracy']:.3f}, at T {summary['snn_accuracy'][-1]:.3f}"
    report.say(f"\nmean rate {100 * rate:.2f} %, {accuracy}\n")
    for fault in faults:
        report.fail(f"{workload.name}: not the same simulation: {fault}")
    kept = [{"name": l["name"], "theta": l["theta"][0], "rate": l["rate"]} for l in summary["layers"]]
    record["checks"].append(
        {
            "steps": steps,
            "mean_rate": rate,
            "layers": kept,
            "compared": {mode: [vars(layer) for layer in layers] for mode, layers in found.items()},
            "accuracy": summary["snn_accuracy"],
            "ann_accuracy": summary["ann_accuracy"],
            "faults": faults,
        }
    )
    return not faults


def timed(peers, steps, ours, threads, options, report):
    """Every mode once, then the better SpikingJelly mode and Spikescope in turn."""
    survey = {}
    for mode, peer in peers.items():
        peer.ask("warm", threads)
        survey[mode] = peer.ask("time", threads)
    first = ours(steps, threads)[1]
    rows = [["Spikescope", "", *figures(first.wall, first.cpu, first.peak_mib), ""]]
    for mode, m in survey.items():
        *cells, peak = figures(m["wall"], m["cpu"], m["peak_mib"])
        rows.append([mode, m["layout"], *cells, f"{peak} ({m['baseline_mib']:.0f})", f"{m['wall'] / first.wall:.2f}"])
    report.say(f"\nEach once, {plural(threads)}:\n")
    report.table(["", "layout", "wall, s", "CPU, s", "peak memory (libraries), MiB", "wall over Spikescope's"], rows)
    jelly = [mode for mode in peers if mode.startswith("jelly")] or list(peers)
    best = min(jelly, key=lambda mode: survey[mode]["wall"])
    rivals = list(peers) if options.all_modes else [best]
    pairs = []
    for _ in range(options.pairs):
        mine = []
        theirs = {}
        for mode in rivals:
            mine.append(ours(steps, threads)[1])
            theirs[mode] = peers[mode].ask("time", threads)
        pairs.append((mine, theirs))
    record = {"threads": threads, "survey": {**survey, "spikescope": vars(first)}, "best": best, "pairs": []}
    rows = []
    for number, (mine, theirs) in enumerate(pairs, 1):
        for own, (mode, peer) in zip(mine, theirs.items()):
            record["pairs"].append({"mode": mode, "spikescope": vars(own), "peer": peer})
            rows.append([str(number), mode, *pair_cells(vars(own), peer)])
    for mode in rivals:
        of = [pair for pair in record["pairs"] if pair["mode"] == mode]
        mid = {side: {key: middle([p[side][key] for p in of]) for key in ("wall", "cpu", "peak_mib")} for side in ("spikescope", "peer")}
        ratios = {key: middle([ratio(p["peer"][key], p["spikescope"][key]) for p in of]) for key in ("wall", "cpu")}
        record.setdefault("medians", {})[mode] = {**mid, "ratio": ratios}
        rows.append(["median", mode, *pair_cells(mid["spikescope"], mid["peer"], ratios)])
    report.say(f"\nIn turn, {plural(threads)}:\n")
    report.table(["pair", "peer", *PAIR_HEAD], rows)
    return record


PAIR_HEAD = (
    "Spikescope wall, s",
    "peer wall, s",
    "ratio",
    "Spikescope CPU, s",
    "peer CPU, s",
    "ratio",
    "Spikescope peak, MiB",
    "peer peak, MiB",
)


def pair_cells(own, peer, ratios=None):
    """The cells of one pair, in the order of `PAIR_HEAD`."""
    ratios = ratios or {key: ratio(peer[key], own[key]) for key in ("wall", "cpu")}
    cells = []
    for key in ("wall", "cpu"):
        cells += [seconds(own[key]), seconds(peer[key]), "" if ratios[key] is None else f"{ratios[key]:.2f}"]
    return [*cells, f"{own['peak_mib']:.0f}", f"{peer['peak_mib']:.0f}"]


def training(options, work, report):
    """One epoch of the bundled residual network on both sides, in turn."""
    report.say("\n## train: one epoch of the bundled residual network, 18,000 samples, QCFS L = 8\n")
    record = {"threads": []}
    for threads in options.threads:
        pairs = []
        for _ in range(options.train_pairs):
            mine = spikescope.train(options.binary, work / "trained.safetensors", threads, TRAINING)
            done = subprocess.run([sys.executable, str(HERE / "train.py"), str(threads)], stdout=subprocess.PIPE, check=True)
            pairs.append({"spikescope": vars(mine), "peer": json.loads(done.stdout)})
        rows = [[str(number), *pair_cells(p["spikescope"], p["peer"])] for number, p in enumerate(pairs, 1)]
        mid = {side: {key: middle([p[side][key] for p in pairs]) for key in ("wall", "cpu", "peak_mib")} for side in ("spikescope", "peer")}
        ratios = {key: middle([ratio(p["peer"][key], p["spikescope"][key]) for p in pairs]) for key in ("wall", "cpu")}
        rows.append(["median", *pair_cells(mid["spikescope"], mid["peer"], ratios)])
        report.say(f"\nIn turn, {plural(threads)}; the peer is PyTorch:\n")
        report.table(["pair", *PAIR_HEAD], rows)
        record["threads"].append({"threads": threads, "pairs": pairs, "medians": {**mid, "ratio": ratios}})
    report.keep("training", record)


class Report:
    """Prints as it goes and keeps everything for `results.md` and `results.json`."""

    def __init__(self, work, threads, about):
        self.work, self.threads, self.lines, self.faults = work, threads, [], []
        self.data = {"environment": about, "simulations": [], "training": []}
        self.say("".join(f"- {key}: {value}\n" for key, value in about.items()))

    def say(self, text):
        print(text, flush=True)
        self.lines.append(text)

    def table(self, head, rows):
        """A markdown table."""
        lines = [head, ["---"] * len(head), *rows]
        self.say("\n".join("| " + " | ".join(line) + " |" for line in lines))

    def fail(self, text):
        self.say(f"**FAILED** {text}")
        self.faults.append(text)

    def keep(self, part, record):
        """Writes what is known so far, so that an interrupted run leaves its figures."""
        self.data[part].append(record)
        (self.work / "results.json").write_text(json.dumps(self.data, indent=1))
        (self.work / "results.md").write_text("\n".join(self.lines) + "\n")

    def finish(self):
        print(f"\nwritten to {self.work}/results.md and results.json")
        if self.faults:
            raise SystemExit("\n".join(["FAILED:", *self.faults]))


def figures(wall, cpu, peak):
    return [seconds(wall), seconds(cpu), f"{peak:.0f}"]


def seconds(value):
    return "" if value is None else f"{value:.3f}"


def ratio(theirs, ours):
    return None if ours is None or theirs is None or ours <= 0 else theirs / ours


def middle(values):
    return None if any(v is None for v in values) else median(values)


def plural(threads):
    return "one thread" if threads == 1 else f"{threads} threads"


def environment(options):
    """What a reader has to know about the machine and the versions."""
    from importlib.metadata import version

    with open("/proc/cpuinfo") as lines:
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    own = subprocess.run([options.binary, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    busy = os.getloadavg()[0]
    about = {"processor": f"{processor}, {os.cpu_count()} cores", "Spikescope": own}
    about |= {name: version(name) for name in ("torch", "spikingjelly", "numpy", "onnxruntime")}
    about["load before the start"] = f"{busy:.1f}" + (" (NOT QUIET: figures are not to be trusted)" if busy > 0.5 else "")
    return about


def arguments():
    """The command line."""
    numbers = lambda text: [int(n) for n in text.split(",")]  # noqa: E731
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer steps and two pairs: does it all work?")
    parser.add_argument("--check", action="store_true", help="compare spike counts only, time nothing")
    parser.add_argument("--only", action="append", metavar="NAME", help="this workload only (may be repeated)")
    parser.add_argument("--threads", type=numbers, default=[1, 2], metavar="N[,N]", help="thread counts, 1,2 unless said")
    parser.add_argument("--steps", type=numbers, metavar="T[,T]", help="numbers of steps instead of each workload's own")
    parser.add_argument("--pairs", type=int, help="pairs of runs, 5 unless said")
    parser.add_argument("--train-pairs", type=int, help="pairs of training epochs, 3 unless said")
    parser.add_argument("--modes", type=lambda text: text.split(","), default=list(MODES), metavar="M[,M]", help=", ".join(MODES))
    parser.add_argument("--all-modes", action="store_true", help="pairs with every mode, not only the better SpikingJelly one")
    parser.add_argument("--memory", type=float, default=12, metavar="GIB", help="leave out modes that need more, 12 unless said")
    parser.add_argument("--binary", default=os.environ.get("SPIKESCOPE", workloads.PROJECT / "target/release/spikescope"))
    parser.add_argument("--data", default=os.environ.get("PEERS_DATA") or shared_data(), metavar="DIR", help="data sets and networks")
    parser.add_argument("--work", default=workloads.PROJECT / "target/peers", metavar="DIR", help="made files and results")
    options = parser.parse_args()
    options.pairs = options.pairs or (2 if options.quick else 5)
    options.train_pairs = options.train_pairs or (1 if options.quick else 3)
    if unknown := set(options.modes) - set(MODES):
        parser.error(f"no mode is called {', '.join(sorted(unknown))}; there are {', '.join(MODES)}")
    if not Path(options.binary).exists():
        parser.error(f"there is no {options.binary}: build it with `cargo build --release`, or say --binary")
    return options


def shared_data():
    """`shared/data` beside the project or above it, where the tests look too."""
    found = (folder / "shared" / "data" for folder in (workloads.PROJECT, *workloads.PROJECT.parents))
    return next((folder for folder in found if folder.exists()), workloads.PROJECT / "shared" / "data")


if __name__ == "__main__":
    main()
