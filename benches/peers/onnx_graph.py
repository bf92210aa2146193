"""Reads an ONNX network into the spiking network that Spikescope makes of it, as a list of plain nodes.

The same rewriting as in Spikescope's `convert`: BatchNorm is folded into the layer before it (in float64), a max pool
that alone reads an activation moves in front of it, a softmax at the end is left out. Every ReLU becomes a `neuron`.
A spike is worth theta: the amplitude is multiplied into the weights that read the spikes, or into the factor of an
addition, so that it costs the peer nothing at run time.
"""

from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.helper import get_attribute_value


@dataclass
class Node:
    """One operation; `inputs` are indices of earlier nodes, node 0 is the network's input."""

    kind: str
    inputs: list[int]
    name: str = ""
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    settings: dict = field(default_factory=dict)


def read(path):
    """The network in the file at `path` as a list of nodes, the last of which gives the logits."""
    graph = onnx.load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    source = next(value.name for value in graph.input if value.name not in constants)
    nodes, index = [Node("input", [])], {source: 0}
    for proto in graph.node:
        if proto.op_type == "Constant":
            constants[proto.output[0]] = numpy_helper.to_array(get_attribute_value(proto.attribute[0]))
        elif proto.op_type in ("Softmax", "Identity", "Dropout"):
            index[proto.output[0]] = index[proto.input[0]]
        else:
            inputs = [index[name] for name in proto.input if name in index]
            parameters = [constants[name] for name in proto.input if name in constants]
            attributes = {a.name: get_attribute_value(a) for a in proto.attribute}
            index[proto.output[0]] = _append(nodes, proto, inputs, parameters, attributes)
    output = index[graph.output[0].name]
    if output != len(nodes) - 1:
        raise ValueError(f"{path}: nodes follow the output, which is not supported")
    return _pools_before_neurons(nodes)


def with_thresholds(nodes, thetas):
    """The network with one threshold per neuron layer, in network order, and spikes worth theta."""
    neurons = [node for node in nodes if node.kind == "neuron"]
    if len(neurons) != len(thetas):
        raise ValueError(f"{len(thetas)} thresholds for {len(neurons)} layers of neurons")
    remaining = iter(thetas)
    out, amplitude = [], []
    for node in nodes:
        incoming = [amplitude[i] for i in node.inputs]
        node = Node(node.kind, node.inputs, node.name, node.weight, node.bias, dict(node.settings))
        worth = incoming[0] if incoming else 1.0
        if node.kind == "neuron":
            if worth != 1.0:
                raise ValueError(f"neurons '{node.name}' read spikes without weights between, which is not supported")
            node.settings["theta"] = worth = float(next(remaining))
        elif node.kind in ("conv", "linear"):
            node.weight = (node.weight.astype(np.float64) * worth).astype(np.float32)
            worth = 1.0
        elif node.kind == "add":
            node.settings["factors"] = incoming
            worth = 1.0
        out.append(node)
        amplitude.append(worth)
    if amplitude[-1] != 1.0:
        raise ValueError("the output is read from spikes without weights between, which is not supported")
    return out


