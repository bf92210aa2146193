#!/usr/bin/env bash
# onnxruntime 1.32.0 (with onnx 1.23.2): in opsets 13 to 21 no classifier fits behind a padded ceil-mode pool.
#
# Behavior: a 2x2 pool of stride 2 with padding 1 and ceil_mode = 1 on a 5x5 image, then Flatten and Gemm. The runtime's kernel
# leaves out the window that would start in the padding at the end, in every opset, and makes 3x3 values. The shape inference
# inside the same runtime counts that window below opset 22 (4x4 values). So with nine weights the network runs in opsets 10 to
# 12 and from 22 on, and in opsets 13 to 21, where inference looks through Flatten, it is refused when it is loaded. With
# sixteen weights it can be loaded in opset 18, and fails when it runs. Nine weights and one declared shape for the pool
# (value_info 1x1x3x3) run again.
#
# One would have guessed: what the pools and Flatten compute here is the same in all these opsets, so the network runs in all
# or in none; and where nine weights are refused because sixteen are meant, sixteen work.
#
# Who meets it: whoever exports such a network without intermediate shapes, strips them, or raises the opset. A converter
# that believes the inferred shape builds a spiking layer of sixteen neurons where the network has nine.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0

cat >"$work/stated" <<'TEXT'
MaxPool, 9 weights: runs in opsets 10 11 12 22 23
MaxPool, 9 weights: refused when loaded in opsets 13 14 15 16 17 18 19 20 21
MaxPool, 9 weights, opset 18: refused when loaded
MaxPool, 16 weights, opset 18: fails when it runs
MaxPool, 9 weights, opset 18, shape declared: runs, output [9. 9.]
AveragePool, 9 weights: runs in opsets 10 11 12 22 23
AveragePool, 9 weights: refused when loaded in opsets 13 14 15 16 17 18 19 20 21
AveragePool, 9 weights, opset 18: refused when loaded
AveragePool, 16 weights, opset 18: fails when it runs
AveragePool, 9 weights, opset 18, shape declared: runs, output [9. 9.]
TEXT

"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

QUIET = onnxruntime.SessionOptions()
QUIET.log_severity_level = 4
IMAGE = {"image": np.ones((1, 1, 5, 5), np.float32)}


def network(pool, weights, opset, declare):
    nodes = [
        helper.make_node(pool, ["image"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight", "bias"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 5, 5])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2])],
        [
            numpy_helper.from_array(np.ones((weights, 2), np.float32), "weight"),
            numpy_helper.from_array(np.zeros(2, np.float32), "bias"),
        ],
    )
    if declare:
        graph.value_info.append(helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [1, 1, 3, 3]))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def outcome(pool, weights, opset, declare=False):
    model = network(pool, weights, opset, declare).SerializeToString()
    try:
        session = onnxruntime.InferenceSession(model, QUIET, providers=["CPUExecutionProvider"])
    except Exception:
        return "refused when loaded"
    run_quietly = onnxruntime.RunOptions()
    run_quietly.log_severity_level = 4
    try:
        return f"runs, output {session.run(None, IMAGE, run_quietly)[0][0]}"
    except Exception:
        return "fails when it runs"


for pool in ("MaxPool", "AveragePool"):
    opsets = {}
    for opset in range(10, 24):
        opsets.setdefault(outcome(pool, 9, opset), []).append(str(opset))
    for what, numbers in opsets.items():
        print(f"{pool}, 9 weights: {what.split(',')[0]} in opsets", " ".join(numbers))
    print(f"{pool}, 9 weights, opset 18: {outcome(pool, 9, 18)}")
    print(f"{pool}, 16 weights, opset 18: {outcome(pool, 16, 18)}")
    print(f"{pool}, 9 weights, opset 18, shape declared: {outcome(pool, 9, 18, declare=True)}")
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
