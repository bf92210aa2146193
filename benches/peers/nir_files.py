"""NIR files of every package: makes them with the packages, opens each and compares spike counts where the package runs.

    python -m venv V && V/bin/pip install nir==1.0.8 nirtorch==2.6 snntorch==1.0.0 sinabs==3.1.3 spikingjelly==2.0.0 \
        norse==1.1.0 rockpool==3.1.0 torchvision pytest
    V/bin/pip download nir==1.0.8 nirtorch==2.6 --no-deps --no-binary :all: -d SDIST; tar xzf each of them there
    V/bin/python benches/peers/nir_files.py target/release/spikescope [--tests SDIST] [--folder DIR] [--only WORD] [--markdown]

Two sources: networks written here with each package (those of the NIR paper among them), and every graph that the tests of
`nir` and `nirtorch` build. `spikescope check` opens a file or refuses it; a refusal must name a node or the place. Of opened
files with neurons, `spikescope export` gives the spikes of T steps, which are compared with those of the package.
"""

import argparse
import collections
import contextlib
import importlib.util
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
# sinabs and rockpool try to install a driver when they are imported.
os.environ["PIP_NO_INDEX"] = "1"
logging.disable(logging.WARNING)

import nir
import numpy as np
import torch

torch.set_num_threads(1)
STEPS, SAMPLES = 16, 4
Case = collections.namedtuple("Case", "package name graph shape options run", defaults=(None, "", None))


building = [""]


def quiet(function, *arguments, **named):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return function(*arguments, **named)


def stepped(net, modules, call):
    """A function of samples: spikes of every module in `modules`, in order, over the steps."""

    def run(samples):
        counts = [[] for _ in modules]
        for sample in samples:
            sums = [0] * len(modules)

            def hook(at):
                def add(_module, _inputs, output):
                    spikes = output[0] if isinstance(output, tuple) else output
                    sums[at] = sums[at] + spikes.detach().reshape(-1).numpy()

                return add

            hooks = [module.register_forward_hook(hook(at)) for at, module in enumerate(modules)]
            with torch.no_grad():
                call(net, torch.from_numpy(sample)[None])
            for handle in hooks:
                handle.remove()
            for at, total in enumerate(sums):
                counts[at].append(total)
        return [np.stack(layer) for layer in counts]

    return run


def spread(module):
    """Weights that make neurons fire at different rates."""
    torch.manual_seed(1)
    for weights in module.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, 0.05, 1.2 / np.sqrt(weights[0].numel()))
    return module


def spikingjelly():
    from spikingjelly.activation_based import base, functional, layer, neuron, nir_exchange
    from torch import nn

    def case(name, shape, *layers, dt=1e-4, mode="s"):
        building[0] = name
        net = spread(nn.Sequential(*layers))
        functional.set_step_mode(net, mode)
        example = torch.rand(*([2] if mode == "m" else []), 1, *shape)
        graph = nir_exchange.export_to_nir(net, example, dt=dt)
        functional.set_step_mode(net, "s")

        def call(net, x):
            functional.reset_net(net)
            [net(x) for _ in range(STEPS)]

        kinds = [module for module in net if isinstance(module, base.MemoryModule)]
        return Case("spikingjelly", name, graph, shape, "--reset hard --tie ge", stepped(net, kinds, call))

    fire = lambda: neuron.IFNode(v_reset=0.0)
    yield lambda: case("mlp", (8,), nn.Linear(8, 12), fire(), nn.Linear(12, 3, bias=False), fire())
    yield lambda: case("mlp, dt = 0.001", (8,), nn.Linear(8, 12), fire(), nn.Linear(12, 3), fire(), dt=1e-3)
    yield lambda: case(
        "cnn", (1, 8, 8), nn.Conv2d(1, 4, 3, padding=1), fire(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 3), fire()
    )
    yield lambda: case(
        "cnn, several steps at once", (2, 8, 8), layer.Conv2d(2, 4, 3, stride=2), fire(), layer.Flatten(), layer.Linear(36, 3), mode="m"
    )
    yield lambda: case("conv1d", (2, 10), nn.Conv1d(2, 4, 3), fire(), nn.Flatten(), nn.Linear(32, 3), fire())
    yield lambda: case("threshold 0.7", (8,), nn.Linear(8, 12), neuron.IFNode(0.7, v_reset=0.0), nn.Linear(12, 3))
    yield lambda: case("reset to -0.2", (8,), nn.Linear(8, 12), neuron.IFNode(v_reset=-0.2), nn.Linear(12, 3))
    for kind in (neuron.LIFNode, neuron.ParametricLIFNode, neuron.CUBALIFNode):
        extra = {"c_decay": 0.5, "v_decay": 0.5} if kind is neuron.CUBALIFNode else {}
        yield lambda kind=kind, extra=extra: case(kind.__name__, (8,), nn.Linear(8, 6), kind(v_reset=0.0, **extra), nn.Linear(6, 3))


