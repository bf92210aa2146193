"""The spiking network in PyTorch, simulated in four ways.

| mode | what it is |
|---|---|
| `jelly-single` | SpikingJelly, step mode 's': one pass of the network per step |
| `jelly-multi` | SpikingJelly, step mode 'm': layers take `[T, N, ...]` |
| `folded` | time folded into the batch by hand and a loop over T in the neurons, as the authors of QCFS, SRP and COS write it |
| `plain` | a careful loop by hand: in-place neurons, and what does not depend on spikes is computed once |

All are the same network: current input, v(0) = theta / 2, `v >= theta` fires, reset by subtraction, summed readout.
"""

import torch
import torch.nn.functional as F
from spikingjelly.activation_based import functional, layer, neuron
from torch import nn

MODES = ("jelly-single", "jelly-multi", "folded", "plain")


class InPlaceNeuron(nn.Module):
    """Integrate-and-fire for one step at a time, in place."""

    def __init__(self, theta):
        super().__init__()
        self.theta = theta
        self.v = None

    def forward(self, x):
        if self.v is None:
            self.v = torch.full_like(x, self.theta / 2)
        spikes = self.v.add_(x).ge(self.theta).to(x.dtype)
        self.v.sub_(spikes, alpha=self.theta)
        return spikes

    def reset(self):
        self.v = None


class FoldedNeuron(nn.Module):
    """Integrate-and-fire over `[T * N, ...]`: unfolds time, loops, and folds it again."""

    def __init__(self, theta):
        super().__init__()
        self.theta = theta
        self.steps = 1

    def forward(self, x):
        x = x.unflatten(0, (self.steps, -1))
        v = torch.full_like(x[0], self.theta / 2)
        spikes = []
        for current in x:
            v = v + current
            spike = (v >= self.theta).to(x.dtype)
            v = v - spike * self.theta
            spikes.append(spike)
        return torch.stack(spikes).flatten(0, 1)

    def reset(self):
        pass


class Simulator(nn.Module):
    """The nodes of `onnx_graph` as modules; `mode` is one of `MODES`."""

    def __init__(self, nodes, mode):
        super().__init__()
        self.nodes, self.mode = nodes, mode
        self.layers = nn.ModuleList(module_of(node, mode) for node in nodes)
        self.last_use = [max([i for i, node in enumerate(nodes) if at in node.inputs], default=at) for at in range(len(nodes))]
        self.steady = self._steady()
        if mode == "jelly-multi":
            functional.set_step_mode(self, "m")
        self.requires_grad_(False).eval()

    def neurons(self):
        """The layers of neurons, in network order."""
        return [module for module, node in zip(self.layers, self.nodes) if node.kind == "neuron"]

    def simulate(self, x, steps, each=None):
        """Runs `steps` steps on `x` `[N, ...]` and returns the summed readout `[N, classes]`.

        `each`, where given, is told the readout summed so far after every step, in order.
        """
        self._reset()
        each = each or (lambda total: None)
        if self.mode in ("jelly-multi", "folded"):
            sequence = x.unsqueeze(0).expand(steps, *x.shape)
            if self.mode == "folded":
                for module in self.neurons():
                    module.steps = steps
                out = self._run(sequence.flatten(0, 1)).unflatten(0, (steps, -1))
            else:
                out = self._run(sequence)
            for total in out.cumsum(0):
                each(total)
            return out.sum(0)
        kept = self._run(x, only=self.steady) if self.mode == "plain" else {}
        total = 0
        for _ in range(steps):
            total = total + self._run(x, kept)
            each(total)
        return total

    def _run(self, x, known=None, only=None):
        """One pass. Values in `known` are taken as they are; with `only`, returns those of these nodes that others read."""
        values = {0: x, **(known or {})}
        for index, (node, module) in enumerate(zip(self.nodes, self.layers)):
            if index and index not in values and (only is None or index in only):
                values[index] = module(*(values[i] for i in node.inputs))
            if only is None:
                for i in node.inputs:
                    if self.last_use[i] == index:
                        values.pop(i, None)
        return values if only is not None else values[len(self.nodes) - 1]

    def _steady(self):
        """The nodes whose values are the same at every step."""
        steady = {0}
        for index, node in enumerate(self.nodes):
            if index and node.kind != "neuron" and steady.issuperset(node.inputs):
                steady.add(index)
        return steady

    def _reset(self):
        if self.mode.startswith("jelly"):
            functional.reset_net(self)
        for module in self.neurons():
            if self.mode.startswith("jelly"):
                module.v = module.v_threshold / 2
            else:
                module.reset()


class Add(nn.Module):
    """The sum of its inputs, each times its factor; the factors are the amplitudes of spikes."""

    def __init__(self, factors):
        super().__init__()
        self.factors = factors

    def forward(self, a, b):
        (first, second) = self.factors
        if first != 1.0 and second == 1.0:
            a, b, first, second = b, a, second, first
        return torch.add(a if first == 1.0 else a * first, b, alpha=second)


class Take(nn.Module):
    """Slices along the last dimensions."""

    def __init__(self, ranges):
        super().__init__()
        self.index = (..., *(ranges.get(axis, slice(None)) for axis in range(-3, 0)))

    def forward(self, x):
        return x[self.index]


class Pad(nn.Module):
    """Zeros at the edges."""

    def __init__(self, pads):
        super().__init__()
        self.pads = pads

    def forward(self, x):
        return F.pad(x, self.pads)


def module_of(node, mode):
    """The module that computes `node`: SpikingJelly's own layers in its modes, torch's in the others."""
    jelly = mode.startswith("jelly")
    made_by, settings = layer if jelly else nn, node.settings
    match node.kind:
        case "input":
            return nn.Identity()
        case "conv":
            out, width = node.weight.shape[0], node.weight.shape[1] * settings["groups"]
            options = {key: settings[key] for key in ("stride", "padding", "dilation", "groups")}
            return _loaded(made_by.Conv2d(width, out, node.weight.shape[2:], bias=node.bias is not None, **options), node)
        case "linear":
            out, width = node.weight.shape
            return _loaded(made_by.Linear(width, out, bias=node.bias is not None), node)
        case "avgpool":
            return made_by.AvgPool2d(settings["kernel"], settings["stride"])
        case "maxpool":
            return made_by.MaxPool2d(settings["kernel"], settings["stride"])
        case "flatten":
            return made_by.Flatten()
        case "add":
            return Add(settings["factors"])
        case "slice":
            return Take(settings["ranges"])
        case "pad":
            return Pad(settings["pads"])
        case "neuron" if jelly:
            return neuron.IFNode(v_threshold=settings["theta"], v_reset=None)
        case "neuron":
            return (FoldedNeuron if mode == "folded" else InPlaceNeuron)(settings["theta"])
    raise ValueError(f"no module for a node of kind '{node.kind}'")


def _loaded(module, node):
    """`module` with the weights of `node`."""
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(node.weight.copy()))
        if node.bias is not None:
            module.bias.copy_(torch.from_numpy(node.bias.copy()))
    return module
