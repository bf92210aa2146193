#!/usr/bin/env python3
"""Memory of a run on scenes: what a refusal says it needs against what the process takes.

    cargo build --release
    benches/scenes/memory.py                # generated scenes
    benches/scenes/memory.py --real DATA    # and the nuclei below the folder DATA

Needs Linux, Python 3.9 and nothing else. The process itself, the data and the calibration are there before the run: they are the
peak of a run with one picture and one step without what that run needs. Prints Markdown.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from figures import ROOT, split_masks

UNITS = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}


def peak(command):
    """Largest resident size of a command, in MiB."""
    pid = subprocess.Popen(command, stdout=subprocess.DEVNULL).pid
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return usage.ru_maxrss / 1024


def needs(program, options, folder):
    """What a run with `options` needs according to its refusal, in MiB."""
    plan = Path(folder) / "plan.toml"
    lines = [f'{name[2:]} = {value if name == "--steps" else chr(34) + str(value) + chr(34)}' for name, value in options]
    plan.write_text('name = "memory"\n[base]\n' + "\n".join(lines) + "\n")
    # First the calibration is refused, then, with a limit right above what it needs, the run.
    limit = 1e-6
    for what in ("calibrate", "run"):
        with tempfile.TemporaryDirectory() as out:
            command = [program, "sweep", plan, "--out", out, "--memory", str(limit)]
            done = subprocess.run(command, capture_output=True, text=True)
        found = re.search(rf"Cannot {what}.*: needs ([\d.]+) (\w+)", done.stderr + done.stdout)
        if not found:
            sys.exit(f"no refusal:\n{done.stderr}{done.stdout}")
        needed = float(found[1]) * UNITS[found[2]]
        limit = needed * 1.02 / 1024
    return needed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.environ.get("SPIKESCOPE", ROOT / "target/release/spikescope"))
    parser.add_argument("--real", metavar="DATA", help="folder with segmentation/")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        generated = {"--data": "builtin:scenes", "--calibrate-data": "builtin:scenes-train"}
        cases = [
            ("detector", {"--model": "builtin:scenes-det", **generated}, [(50, 16), (50, 64), (50, 256)]),
            ("segmentation", {"--model": "builtin:scenes-seg", **generated}, [(24, 16), (24, 64), (10, 256)]),
        ]
        if args.real:
            train, test = split_masks(Path(args.real) / "segmentation/dsb2018_fluo256", work)
            nuclei = {"--model": ROOT / "assets/nuclei-seg.safetensors", "--data": f"masks:{test}"}
            cases.append(("nuclei", {**nuclei, "--calibrate-data": f"masks:{train}"}, [(10, 16), (5, 64), (1, 256)]))
        print("| network | pictures, T | needs | taken | difference |\n|---|---|---|---|---|")
        for name, options, sizes in cases:

            def both(pictures, steps):
                of = {**options, "--calibrate": "0..1", "--samples": f"0..{pictures}", "--steps": steps}
                command = [args.program, "run", *(str(word) for pair in of.items() for word in pair)]
                return needs(args.program, list(of.items()), work), peak([*command, "--out", Path(work) / "out"])

            predicted, taken = both(1, 1)
            before = taken - predicted
            for pictures, steps in sizes:
                predicted, taken = both(pictures, steps)
                taken -= before
                print(f"| {name} | {pictures}, {steps} | {predicted:.0f} MiB | {taken:.0f} MiB | "
                      f"{100 * (predicted / taken - 1):+.0f} % |", flush=True)


if __name__ == "__main__":
    main()