def snntorch():
    import snntorch as snn
    from snntorch.export_nir import export_to_nir
    from torch import nn

    def case(name, shape, *layers, example=None, ignored=(0,)):
        building[0] = name
        net = spread(nn.Sequential(*layers))
        graph = quiet(export_to_nir, net, torch.rand(1, *shape) if example is None else example, ignore_dims=list(ignored))

        def call(net, x):
            for module in net:
                if isinstance(module, snn.Leaky):
                    module.reset_mem()
            [net(x) for _ in range(STEPS)]

        kinds = [module for module in net if isinstance(module, snn.Leaky)]
        return Case("snntorch", name, graph, shape, "--reset soft --tie gt", stepped(net, kinds, call))

    def leaky(*shape, beta=1.0, threshold=1.0):
        # One value per neuron: scalars fail the type check of nir.
        full = lambda value: torch.full(shape, value) if shape else value
        return snn.Leaky(beta=full(beta), threshold=full(threshold), init_hidden=True)

    yield lambda: case("mlp, beta = 1", (8,), nn.Linear(8, 12), leaky(12), nn.Linear(12, 3, bias=False), leaky(3))
    yield lambda: case("mlp, beta = 1 as one number", (8,), nn.Linear(8, 12), leaky(), nn.Linear(12, 3), leaky())
    yield lambda: case("mlp, batch not ignored", (8,), nn.Linear(8, 12), leaky(12), nn.Linear(12, 3), leaky(3), ignored=())
    yield lambda: case(
        "cnn, beta = 1", (1, 8, 8), nn.Conv2d(1, 4, 3), leaky(4, 6, 6, threshold=0.8), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 3), leaky(3)
    )
    yield lambda: case(
        "cnn, batch of 5 not ignored", (1, 8, 8), nn.Conv2d(1, 4, 3), leaky(4, 6, 6), nn.Flatten(), nn.Linear(144, 3), example=torch.rand(5, 1, 8, 8), ignored=()
    )
    yield lambda: case("Leaky, beta = 0.9", (8,), nn.Linear(8, 6), leaky(6, beta=0.9), nn.Linear(6, 3), leaky(3, beta=0.9))
    full = lambda value, count: torch.full((count,), value)
    synaptic = lambda count: snn.Synaptic(full(0.5, count), full(0.9, count), threshold=full(1.0, count), init_hidden=True)
    yield lambda: case("Synaptic", (8,), nn.Linear(8, 6), synaptic(6), nn.Linear(6, 3))
    yield lambda: case("RLeaky", (8,), nn.Linear(8, 6), snn.RLeaky(0.9, linear_features=6, init_hidden=True), nn.Linear(6, 3))
    yield lambda: case("RLeaky, beta = 1", (8,), nn.Linear(8, 6), snn.RLeaky(1.0, linear_features=6, init_hidden=True), nn.Linear(6, 3))
    # The Braille reader of the NIR paper.
    yield lambda: case(
        "paper: braille", (12,), nn.Linear(12, 40), snn.RSynaptic(0.5, 0.9, linear_features=40, init_hidden=True), nn.Linear(40, 7), synaptic(7)
    )


