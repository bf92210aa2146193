"""Writes the operator tests of the Python package onnx as folders: model.onnx, test_data_set_0/input_0.pb, output_0.pb.

python node_tests.py FOLDER; then SPIKESCOPE_ONNX_NODE_TESTS=FOLDER cargo test --release onnx_node. Needs onnx and numpy.
Older versions of the package contain these folders: onnx/backend/test/data/node.
"""

import sys
from pathlib import Path

import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases


def write(folder, kind, arrays):
    for number, array in enumerate(arrays):
        tensor = array if isinstance(array, TensorProto) else numpy_helper.from_array(array)
        (folder / f"{kind}_{number}.pb").write_bytes(tensor.SerializeToString())


root = Path(sys.argv[1])
written = 0
for case in collect_testcases(None):
    folder = root / case.name
    try:
        for number, (inputs, outputs) in enumerate(case.data_sets):
            data = folder / f"test_data_set_{number}"
            data.mkdir(parents=True, exist_ok=True)
            write(data, "input", inputs)
            write(data, "output", outputs)
        onnx.save(case.model, folder / "model.onnx")
        written += 1
    except (AttributeError, TypeError, ValueError) as error:
        print(f"{case.name}: sequences and maps are not written ({error})")
print(f"{written} tests in {root}")
