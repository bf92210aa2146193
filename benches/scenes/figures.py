#!/usr/bin/env python3
"""Mean IoU and average precision over time steps, by threshold rule and readout, as the tables of docs/scenes.md.

    cargo build --release
    benches/scenes/figures.py                      # generated scenes, three seeds
    benches/scenes/figures.py --real DATA          # and the nuclei and blood cells below the folder DATA
    benches/scenes/figures.py --only masks --samples 20 --steps 64
    benches/scenes/figures.py --keep FOLDER        # in parts: summaries in FOLDER are not computed again

Needs Python 3.9 and nothing else. Runs `spikescope run` once for every line and prints Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AT = [8, 16, 32, 64, 128, 256]
SEEDS = [0, 1, 2]
# Name, options. Balanced thresholds as in Bu et al. (CVPR 2025): strict comparison, v(0) = θ/2.
RULES = [
    ("max, per layer", ["--threshold", "max"]),
    ("percentile 99.9, per layer", ["--threshold", "percentile:99.9"]),
    ("balanced, per layer", ["--threshold", "balance:BATCHES", "--granularity", "layer", "--tie", "gt"]),
    ("balanced, per channel", ["--threshold", "balance:BATCHES", "--granularity", "channel", "--tie", "gt"]),
]
READOUTS = [("all steps", "sum"), ("delayed", "delay:auto")]


class Task:
    """A network, its data for runs and calibration, and where its score stands in summary.json."""

    def __init__(self, name, model, data, calibrate, seeds, samples, calibration):
        self.name, self.model, self.data, self.calibrate = name, model, data, calibrate
        self.seeds, self.samples, self.calibration = seeds, samples, calibration


def score(summary, steps):
    """The ANN's score and the SNN's at `steps`."""
    if "segmentation" in summary:
        part = summary["segmentation"]
        return part["ann_miou"], [part["snn_miou"][t - 1] for t in steps]
    part = summary["detection"]
    found = dict(zip(part["at"], part["snn_map"]))
    return part["ann_map"], [found[t] for t in steps]


def run(program, task, seed, rule, readout, steps, kept):
    """The summary of one line and seed; from the file `kept` if it is there."""
    if kept and kept.exists():
        return json.loads(kept.read_text())
    with tempfile.TemporaryDirectory() as folder:
        text = compute(program, task, seed, rule, readout, steps, folder)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_text(text)
        part.rename(kept)
    return json.loads(text)


def compute(program, task, seed, rule, readout, steps, folder):
    data = task.data + (f",seed={seed}" if task.seeds else "")
    # Thresholds rise from batch to batch; fewer leave them too low for every T.
    batches = "100x16"
    options = [option.replace("BATCHES", batches) for option in rule]
    command = [program, "run", "--model", task.model, "--data", data, "--calibrate-data", task.calibrate]
    command += ["--calibrate", f"0..{task.calibration}", "--samples", f"{task.samples[0]}..{task.samples[1]}"]
    command += ["--steps", str(steps[-1]), "--at", ",".join(map(str, steps)), "--readout", readout]
    done = subprocess.run(command + options + ["--out", folder], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return (Path(folder) / "summary.json").read_text()


def table(program, task, steps, rules, keep):
    print(f"\n### {task.name}\n")
    print("| thresholds | readout | ANN | " + " | ".join(f"T = {t}" for t in steps) + " | SynOps a picture | energy of the ANN |")
    print("|---|---|---|" + "---|" * (len(steps) + 2))
    for name, rule in (of for of in RULES if rules in of[0]):
        for words, readout in READOUTS:
            seeds = SEEDS if task.seeds else [None]
            found = []
            for seed in seeds:
                words_of = f"{task.name} {name} {readout} {seed} T{steps[-1]} N{task.samples[1]} C{task.calibration}"
                kept = keep and Path(keep) / ("".join(c if c.isalnum() else "-" for c in words_of) + ".json")
                summary = run(program, task, seed, rule, readout, steps, kept)
                joules = summary["energy"]["joules"][1]
                part = joules["snn"] / joules["ann"]
                found.append((*score(summary, steps), summary["energy"]["snn_synops"], part))
            mean = lambda values: sum(values) / len(values)

            def cell(values):
                spread = f" ± {100 * (max(values) - min(values)) / 2:.1f}" if len(values) > 1 else ""
                return f"{100 * mean(values):.1f}{spread}"

            cells = [cell([of[1][k] for of in found]) for k in range(len(steps))]
            synops = mean([of[2] for of in found])
            print(f"| {name} | {words} | {cell([of[0] for of in found])} | {' | '.join(cells)} | {synops / 1e6:.1f} M | "
                  f"{mean([of[3] for of in found]):.1f} x |",
                  flush=True)


def split_masks(folder, work):
    """Folders of links: every fifth picture by name is for the test, as in the training of the networks."""
    pictures = sorted(path for path in folder.glob("*.png") if not path.stem.endswith("_labels"))
    folders = [Path(work) / "nuclei-train", Path(work) / "nuclei-test"]
    for index, path in enumerate(pictures):
        to = folders[index % 5 == 4]
        to.mkdir(exist_ok=True)
        for name in (path.name, f"{path.stem}_labels.png"):
            (to / name).symlink_to((folder / name).resolve())
    return folders


def split_boxes(folder, work):
    """A folder of links with lists of the same split."""
    to = Path(work) / "bccd"
    lists = to / "ImageSets/Main"
    lists.mkdir(parents=True)
    for name in ("Annotations", "JPEGImages"):
        (to / name).symlink_to((folder / name).resolve())
    names = sorted(path.stem for path in (folder / "Annotations").glob("*.xml"))
    for name, is_test in (("train", False), ("test", True)):
        listed = [of for index, of in enumerate(names) if (index % 5 == 4) == is_test]
        (lists / f"{name}.txt").write_text("\n".join(listed) + "\n")
    return to


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.environ.get("SPIKESCOPE", ROOT / "target/release/spikescope"))
    parser.add_argument("--real", metavar="DATA", help="folder with segmentation/ and detection/bccd/")
    parser.add_argument("--nuclei", metavar="MODEL", default=ROOT / "assets/nuclei-seg.safetensors")
    parser.add_argument("--cells", metavar="MODEL", default=ROOT / "assets/blood-cells-det.safetensors")
    parser.add_argument("--only", choices=["masks", "boxes"])
    parser.add_argument("--samples", type=int, default=24, help="pictures of each line")
    parser.add_argument("--calibration", type=int, default=200, help="pictures of the calibration")
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--rules", default="", help="only the threshold rules whose name has this text")
    parser.add_argument("--keep", metavar="FOLDER", help="finished summaries are kept here and not computed again")
    parser.add_argument("--skip-generated", action="store_true", help="real pictures alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        args.work = work
        measure(args)


def measure(args):
    steps = [t for t in AT if t <= args.steps] or [args.steps]
    count, calibration = args.samples, args.calibration
    tasks = []
    if args.only != "boxes" and not args.skip_generated:
        tasks.append(Task("Generated scenes, mIoU in %", "builtin:scenes-seg", "builtin:scenes", "builtin:scenes-train",
                          True, (0, count), calibration))
    if args.only != "masks" and not args.skip_generated:
        tasks.append(Task("Generated scenes, mAP in %", "builtin:scenes-det", "builtin:scenes", "builtin:scenes-train",
                          True, (0, count), calibration))
    if args.real:
        data = Path(args.real)
        if args.only != "boxes":
            train, test = split_masks(data / "segmentation/dsb2018_fluo256", args.work)
            tasks.append(Task("Nuclei, mIoU in %", args.nuclei, f"masks:{test}", f"masks:{train}", False, (0, 20), 80))
        if args.only != "masks":
            cells = split_boxes(data / "detection/bccd", args.work)
            of = lambda split: f"voc:{cells},split={split},size=160x128"
            tasks.append(Task("Blood cells, mAP in %", args.cells, of("test"), of("train"), False, (0, 58), calibration))
    for task in tasks:
        table(str(args.program), task, steps, args.rules, args.keep)


if __name__ == "__main__":
    main()