def sinabs():
    import sinabs.layers as sl
    from sinabs.activation import SingleSpike
    from sinabs.nir import to_nir
    from torch import nn

    def case(name, shape, *layers):
        building[0] = name
        net = spread(nn.Sequential(*layers))
        quiet(net, torch.rand(1, *shape))
        graph = to_nir(net, torch.rand(1, *shape))
        if hasattr(graph, "infer_types"):
            with contextlib.suppress(Exception):
                graph.infer_types()

        def call(net, x):
            for module in net:
                if isinstance(module, sl.IAFSqueeze):
                    module.reset_states()
            [net(x) for _ in range(STEPS)]

        kinds = [module for module in net if isinstance(module, sl.IAFSqueeze)]
        return Case("sinabs", name, graph, shape, "--reset soft --tie ge", stepped(net, kinds, call))

    fire = lambda **more: sl.IAFSqueeze(batch_size=1, min_v_mem=None, spike_fn=SingleSpike, **more)
    yield lambda: case("mlp", (8,), nn.Linear(8, 12), fire(), nn.Linear(12, 3, bias=False), fire())
    yield lambda: case(
        "cnn", (2, 8, 8), nn.Conv2d(2, 4, 3, padding=1), fire(), sl.SumPool2d(2), nn.Flatten(), nn.Linear(64, 3, bias=False), fire(spike_threshold=torch.tensor(4.0))
    )
    yield lambda: case("conv1d", (2, 10), nn.Conv1d(2, 4, 3), fire(), nn.Flatten(), nn.Linear(32, 3), fire())
    # The network of the NIR paper for N-MNIST.
    conv = lambda *sizes, **more: nn.Conv2d(*sizes, bias=False, **more)
    yield lambda: case(
        "paper: cnn", (2, 34, 34), conv(2, 16, 5, stride=2, padding=1), fire(), conv(16, 16, 3, padding=1), fire(), sl.SumPool2d(2),
        conv(16, 8, 3, padding=1), fire(), sl.SumPool2d(2), nn.Flatten(), nn.Linear(128, 256, bias=False), fire(), nn.Linear(256, 10, bias=False), fire()
    )
    yield lambda: case("LIF", (8,), nn.Linear(8, 6), sl.LIFSqueeze(tau_mem=10.0, batch_size=1), nn.Linear(6, 3))
    yield lambda: case("ExpLeak", (8,), nn.Linear(8, 6), sl.ExpLeakSqueeze(tau_mem=10.0, batch_size=1), nn.Linear(6, 3))


def published(path):
    """Runs a file as sinabs opens it, with one spike a step and no lower bound."""
    import sinabs.layers as sl
    from sinabs.activation import SingleSpike
    from sinabs.nir import from_nir

    net = from_nir(nir.read(path), batch_size=1)
    # The names of its nodes are numbers in the order of the layers.
    named = sorted((int(name), module) for name, module in net.named_modules() if isinstance(module, sl.IAFSqueeze))
    kinds = [module for _, module in named]
    for module in kinds:
        module.spike_fn, module.min_v_mem = SingleSpike, None

    def call(net, x):
        for module in kinds:
            module.reset_states()
        state = None
        for _ in range(STEPS):
            _, state = net(x, state)

    return stepped(net, kinds, call)


def norse():
    import norse.torch as norse
    from norse.torch.utils.export_nir import to_nir
    from torch import nn

    def case(name, shape, *layers, example=None):
        building[0] = name
        net = spread(norse.SequentialState(*layers))
        graph = quiet(to_nir, net, torch.rand(1, *shape) if example is None else example)

        def call(net, x):
            state = None
            for _ in range(STEPS):
                _, state = net(x, state)

        kinds = [module for module in net.modules() if type(module).__name__ == "IAFCell"]
        return Case("norse", name, graph, shape, "--reset hard --tie gt", stepped(net, kinds, call))

    yield lambda: case("mlp", (8,), nn.Linear(8, 12), norse.IAFCell(), nn.Linear(12, 3, bias=False), norse.IAFCell())
    yield lambda: case("mlp, no batch", (8,), nn.Linear(8, 12), norse.IAFCell(), nn.Linear(12, 3), example=torch.rand(8))
    yield lambda: case("cnn", (1, 8, 8), nn.Conv2d(1, 4, 3), norse.IAFCell(), nn.Conv2d(4, 3, 6), norse.IAFCell())
    yield lambda: case("cnn with Flatten", (1, 8, 8), nn.Conv2d(1, 4, 3), norse.IAFCell(), nn.Flatten(), nn.Linear(144, 3))
    for cell in (norse.LIFCell, norse.LIFBoxCell, norse.LIBoxCell):
        yield lambda cell=cell: case(cell.__name__, (8,), nn.Linear(8, 6), cell(), nn.Linear(6, 3))