def _append(nodes, proto, inputs, parameters, attributes):
    """Appends what `proto` computes to `nodes` and returns the index of its result."""

    def push(kind, inputs, weight=None, bias=None, **settings):
        nodes.append(Node(kind, inputs, proto.name or proto.output[0], weight, bias, settings))
        return len(nodes) - 1

    kernel, strides = attributes.get("kernel_shape"), attributes.get("strides", [1, 1])
    match proto.op_type:
        case "Conv":
            before, inputs = _padding(attributes, kernel, strides, inputs, push)
            weight, bias = parameters[0], parameters[1] if len(parameters) > 1 else None
            groups, dilation = attributes.get("group", 1), attributes.get("dilations", [1, 1])
            return push("conv", inputs, weight, bias, stride=strides, padding=before, groups=groups, dilation=dilation)
        case "BatchNormalization":
            return _fold(nodes, inputs[0], parameters, attributes.get("epsilon", 1e-5))
        case "Gemm":
            if attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0 or attributes.get("transA", 0):
                raise ValueError(f"Gemm '{proto.name}' with alpha, beta or transA is not supported")
            weight = parameters[0] if attributes.get("transB", 0) else parameters[0].T
            bias = parameters[1].reshape(-1) if len(parameters) > 1 else None
            return push("linear", inputs, np.ascontiguousarray(weight), bias)
        case "Relu":
            return push("neuron", inputs)
        case "AveragePool" | "MaxPool":
            before, inputs = _padding(attributes, kernel, strides, inputs, push)
            if before != [0, 0]:
                raise ValueError(f"{proto.op_type} '{proto.name}' with padding is not supported")
            return push("avgpool" if proto.op_type == "AveragePool" else "maxpool", inputs, kernel=kernel, stride=strides)
        case "Add":
            return push("add", inputs)
        case "Flatten":
            return push("flatten", inputs)
        case "Reshape" if parameters[0].size == 2:
            return push("flatten", inputs)
        case "Slice":
            starts, ends, axes, steps = (parameter.tolist() for parameter in parameters)
            # Counted from the back, so that it serves with and without a time axis in front.
            ranges = {axis - 4: slice(start, min(end, 2**31), step) for start, end, axis, step in zip(starts, ends, axes, steps)}
            return push("slice", inputs, ranges=ranges)
        case "Pad":
            pads = parameters[0].tolist()
            half = len(pads) // 2
            return push("pad", inputs, pads=[p for i in reversed(range(half)) for p in (pads[i], pads[i + half])][: 2 * half - 2])
    raise ValueError(f"{proto.op_type} '{proto.name}' is not supported by the peers")


def _padding(attributes, kernel, strides, inputs, push):
    """Symmetric padding as `[height, width]`; what is not symmetric becomes a node of its own."""
    auto = attributes.get("auto_pad", b"NOTSET")
    if auto in (b"SAME_UPPER", b"SAME_LOWER"):
        # With a stride the padding depends on the size: ceil(size / stride) outputs. Sizes here divide by the stride.
        total = [max(k - s, 0) for k, s in zip(kernel, strides)]
        small = [t // 2 for t in total]
        large = [t - s for t, s in zip(total, small)]
        before, after = (small, large) if auto == b"SAME_UPPER" else (large, small)
    else:
        pads = attributes.get("pads", [0, 0, 0, 0])
        before, after = list(pads[:2]), list(pads[2:])
    if before == after:
        return before, inputs
    pads = [before[1], after[1], before[0], after[0]]
    return [0, 0], [push("pad", inputs, pads=pads)]


def _fold(nodes, target, parameters, epsilon):
    """Folds a BatchNorm into the convolution or linear layer at `target`."""
    gamma, beta, mean, variance = (parameter.astype(np.float64) for parameter in parameters)
    scale = gamma / np.sqrt(variance + float(np.float32(epsilon)))
    node = nodes[target]
    if node.kind not in ("conv", "linear"):
        raise ValueError("a BatchNorm that does not follow a convolution or linear layer is not supported")
    bias = 0.0 if node.bias is None else node.bias.astype(np.float64)
    wide = scale.reshape(-1, *[1] * (node.weight.ndim - 1))
    node.weight = (node.weight.astype(np.float64) * wide).astype(np.float32)
    node.bias = (bias * scale + beta - mean * scale).astype(np.float32)
    return target


def _pools_before_neurons(nodes):
    """Neuron, then max pool becomes max pool, then neuron, where nothing else reads the neuron."""
    readers = [[i for i, node in enumerate(nodes) if at in node.inputs] for at in range(len(nodes))]
    for index, node in enumerate(nodes):
        if node.kind == "neuron" and len(readers[index]) == 1 and nodes[readers[index][0]].kind == "maxpool":
            pool = readers[index][0]
            if pool != index + 1:
                raise ValueError(f"max pool '{nodes[pool].name}' does not follow its neurons directly")
            nodes[index], nodes[pool] = nodes[pool], node
            nodes[index].inputs, nodes[pool].inputs = node.inputs, [index]
    return nodes
