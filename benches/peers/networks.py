"""Writes the networks that are not to be had as files: two with seeded weights, and a bundled one as ONNX.

Seeded weights are He-initialized. Real images are passed through while the network is built, and each layer is
normalized by what it gives for them: convolutions by a BatchNorm with these statistics, linear layers by their scale and
bias. So no layer's activations vanish or grow, and layers fire about as sparsely as in trained networks.
"""

import json
import struct

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

VGG16 = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")


class Writer:
    """Puts an ONNX graph together, one node behind the other."""

    def __init__(self, shape):
        self.nodes, self.tensors, self.at = [], [], "input"
        self.input = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", *shape])

    def add(self, op, *parameters, **attributes):
        """Appends a node that reads the one before and the tensors `parameters`."""
        name = f"{op.lower()}{len(self.nodes)}"
        keys = [f"{name}.{index}" for index in range(len(parameters))]
        self.tensors += [numpy_helper.from_array(np.ascontiguousarray(p), key) for p, key in zip(parameters, keys)]
        self.nodes.append(helper.make_node(op, [self.at, *keys], [name], name, **attributes))
        self.at = name

    def save(self, path, classes):
        """Writes the network; the last node gives the logits."""
        self.nodes[-1].output[0] = "logits"
        output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes])
        graph = helper.make_graph(self.nodes, path.stem, [self.input], [output], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)


class Builder:
    """Builds a network of seeded weights around `images` `[N, C, H, W]`, which pass through it."""

    def __init__(self, images, seed):
        self.x = torch.from_numpy(images)
        self.writer = Writer(images.shape[1:])
        self.random = torch.Generator().manual_seed(seed)

    def conv(self, channels):
        """3x3 convolution, BatchNorm, ReLU."""
        weight = self._he(channels, self.x.shape[1], 3, 3)
        z = F.conv2d(self.x, weight, padding=1)
        variance, mean = torch.var_mean(z, (0, 2, 3), correction=0)
        gamma, beta = torch.ones(channels), torch.zeros(channels)
        self.x = F.batch_norm(z, mean, variance, gamma, beta).relu()
        self.writer.add("Conv", weight.numpy(), kernel_shape=[3, 3], pads=[1] * 4, strides=[1, 1])
        self.writer.add("BatchNormalization", *(t.numpy() for t in (gamma, beta, mean, variance)), epsilon=1e-5)
        self.writer.add("Relu")

    def pool(self):
        """Average pool 2x2."""
        self.x = F.avg_pool2d(self.x, 2)
        self.writer.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])

    def flatten(self):
        self.x = self.x.flatten(1)
        self.writer.add("Flatten", axis=1)

    def linear(self, features, last=False):
        """Fully connected, and a ReLU unless it is the last layer."""
        weight = self._he(features, self.x.shape[1])
        z = F.linear(self.x, weight)
        scale = 1 / (z - z.mean(0)).std()
        weight, bias = weight * scale, -z.mean(0) * scale
        self.x = F.linear(self.x, weight, bias)
        self.writer.add("Gemm", weight.numpy(), bias.numpy(), transB=1)
        if not last:
            self.x = self.x.relu()
            self.writer.add("Relu")

    def _he(self, *shape):
        fan_in = int(np.prod(shape[1:]))
        return torch.randn(shape, generator=self.random) * (2 / fan_in) ** 0.5


def vgg16(path, images, classes=10):
    """VGG-16 for CIFAR as the authors of QCFS have it: 13 convolutions, 5 average pools, 512-4096-4096-10. Of larger images
    the first of the fully connected layers sees more."""
    net = Builder(images, seed=16)
    for word in VGG16:
        net.pool() if word == "pool" else net.conv(word)
    net.flatten()
    net.linear(4096)
    net.linear(4096)
    net.linear(classes, last=True)
    net.writer.save(path, classes)


def small_cnn(path, images):
    """Convolutions to 16 and 32 channels, an average pool and one fully connected layer."""
    net = Builder(images, seed=3)
    net.conv(16)
    net.conv(32)
    net.pool()
    net.flatten()
    net.linear(10, last=True)
    net.writer.save(path, 10)


def from_safetensors(path, source):
    """The network in a Spikescope file, a chain of layers, as ONNX."""
    content = source.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    nodes = json.loads(header["__metadata__"]["spikescope.graph"])["nodes"]

    def tensor(name):
        start, end = header[name]["data_offsets"]
        return np.frombuffer(numbers[start:end], "<f4").reshape(header[name]["shape"])

    def parameters(name, op):
        return [tensor(f"{name}.weight"), *([tensor(f"{name}.bias")] if op["bias"] else [])]

    writer = Writer(nodes[0]["shape"])
    for index, node in enumerate(nodes[1:], 1):
        name, op = node["name"], node["op"]
        if node["inputs"] != [index - 1]:
            raise ValueError(f"{source}: '{name}' does not read the layer before it; only chains are written as ONNX")
        match op["kind"]:
            case "conv":
                options = {"strides": op["stride"], "pads": op["padding"], "dilations": op["dilation"], "group": op["groups"]}
                writer.add("Conv", *parameters(name, op), **options, kernel_shape=header[f"{name}.weight"]["shape"][2:])
            case "linear":
                writer.add("Gemm", *parameters(name, op), transB=1)
            case "relu":
                writer.add("Relu")
            case "avg-pool":
                writer.add("AveragePool", kernel_shape=op["kernel"], strides=op["stride"], pads=op["padding"])
            case "reshape":
                writer.add("Flatten", axis=1)
            case kind:
                raise ValueError(f"{source}: '{name}' is of kind '{kind}', which is not written as ONNX")
    writer.save(path, nodes[-1]["shape"][0])