def rockpool():
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules.torch import ExpSynTorch, LIFNeuronTorch, LIFTorch, LinearTorch
    from rockpool.nn.modules.torch.nir import to_nir

    def case(name, *layers):
        building[0] = name
        return Case("rockpool", name, to_nir(Sequential(*layers)), (8,))

    for kind in (LIFTorch, LIFNeuronTorch, ExpSynTorch):
        yield lambda kind=kind: case(kind.__name__, LinearTorch((8, 6)), kind(6), LinearTorch((6, 3)))
    yield lambda: case("linear layers", LinearTorch((8, 6), has_bias=True), LinearTorch((6, 3)))


def paper():
    """The graphs of the NIR paper that nir itself builds; those of packages are theirs."""
    one = np.ones(1)
    lif = lambda n=1: nir.LIF(tau=np.full(n, 0.02), r=np.ones(n), v_leak=np.zeros(n), v_threshold=np.full(n, 0.1))
    yield lambda: Case("nir", "paper: LIF neuron", nir.NIRGraph.from_list(nir.Affine(np.eye(1), 0 * one), lif()), (1,))
    yield lambda: Case("nir", "paper: two LIF neurons", nir.NIRGraph.from_list(nir.Linear(np.eye(1)), lif(), nir.Linear(np.eye(1)), lif()), (1,))
    cuba = lambda n: nir.CubaLIF(*(np.full(n, v) for v in (0.01, 0.02, 1.0, 0.0, 0.5)))
    loop = lambda: nir.NIRGraph(
        {"input": nir.Input(np.array([4])), "lif": cuba(4), "w_rec": nir.Linear(np.eye(4)), "delay": nir.Delay(np.full(4, 1e-4)), "output": nir.Output(np.array([4]))},
        [("input", "lif"), ("lif", "delay"), ("delay", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    yield lambda: Case("nir", "paper: braille with an inner graph and delays", nir.NIRGraph.from_list(nir.Affine(np.ones((4, 12)), np.zeros(4)), loop(), nir.Linear(np.ones((7, 4))), cuba(7)), (12,))


def graphs_of_tests(package, folder):
    """Every outermost graph that the tests of `package` in `folder` build, by the name of the test, and its files."""
    built, start = [], nir.NIRGraph.__init__

    def record(self, *arguments, **named):
        start(self, *arguments, **named)
        built.append(self)

    found = sorted(os.path.join(at, file) for at, _, files in os.walk(folder) for file in files)
    for path in (path for path in found if path.endswith(".nir")):
        yield Case(f"{package}, tests", os.path.basename(path), path, None)
        if os.path.basename(path) == "scnn_mnist.nir":
            yield Case("sinabs", "paper: scnn_mnist.nir as published", path, (2, 34, 34), "--reset soft --tie ge", published(path))
    nir.NIRGraph.__init__ = record
    sys.path[:0] = [folder]
    try:
        for path in found:
            name = os.path.basename(path)[:-3]
            text = open(path).read() if re.fullmatch(r"test_.*\.py", os.path.basename(path)) else ""
            if "nir" not in text or "dynapcnn" in text:
                continue
            sys.path.insert(0, os.path.dirname(path))
            spec = importlib.util.spec_from_file_location(f"tests.{name}", path)
            module = importlib.util.module_from_spec(spec)
            try:
                quiet(spec.loader.exec_module, module)
            except BaseException as error:
                print(f"{package} {name}: {type(error).__name__} {error}", file=sys.stderr)
                continue
            for test in [test for test in vars(module) if test.startswith("test_")]:
                built.clear()
                with contextlib.suppress(BaseException), contextlib.chdir(folder):
                    quiet(getattr(module, test))
                inner = {id(node) for graph in built for node in graph.nodes.values()}
                graphs = [graph for graph in built if id(graph) not in inner]
                for at, graph in enumerate(graphs):
                    number = f" {at + 1}" if len(graphs) > 1 else ""
                    yield Case(f"{package}, tests", f"{name[5:]}.{test[5:]}{number}", graph, None)
    finally:
        nir.NIRGraph.__init__ = start


def kind_of(text):
    """The kind of a result, in few words."""
    kinds = [
        ("cannot be written", "cannot be written"),
        ("opens", "open"),
        ("part of a loop", "recurrent"),
        ("leak", "with a leak"),
        ("Delay)", "with delays"),
        ("Threshold)", "without potential"),
        ("second input", "with several inputs"),
        ("second output", "with several outputs"),
        ("no spiking neurons", "without neurons"),
        ("must be above 0", "with a threshold of 0 or less"),
    ]
    return next((kind for words, kind in kinds if words in text), text)


def first_line(text):
    return text.strip().splitlines()[0] if text.strip() else ""


def compared(program, case, path, folder):
    """What a run gives: share of equal spike counts, or why there is none."""
    rng = np.random.default_rng(0)
    shape = case.shape
    samples = rng.random((SAMPLES, *shape), np.float32)
    data, out = os.path.join(folder, "x.npz"), os.path.join(folder, "run.npz")
    np.savez(data, x=samples, y=np.zeros(SAMPLES, np.int64))
    command = [program, "export", out, "--model", path, "--data", f"npz:{data}", "--scale", "0..1", "--v-init", "0"]
    command += ["--threshold", "learned", "--steps", str(STEPS), *case.options.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return "opens; " + first_line(done.stderr)
    recorded = np.load(out)
    layers = sorted((k for k in recorded.files if re.fullmatch(r"spikes\d+", k)), key=lambda k: int(k[6:]))
    if not case.run:
        return f"opens, runs ({len(layers)} layers of neurons)"
    try:
        theirs = quiet(case.run, samples)
    except Exception as error:
        return f"opens, runs; the package does not: {type(error).__name__} {first_line(str(error))}"
    ours = [recorded[layer].sum(0).reshape(SAMPLES, -1) for layer in layers]
    if len(ours) != len(theirs):
        return f"opens; {len(ours)} layers of neurons, {len(theirs)} in the package"
    equal = sum(int((a == b).sum()) for a, b in zip(ours, theirs))
    total, spikes = sum(a.size for a in ours), int(sum(a.sum() for a in ours))
    return f"{100 * equal / total:.1f} % equal ({total} counts, {spikes} spikes)"


def result(program, case, folder):
    path = os.path.join(folder, re.sub(r"[^A-Za-z0-9.]+", "_", f"{case.package}_{case.name}") + ".nir")
    remark = ""
    if isinstance(case.graph, str):
        shutil.copy(case.graph, path)
        case = case._replace(graph=None)
    try:
        if case.graph is not None:
            quiet(nir.write, path, case.graph)
    except Exception as error:
        remark = f"; nir.write: {type(error).__name__}, written without compression"
        try:
            with contextlib.suppress(Exception):
                case.graph.infer_types()
            quiet(nir.write, path, case.graph, compression=None)
        except Exception:
            return None, f"cannot be written: {type(error).__name__} {first_line(str(error))}"
    done = subprocess.run([program, "check", path, "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        reason = first_line(done.stderr).split(".nir: ", 1)[-1]
        return path, f"refused: {reason}" if done.returncode == 2 else f"FAILED with {done.returncode}: {reason}"
    findings = json.loads(done.stdout)["findings"]
    step = next((f["text"].split(":")[0].split(",")[0] for f in findings if f["kind"] == "time step"), "")
    text = "opens" if case.shape is None else compared(program, case, path, folder)
    return path, text + (f"; {step}" if step else "") + remark


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--tests")
    parser.add_argument("--folder")
    parser.add_argument("--only", default="")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    cases = []
    for writer in (spikingjelly, snntorch, sinabs, norse, rockpool, paper):
        if options.only and options.only not in writer.__name__:
            continue
        for make in writer():
            try:
                cases.append(make())
            except Exception as error:
                cases.append(Case(writer.__name__, building[0], None, None, f"{type(error).__name__}: {first_line(str(error))}"))
    if options.tests and not options.only:
        for entry in sorted(os.listdir(options.tests)):
            folder_of = os.path.join(options.tests, entry)
            if os.path.isdir(folder_of):
                cases.extend(graphs_of_tests(entry.split("-")[0], folder_of))
    if options.markdown:
        print("| package | network | result |\n|---|---|---|")
    kinds = collections.defaultdict(collections.Counter)
    for case in cases:
        text = f"the package does not write it: {case.options}" if case.graph is None else result(options.program, case, folder)[1]
        text = text.replace(folder + "/", "")
        if case.package.endswith(", tests") and options.markdown:
            kinds[case.package][kind_of(text)] += 1
            continue
        print(f"| {case.package} | {case.name} | {text} |" if options.markdown else f"{case.package:16} {case.name:34} {text}", flush=True)
    for package, counts in kinds.items():
        parts = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        print(f"| {package} | {sum(counts.values())} graphs and files | {parts} |")


if __name__ == "__main__":
    sys.exit(main())
