#!/usr/bin/env bash
# onnx 1.23.2 (run by onnxruntime 1.32.0): raising the opset of a network with a linear Upsample or Resize moves its pixels.
#
# Behavior: onnx.version_converter.convert_version takes Upsample of opset 9 and Resize of opset 10 to opsets 11 to 22 without a word
# and without the attribute coordinate_transformation_mode. Up to opset 10 an output column x reads x / scale; from 11 on the default
# is half_pixel, (x + 0.5) / scale - 0.5. So the row 0 1 with scale 2 is 0, 0.5, 1, 1 before and 0, 0.25, 0.75, 1 after. mode="nearest" keeps
# its values for whole scales. The other way the converter is as silent: Softmax over axis 1 of an image goes from opset 13 to 12 as
# it is, where it is a softmax over all values behind that axis together, so that the scores of a pixel no longer add up to 1.
#
# One would have guessed: the converter writes coordinate_transformation_mode="asymmetric", which is what the old operators do, as it
# writes Flatten and Reshape around a Softmax that goes from 12 to 13; or it refuses, as it does for Clip from 13 to 12.
#
# Who meets it: whoever raises the opset of an older segmentation network or detector for a tool that wants 11 or later. Masks
# are almost half a pixel of the small map off, three and a half pixels of the picture behind a stride of 8; the model passes the
# checker, and nothing is printed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0

cat >"$work/stated" <<'TEXT'
Upsample linear: opset 9 [0.0, 0.5, 1.0, 1.0], as 10 [0.0, 0.5, 1.0, 1.0], as 11 [0.0, 0.25, 0.75, 1.0], as 22 [0.0, 0.25, 0.75, 1.0]
Resize linear: opset 10 [0.0, 0.5, 1.0, 1.0], as 11 [0.0, 0.25, 0.75, 1.0], as 22 [0.0, 0.25, 0.75, 1.0]
Resize nearest: opset 10 [0.0, 0.0, 1.0, 1.0], as 11 [0.0, 0.0, 1.0, 1.0], as 22 [0.0, 0.0, 1.0, 1.0]
Softmax: opset 12 sums of the two pixels [0.5, 0.5], as 13 [0.5, 0.5]
Softmax: opset 13 sums of the two pixels [1.0, 1.0], as 12 [0.5, 0.5]
Clip from 13 to 12: refused
TEXT

cd "$work"
"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.version_converter import convert_version

SCALES = numpy_helper.from_array(np.array([1, 1, 1, 2], np.float32), "scales")
ROW = np.array([[[[0, 1]]]], np.float32)


def model(node, opset, tensors, input_shape, output_shape):
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "net", [value("x", input_shape)], [value("y", output_shape)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)


def output(network, x):
    checker.check_model(network)
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


for name, inputs, mode, opset, later in (
    ("Upsample", ["x", "scales"], "linear", 9, (10, 11, 22)),
    ("Resize", ["x", "scales"], "linear", 10, (11, 22)),
    ("Resize", ["x", "scales"], "nearest", 10, (11, 22)),
):
    old = model(helper.make_node(name, inputs, ["y"], mode=mode), opset, [SCALES], [1, 1, 1, 2], [1, 1, 1, 4])
    rows = [f"as {other} {output(convert_version(old, other), ROW).ravel().tolist()}" for other in later]
    print(f"{name} {mode}: opset {opset} {output(old, ROW).ravel().tolist()}, {', '.join(rows)}")

pixels = np.zeros((1, 2, 1, 2), np.float32)
for opset, other in ((12, 13), (13, 12)):
    old = model(helper.make_node("Softmax", ["x"], ["y"], axis=1), opset, [], [1, 2, 1, 2], [1, 2, 1, 2])
    sums = lambda network: output(network, pixels).sum(axis=1).ravel().tolist()
    print(f"Softmax: opset {opset} sums of the two pixels {sums(old)}, as {other} {sums(convert_version(old, other))}")

try:
    convert_version(model(helper.make_node("Clip", ["x"], ["y"]), 13, [], [1], [1]), 12)
except RuntimeError:
    print("Clip from 13 to 12: refused")
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
