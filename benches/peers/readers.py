"""NIR files in their readers: exports networks for each package, opens them there and compares the spike counts.

    python -m venv V && V/bin/pip install nir==1.0.8 nirtorch==2.6 snntorch==1.0.0 sinabs==3.1.3 spikingjelly==2.0.0 norse==1.1.0 onnx
    V/bin/python benches/peers/readers.py target/release/spikescope [NETWORK…] [--only READER] [--folder DIR]

For each network and reader: `spikescope export NET.nir RUN.npz --for READER`; then the Python that the file carries in its
metadata (`python`) is executed as it stands, the network runs T steps, and the spikes of every neuron are compared with
RUN.npz. A cell has the share of neurons with equal counts, and in brackets that without the lines that change neurons.
"""

import argparse
import contextlib
import io
import logging
import os
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)

READERS = ["spikingjelly", "snntorch", "sinabs", "norse"]
BUNDLED = ["builtin:digits-mlp", "builtin:digits-cnn", "builtin:digits-resnet"]
STEPS, SAMPLES = 16, 2


def onnx_networks(folder):
    """Ten networks of kinds that need a rewritten graph, with random weights and data: (name, model, data)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(3)

    def weights(*shape):
        return rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:])) * 1.5

    def node(kind, inputs, output, **attributes):
        return helper.make_node(kind, inputs.split(), [output], name=output, **attributes)

    def net(name, shape, nodes, values):
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in values.items()],
        )
        model = os.path.join(folder, f"{name}.onnx")
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), model)
        data = os.path.join(folder, f"{name}.npz")
        np.savez(data, x=rng.random((40, *shape), np.float32))
        return name, model, f"npz:{data}"

    def single(name, side, kernel, out, **attributes):
        nodes = [
            node("Conv", "x k", "c", **attributes),
            node("Relu", "c", "r"),
            node("Flatten", "r", "f"),
            node("Gemm", "f v", "y"),
        ]
        return net(name, (1, *side), nodes, {"k": weights(3, 1, *kernel), "v": weights(3 * out[0] * out[1], 3).T.copy().T})

    image = {"a": weights(4, 1, 3, 3), "b": weights(4, 4, 3, 3), "s": weights(4, 4, 1, 1), "v": weights(64 * 4, 3)}
    pads = {"pads": [1, 1, 1, 1]}
    head = [node("Flatten", "last", "f"), node("Gemm", "f v", "y")]
    yield single("k1x3", (8, 8), (1, 3), (8, 6))
    yield single("k5x1", (8, 8), (5, 1), (4, 8))
    yield single("k2x3", (8, 8), (2, 3), (7, 6))
    yield single("text3x8", (12, 8), (3, 8), (10, 1))
    yield single("uneven", (8, 8), (3, 3), (7, 8), pads=[0, 1, 1, 1])
    two = [
        node("Gemm", "x a", "p"),
        node("Relu", "p", "q"),
        node("Gemm", "q b", "s"),
        node("Gemm", "q d", "t"),
        node("Add", "s t", "y"),
    ]
    yield net("two_ends", (8,), two, {"a": weights(8, 6), "b": weights(6, 3), "d": weights(6, 3)})
    identity = [
        node("Conv", "x a", "c1", **pads),
        node("Relu", "c1", "r1"),
        node("Conv", "r1 b", "c2", **pads),
        node("Add", "c2 r1", "sum"),
        node("Relu", "sum", "last"),
    ]
    yield net("residual", (1, 8, 8), identity + head, image)
    shortcut = [*identity[:3], node("Conv", "r1 s", "c3"), node("Add", "c2 c3", "sum"), node("Relu", "sum", "last")]
    yield net("shortcut", (1, 8, 8), shortcut + head, image)
    joined = [
        node("Conv", "x a", "c1", **pads),
        node("Relu", "c1", "r1"),
        node("Conv", "r1 b", "c2", **pads),
        node("Relu", "c2", "r2"),
        node("Concat", "r1 r2", "last", axis=1),
    ]
    yield net("joined", (1, 8, 8), joined + head, image | {"v": weights(64 * 8, 3)})
    pooled = [
        node("Conv", "x a", "c1", **pads),
        node("Relu", "c1", "r1"),
        node("AveragePool", "r1", "p1", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1),
        node("Conv", "p1 b", "c2", **pads),
        node("Relu", "c2", "last"),
    ]
    yield net("padded_pool", (1, 8, 8), pooled + head, image | {"v": weights(64, 3)})


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def split(python):
    """The lines that open the file, and those that change neurons."""
    lines = python.split("\n")
    at = next((i for i, line in enumerate(lines) if line.startswith("net = ")), len(lines) - 1) + 1
    late = [line for line in lines[:at] if re.match(r"(Above|step) = ", line)]
    return [line for line in lines[:at] if line not in late], late + lines[at:]


def neurons(net, reader):
    if reader == "spikingjelly":
        from spikingjelly.activation_based.neuron import IFNode as kind
    elif reader == "snntorch":
        from snntorch import Leaky as kind
    elif reader == "sinabs":
        from sinabs.layers import IAFSqueeze as kind
    else:
        from norse.torch import IAFCell as kind
    if reader == "spikingjelly":
        # Its neurons are called by a module around each of them.
        return {name: m for name, m in net.named_modules() if isinstance(getattr(m, "module", None), kind)}
    return {name: m for name, m in net.named_modules() if isinstance(m, kind)}


def run(net, reader, sample):
    """Spike counts of every layer over the steps, by the name of its node."""
    counts = {}

    def count(name):
        def hook(_module, _inputs, output):
            spikes = output[0] if isinstance(output, tuple) else output
            counts[name] = counts.get(name, 0) + spikes.detach().reshape(-1).numpy()

        return hook

    hooks = [module.register_forward_hook(count(name)) for name, module in neurons(net, reader).items()]
    x, state = torch.from_numpy(sample)[None], None
    with torch.no_grad():
        for _ in range(STEPS):
            # Every reader returns its output with the state of all nodes.
            _, state = net(x, state)
    for hook in hooks:
        hook.remove()
    return counts


def compare(path, expected, samples, reader, change):
    """Share of equal counts over all neurons and samples."""
    import nir

    meta = nir.read(path, type_check=False).metadata
    opening, changing = split(text(meta["python"]))
    same = total = 0
    for k, sample in enumerate(samples):
        scope = {}
        with contextlib.redirect_stdout(io.StringIO()):
            code = "\n".join(opening + (changing if change else []))
            exec(code.replace("net.nir", path), scope)
            counts = run(scope["net"], reader, sample)
        found = [counts[name] for name in sorted(counts)]
        for name, spikes in counts.items():
            theirs, ours = spikes, expected[name][k]
            same, total = same + int((theirs == ours).sum()), total + ours.size
        if len(found) != len(expected):
            raise ValueError(f"{len(found)} layers of {len(expected)}")
    return same / total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--only")
    parser.add_argument("--folder")
    parser.add_argument("--recipe", default="--threshold max")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    all_networks = [(name.split(":")[1], name, None) for name in BUNDLED] + list(onnx_networks(folder))
    readers = [options.only] if options.only else READERS
    print("| network | " + " | ".join(readers) + " |\n|---|" + "---|" * len(readers))
    for name, model, data in all_networks:
        if options.networks and name not in options.networks:
            continue
        cells = []
        for reader in readers:
            net, archive = (os.path.join(folder, f"{name}-{reader}.{ending}") for ending in ("nir", "npz"))
            command = [options.program, "export", net, archive, "--model", model, "--for", reader, "--steps", str(STEPS)]
            command += options.recipe.split()
            if data:
                command += ["--data", data, "--calibrate", "0..32", "--samples", f"32..{32 + SAMPLES}", "--scale", "0..1"]
            else:
                command += ["--samples", f"256..{256 + SAMPLES}", "--calibrate", "0..64"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                cells.append("not written: " + done.stderr.strip().split("unsupported by ")[-1])
                continue
            cells.append(cell(net, archive, reader))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def cell(net, archive, reader):
    import nir

    recorded = np.load(archive)
    graph = nir.read(net, type_check=False)
    layers = sorted(k for k in recorded.files if k.startswith("spikes"))
    order = [name for name in text(graph.metadata["order"]).split() if isinstance(graph.nodes[name], nir.IF)]
    expected = {}
    for index in range(len(layers)):
        spikes = recorded[f"spikes{index}"].sum(0)
        expected[order[index]] = spikes.reshape(spikes.shape[0], -1)
    samples = [recorded["input"][k].astype(np.float32) for k in range(SAMPLES)]
    results = []
    for change in (True, False):
        try:
            results.append(f"{100 * compare(net, expected, samples, reader, change):.1f} %")
        except Exception as error:  # What the reader says is the result.
            results.append(f"{type(error).__name__}: {str(error).splitlines()[0][:70]}")
    return f"{results[0]} ({results[1]})"


if __name__ == "__main__":
    sys.exit(main())
