"""Small networks of every kind of node that is read, with inputs and the outputs that onnxruntime gives
for them, each in the layout of the ONNX model zoo: NAME/model.onnx and NAME/test_data_set_0/{input,output}_*.pb.

    pip install onnx onnxruntime numpy && python make.py
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
RNG = np.random.default_rng(7)


class Graph:
    """Nodes in the order they are added; each call gives the name of its value."""

    def __init__(self, shape, opset=17):
        self.nodes, self.weights, self.shape, self.opset, self.count = [], [], shape, opset, 0

    def weight(self, *dims, scale=None):
        scale = scale or 1 / np.sqrt(max(1, int(np.prod(dims[1:]))))
        return self.constant(RNG.normal(0, scale, dims).astype(np.float32))

    def constant(self, array):
        name = f"k{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, op, *inputs, outputs=1, name=None, **attributes):
        names = [name or f"v{self.count + i}" for i in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(op, list(inputs), names, f"/{names[0]}/{op}", **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, out, into, k=3, **attributes):
        groups = attributes.get("group", 1)
        attributes.setdefault("pads", [k // 2] * 4)
        return self.add("Conv", x, self.weight(out, into // groups, k, k), self.weight(out, scale=0.1), **attributes)

    def head(self, x, channels, classes=4):
        flat = self.add("Flatten", self.add("GlobalAveragePool", x))
        return self.add("Gemm", flat, self.weight(classes, channels), self.weight(classes, scale=0.1), transB=1)

    def save(self, name, *outputs):
        info = lambda n, shape: helper.make_tensor_value_info(n, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, name, [info("x", self.shape)], [], self.weights)
        graph.output.extend(onnx.ValueInfoProto(name=output) for output in outputs)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        x = RNG.random(self.shape).astype(np.float32)
        answers = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
        for value, answer in zip(model.graph.output, answers):
            kind = helper.np_dtype_to_tensor_dtype(answer.dtype)
            value.CopyFrom(helper.make_tensor_value_info(value.name, kind, list(answer.shape)))
        onnx.checker.check_model(model)
        folder = HERE / name / "test_data_set_0"
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(model, HERE / name / "model.onnx")
        (folder / "input_0.pb").write_bytes(numpy_helper.from_array(x, "x").SerializeToString())
        for k, (output, answer) in enumerate(zip(outputs, answers)):
            (folder / f"output_{k}.pb").write_bytes(numpy_helper.from_array(answer, output).SerializeToString())
        print(name, [a.shape for a in answers])


def relu6(g, x):
    return g.add("Clip", x, g.constant(np.float32(0)), g.constant(np.float32(6)))


g = Graph([1, 3, 8, 8])
x = g.add("Relu", g.conv("x", 8, 3, strides=[2, 2]))
x = relu6(g, g.conv(x, 8, 8, group=8))
x = g.add("Relu", g.conv(x, 6, 8, k=1))
g.save("depthwise", g.head(x, 6))

g = Graph([1, 2, 6, 6])
x = g.add("Relu", g.conv("x", 6, 2, strides=[2, 2]))
x = g.add("ConvTranspose", x, g.weight(6, 4, 3, 3, scale=0.3), g.weight(4, scale=0.1), strides=[2, 2], pads=[1, 0, 0, 1],
          output_padding=[1, 1])
x = g.add("BatchNormalization", x, *(g.constant(RNG.uniform(0.5, 1.5, 4).astype(np.float32)) for _ in range(4)))
x = g.add("Relu", x)
x = g.add("ConvTranspose", x, g.weight(4, 2, 2, 2, scale=0.4), strides=[2, 2], group=2, dilations=[2, 1])
g.save("transposed", g.head(g.add("Relu", x), 4))

g = Graph([1, 2, 4, 5])
x = g.add("Relu", g.conv("x", 4, 2))
x = g.add("Resize", x, "", g.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear",
          coordinate_transformation_mode="half_pixel")
x = g.add("Relu", g.conv(x, 4, 4))
x = g.add("Resize", x, "", "", g.constant(np.array([1, 4, 11, 7], np.int64)), mode="nearest", nearest_mode="floor",
          coordinate_transformation_mode="asymmetric")
x = g.add("Relu", g.conv(x, 4, 4))
x = g.add("Resize", x, "", g.constant(np.array([1, 1, 0.5, 2], np.float32)), mode="cubic",
          coordinate_transformation_mode="align_corners")
g.save("resize", g.head(x, 4))

g = Graph([1, 2, 4, 4], opset=9)
x = g.add("Relu", g.conv("x", 4, 2))
x = g.add("Upsample", x, g.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest")
g.save("upsample", g.head(g.add("Relu", g.conv(x, 4, 4)), 4))

g = Graph([1, 3, 6, 8])
x = g.add("Relu", g.conv("x", 6, 3))
small = g.add("Relu", g.conv(x, 6, 6, strides=[2, 2]))
parts = {}
for name, width in (("scores", 2), ("boxes", 4)):
    rows = []
    for source in (x, small):
        y = g.add("Transpose", g.conv(source, 2 * width, 6, k=1), perm=[0, 2, 3, 1])
        rows.append(g.add("Reshape", y, g.constant(np.array([1, -1, width], np.int64))))
    parts[name] = g.add("Concat", *rows, axis=1)
g.add("Softmax", parts["scores"], axis=2, name="scores")
g.add("Sigmoid", parts["boxes"], name="boxes")
g.save("two_outputs", "scores", "boxes")

g = Graph([1, 3, 6, 6])
x = g.add("Clip", g.conv("x", 5, 3), g.constant(np.float32(-1)), g.constant(np.float32(1)))
x = g.add("HardSigmoid", g.conv(x, 5, 5), alpha=0.25, beta=0.5)
g.save("hard_activations", g.head(g.add("Relu", g.conv(x, 4, 5, k=1)), 4))

g = Graph([1, 3, 6, 6])
x = g.add("Relu", g.conv("x", 4, 3))
shape = g.add("Shape", x)
batch = g.add("Unsqueeze", g.add("Gather", shape, g.constant(np.int64(0)), axis=0), g.constant(np.array([0], np.int64)))
rest = g.add("ReduceProd", g.add("Slice", shape, *(g.constant(np.array([v], np.int64)) for v in (1, 4))), axes=[0])
target = g.add("Concat", batch, rest, axis=0)
minus = g.add("Equal", target, g.constant(np.array([-1], np.int64)))
ones = g.add("Expand", g.constant(np.array([1], np.int64)), g.add("Shape", target))
flat = g.add("Reshape", x, g.add("Where", minus, ones, target))
g.save("shape_arithmetic", g.add("Gemm", flat, g.weight(4, 144), g.weight(4), transB=1))

g = Graph([1, 6, 7, 3])
x = g.add("Div", g.add("Sub", "x", g.constant(np.array([0.4, 0.5, 0.6], np.float32))), g.constant(np.float32(0.25)))
nhwc = dict(perm=[0, 2, 3, 1])
nchw = dict(perm=[0, 3, 1, 2])


def layer(x, out, into, **attributes):
    y = g.add("Transpose", g.conv(g.add("Transpose", x, **nchw), out, into, **attributes), **nhwc)
    return g.add("Add", y, g.constant(RNG.normal(0, 0.1, out).astype(np.float32)))


a = g.add("Relu", layer(x, 4, 3))
b = g.add("Relu", g.add("Add", layer(a, 4, 4), a))
c = g.add("Relu", layer(g.add("Concat", a, b, axis=3), 5, 8, strides=[2, 2]))
mean = g.add("ReduceMean", c, axes=[1, 2], keepdims=0)
g.save("channels_last", g.add("MatMul", mean, g.weight(5, 4)))

g = Graph([1, 4, 6, 6], opset=13)
x = g.add("Relu", g.conv("x", 8, 4))
left, right = g.add("Split", x, g.constant(np.array([4, 4], np.int64)), outputs=2, axis=1)
right = g.add("Relu", g.conv(right, 4, 4, group=4))
x = g.add("Concat", left, right, axis=1)
x = g.add("Reshape", x, g.constant(np.array([1, 2, 4, 36], np.int64)))
x = g.add("Reshape", g.add("Transpose", x, perm=[0, 2, 1, 3]), g.constant(np.array([1, 8, 6, 6], np.int64)))
x = g.add("Gather", x, g.constant(np.array([6, 4, 2, 0, 1, 3], np.int64)), axis=1)
x = g.add("Relu", g.conv(x, 6, 6, k=1))
row = g.add("Gather", x, g.constant(np.int64(-2)), axis=2)
g.save("shuffle", g.add("Gemm", g.add("Flatten", row), g.weight(4, 36), g.weight(4), transB=1))

ints = lambda *v: g.constant(np.array(v, np.int64))

g = Graph([1, 3, 24], opset=19)
a = g.add("Relu", g.add("Conv", "x", g.weight(4, 3, 3), g.weight(4, scale=0.1), pads=[1, 1]))
b = g.add("Conv", g.add("MaxPool", a, kernel_shape=[3], strides=[2], pads=[1, 0]), g.weight(4, 4, 3), pads=[2, 2], dilations=[2])
c = g.add("Add", b, g.add("AveragePool", a, kernel_shape=[3], strides=[2], pads=[1, 0], count_include_pad=1))
c = g.add("ConvTranspose", g.add("Relu", c), g.weight(4, 3, 2, scale=0.4), strides=[2])
c = g.add("BatchNormalization", c, *(g.constant(RNG.uniform(0.5, 1.5, 3).astype(np.float32)) for _ in range(4)))
c = g.add("AveragePool", g.add("Relu", c), kernel_shape=[7], strides=[5], pads=[1, 1], ceil_mode=1, count_include_pad=1)
g.save("one_dimensional", g.add("Gemm", g.add("Flatten", c), g.weight(15, 4)))

g = Graph([1, 2, 5, 6], opset=19)
x = g.add("Relu", g.conv(g.add("Pad", "x", ints(0, 0, 1, 2, 0, 0, 1, 0), mode="reflect"), 8, 2, pads=[0, 0, 0, 0]))
x = g.add("DepthToSpace", x, blocksize=2, mode="CRD")
x = g.add("Slice", x, ints(-1, 1), ints(-100, 9), ints(2, 3), ints(-2, 3))
x = g.add("Tile", x, ints(1, 1, 1, 2))
x = g.add("Concat", g.constant(np.zeros((1, 1, 5, 6), np.float32)), x, axis=1)
x = g.add("Relu", g.conv(x, 6, 3))
x = g.add("Reshape", x, ints(1, 3, 2, 5, 2, 3))
x = g.add("Reshape", g.add("Transpose", x, perm=[0, 4, 2, 1, 5, 3]), ints(1, 12, 5, 3))
x = g.add("Resize", x, "", g.constant(np.array([1, 1, 1.2, 2.2], np.float32)), mode="cubic", exclude_outside=1)
x = g.add("Relu", g.conv(x, 3, 12, k=1))
x = g.add("Where", g.constant(RNG.random((6, 6)) < 0.7), x, g.constant(np.float32(0.5)))
sums = g.add("ReduceSum", x, ints(2), keepdims=0)
g.save("rearranged", g.add("Gemm", g.add("Flatten", sums), g.weight(18, 4)))

g = Graph([1, 4, 5])
x = g.add("Relu", g.add("Add", g.add("MatMul", "x", g.weight(5, 6)), g.weight(6, scale=0.2)))
x = g.add("Reshape", g.add("Relu", g.add("Gemm", g.add("Reshape", x, ints(-1, 6)), g.weight(6, 3))), ints(1, 4, 3))
x = g.add("ReduceMean", x, axes=[1], keepdims=0)
x = g.add("Unsqueeze", g.add("Gemm", x, g.weight(3, 4)), ints(2))
g.save("rows", g.add("Squeeze", g.add("LogSoftmax", x, axis=1), ints(2)))

g = Graph([1, 3, 6, 6], opset=13)
stored = g.constant(RNG.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8))
scales = g.constant(RNG.uniform(0.001, 0.003, 4).astype(np.float32))
x = g.add("Relu", g.add("Conv", "x", g.add("DequantizeLinear", stored, scales, axis=0)))
direction = g.weight(4, 4, 3, 3)
norm = g.add("ReduceL2", direction, axes=[1, 2, 3])
weight = g.add("Mul", g.add("Div", direction, norm), g.constant(RNG.uniform(0.5, 1, (4, 1, 1, 1)).astype(np.float32)))
x = g.add("Relu", g.add("Conv", x, weight))
half = g.add("Cast", g.constant(RNG.normal(0, 0.2, (16, 8)).astype(np.float16)), to=TensorProto.FLOAT)
left, _ = g.add("Split", half, ints(5, 3), outputs=2, axis=1)
bias = g.add("Sum", *(g.weight(5, scale=0.1) for _ in range(3)))
g.save("folded_weights", g.add("Gemm", g.add("Flatten", x), g.add("Transpose", left, perm=[1, 0]), bias, transB=1))

g = Graph([1, 3, 6, 6])
y = g.head(g.add("Relu", g.conv("x", 5, 3)), 5)
g.add("ArgMax", y, axis=1, keepdims=0, name="classes")
g.add("Softmax", y, axis=1, name="probabilities")
g.save("ignored_output", "classes", "probabilities")
