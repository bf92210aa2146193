#!/usr/bin/env bash
# onnx 1.23.2: onnx.reference averages other values than the standard says as soon as ceil_mode needs two cells more.
#
# Behavior: AveragePool of kernel 3 and stride 3 with ceil_mode = 1 over the values 1 to 7 is 2, 5, 7: the last window has one
# value. onnxruntime 1.32.0 computes that. onnx.reference.ReferenceEvaluator, the standard's own evaluator, gives 1.5, 4, 6: it
# splits the two cells that the last window lacks between both ends, as SAME padding would, so that EVERY window moves by one,
# the first one too; the last average leaves out the value 7. Where one cell is missing (values 1 to 8) both agree.
#
# One would have guessed: if two evaluators differ under ceil_mode, then in the divisor of the last window; and of the two, the
# evaluator that comes with the standard is right.
#
# Who meets it: whoever checks an importer or a converted network against the reference evaluator. An average pool at the end
# of a stage is the layer that conversion to spikes keeps as it is, so the wrong expectation looks like a conversion error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0

cat >"$work/stated" <<'TEXT'
values 1 to 7, by hand      2.00 5.00 7.00
values 1 to 7, onnxruntime  2.00 5.00 7.00
values 1 to 7, reference    1.50 4.00 6.00
values 1 to 8, by hand      2.00 5.00 7.50
values 1 to 8, onnxruntime  2.00 5.00 7.50
values 1 to 8, reference    2.00 5.00 7.50
TEXT

"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

for count in (7, 8):
    values = np.arange(1, count + 1, dtype=np.float32)
    node = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[3], strides=[3], ceil_mode=1)
    graph = helper.make_graph(
        [node],
        "pool",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, count])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    feed = {"x": values.reshape(1, 1, count)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    by_hand = [values[start : start + 3].mean() for start in (0, 3, 6)]
    results = {
        "by hand": by_hand,
        "onnxruntime": session.run(None, feed)[0].ravel(),
        "reference": ReferenceEvaluator(model).run(None, feed)[0].ravel(),
    }
    for name, averages in results.items():
        print(f"values 1 to {count}, {name:12}", " ".join(f"{value:.2f}" for value in averages))
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
