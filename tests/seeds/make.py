"""Small state dicts of both of PyTorch's formats, for the mutations of tests/fuzz.rs. Run with a Python that has torch."""
from pathlib import Path

import torch

torch.manual_seed(0)
here = Path(__file__).parent
weights = {
    "fc1.weight": torch.randn(5, 6), "fc1.bias": torch.zeros(5),
    "fc2.weight": torch.randn(3, 5).half(), "fc2.bias": torch.zeros(3),
}
torch.save(weights, here / "mlp.pt")
torch.save({"state_dict": weights, "epoch": 3}, here / "mlp.pth", _use_new_zipfile_serialization=False)
