"""Small weights in every form, for the mutations of tests/fuzz.rs. Run with a Python that has torch and nir."""
import argparse
import pickle
from pathlib import Path

import nir
import numpy as np

import torch

torch.manual_seed(0)
here = Path(__file__).parent
weights = {
    "fc1.weight": torch.randn(5, 6), "fc1.bias": torch.zeros(5),
    "fc2.weight": torch.randn(3, 5).half(), "fc2.bias": torch.zeros(3),
}
torch.save(weights, here / "mlp.pt")
torch.save({"state_dict": weights, "epoch": 3}, here / "mlp.pth", _use_new_zipfile_serialization=False)
# A whole model with a parametrized layer beside objects of other classes, and pickled arrays and tensors.
model = torch.nn.Sequential(torch.nn.utils.weight_norm(torch.nn.Linear(6, 5)), torch.nn.ReLU(), torch.nn.Linear(5, 3))
torch.save({"model": model, "args": argparse.Namespace(lr=0.1), "best": np.float64(0.9)}, here / "model.ckpt")
arrays = {key: value.float().numpy() for key, value in weights.items()}
(here / "arrays.pkl").write_bytes(pickle.dumps({"params": arrays, "bias": weights["fc1.bias"]}, protocol=4))
# A graph in a graph, with a time step and an integrator at the output.
ones = np.ones(4, np.float32)
block = nir.NIRGraph.from_list(nir.Affine(np.ones((4, 4), np.float32), ones), nir.LIF(ones * np.inf, ones, ones * 0, ones))
graph = nir.NIRGraph.from_list(block, nir.Linear(np.ones((4, 4), np.float32)), nir.I(ones))
graph.metadata = {"dt": 0.5}
nir.write(here / "nested.nir", graph)
