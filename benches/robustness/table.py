"""Trains small spiking networks plainly, with SR, AT and both, attacks each, and prints the table of docs/robustness.md.

python benches/robustness/table.py --spikescope target/release/spikescope --out OUT [--data digits,fashion,events]
    [--methods "plain,SR,AT,SR + AT"]

What OUT already has is not computed again: a table that was interrupted goes on where it stopped, a training after its last
complete epoch.
"""

import argparse
import gzip
import json
import statistics
import subprocess
from pathlib import Path

METHODS = {"plain": [], "SR": ["sr"], "AT": ["at"], "SR + AT": ["sr", "at"]}
ATTACKS = {
    "noise": ["--attack", "uniform"],
    "FGSM": ["--attack", "fgsm"],
    "PGD-10": ["--attack", "pgd", "--attack-steps", "10"],
    "PGD-30": ["--attack", "pgd", "--attack-steps", "30"],
    "APGD": ["--attack", "apgd", "--attack-steps", "10"],
    "Square": ["--attack", "square", "--queries", "200"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spikescope", default="target/release/spikescope")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", default="digits,fashion,events")
    parser.add_argument("--methods", default=",".join(METHODS), help="trainings, in the order of the rows")
    parser.add_argument("--fashion", default="../shared/data/fashion-mnist", help="folder with the IDX files")
    parser.add_argument("--arch", default="mlp")
    parser.add_argument("--steps", default="8")
    parser.add_argument("--epochs", default="4")
    parser.add_argument("--eps", default="8/255")
    parser.add_argument("--sr", default="0.002", help="weight of the regularizer")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--samples", default="0..100")
    parser.add_argument("--attacks", default=",".join(ATTACKS))
    parser.add_argument("--fashion-samples", type=int, default=6000, help="training images of Fashion-MNIST, the first ones")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    attacks = args.attacks.split(",")
    print("| data | training | clean | " + " | ".join(attacks) + " | density | ‖∇f‖₁ |")
    print("|---" * (len(attacks) + 5) + "|")
    for data in args.data.split(","):
        for method in args.methods.split(","):
            rows = [row(args, data, method, METHODS[method], seed, attacks) for seed in args.seeds.split(",")]
            cells = [spread([r[k] for r in rows]) for k in range(len(rows[0]))]
            print(f"| {data} | {method} | " + " | ".join(cells) + " |", flush=True)


def row(args, data, method, parts, seed, attacks):
    """Clean accuracy, accuracy under each attack, effective gradient density (percent) and ‖∇f‖₁ of one network."""
    train, test = sources(args, data)
    name = f"{data}-{method.replace(' + ', '-')}-{seed}"
    network = args.out / f"{name}.safetensors"
    if not network.exists():
        command = [args.spikescope, "train", "--kind", "snn", "--arch", args.arch, "--steps", args.steps]
        command += ["--epochs", args.epochs, "--seed", seed, "--data", train, "--out", str(network)]
        command += ["--sparse-gradient", args.sr] if "sr" in parts else []
        command += ["--adversarial", "pgd", "--adversarial-steps", "5", "--eps", args.eps] if "at" in parts else []
        checkpoint = network.with_suffix(".checkpoint")
        command += ["--resume", str(checkpoint)] if checkpoint.exists() else []
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found, clean, density, length = [], 0.0, 0.0, 0.0
    for attack in attacks:
        folder = args.out / f"{name}-{attack}"
        if not (folder / "attack.json").exists():
            command = [args.spikescope, "attack", "--on", "snn", "--model", str(network), "--data", test]
            command += ["--samples", args.samples, "--calibrate", "0..1", "--eps", args.eps, "--gradient", "surrogate"]
            subprocess.run(command + ATTACKS[attack] + ["--out", str(folder)], check=True, stdout=subprocess.DEVNULL)
        report = json.loads((folder / "attack.json").read_text())
        found.append(100 * report["robust_accuracy"])
        clean = 100 * report["clean_accuracy"]
        if gradient := report.get("vulnerability"):
            # The number of equal pixels that have this ‖∇f‖₁ and ‖∇f‖₂, as a share of all.
            length, pixels = gradient["l1"], gradient["l0"] / gradient["density"]
            density = 100 * (length / gradient["l2"]) ** 2 / pixels
    return [clean, *found, density, length]


def sources(args, data):
    """Training and test samples."""
    if data == "fashion":
        of = lambda folder, part: f"idx:{folder}/{part}-images-idx3-ubyte.gz,{folder}/{part}-labels-idx1-ubyte.gz"
        first_images(args)
        return of(args.out, "train"), of(args.fashion, "t10k")
    return {"digits": ("builtin:digits-train", "builtin:digits"),
            "events": ("builtin:events-digits-train", "builtin:events-digits")}[data]


def first_images(args):
    """Writes the first training images of Fashion-MNIST, and their labels, to the output folder."""
    for kind, header in (("images-idx3-ubyte", 16), ("labels-idx1-ubyte", 8)):
        target = args.out / f"train-{kind}.gz"
        if not target.exists():
            content = gzip.decompress((Path(args.fashion) / f"train-{kind}.gz").read_bytes())
            size = 28 * 28 if header == 16 else 1
            count = args.fashion_samples.to_bytes(4, "big")
            target.write_bytes(gzip.compress(content[:4] + count + content[8 : header + args.fashion_samples * size]))


def spread(values):
    mean = statistics.mean(values)
    return f"{mean:.1f}" if len(values) == 1 else f"{mean:.1f} ± {statistics.stdev(values):.1f}"


main()
