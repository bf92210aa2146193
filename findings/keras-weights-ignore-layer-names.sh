#!/usr/bin/env bash
# Keras 3.12: weights files are read by class and order; the names of the layers, which are in the file, are not compared.
#
# Behavior: Model.save_weights("x.weights.h5") stores the weights of a layer under its class with a number ("dense", "dense_1"),
# in the order of the model, and the layer's name as an attribute beside them. Model.load_weights takes them by class and order
# alone. A model with the same two named layers in the other order loads without a message, and each layer gets the weights of
# the other; so does one whose layers have other names. The dictionary of a file read by h5py has no name of a layer as a key.
#
# One would have guessed: weights go to the layer of the same name, as in state_dict files of PyTorch and in the older HDF5
# files with by_name=True; a name that is missing is an error.
#
# Who meets it: whoever rebuilds a network from its description and loads trained weights, with layers of equal shapes (residual
# blocks, parallel branches) made in another order: it opens, runs and is wrong. Readers of the file in other programs, which
# look for the names that the model shows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
# The backend that needs nothing but NumPy and JAX's processor build.
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check keras==3.12.0 h5py==3.16.0 numpy==2.4.6 jax==0.8.1

cat >"$work/stated" <<'TEXT'
saved: first = 1, second = 2
in the file: layers/dense named first, layers/dense_1 named second
loaded into second, first: second = 1, first = 2
loaded into encoder, decoder: encoder = 1, decoder = 2
TEXT

cd "$work"
KERAS_BACKEND=jax "$work/venv/bin/python" -W error::UserWarning - >"$work/seen" <<'PYTHON'
import h5py
import keras
import numpy as np


def model(*names):
    layers = [keras.layers.Dense(3, name=name, use_bias=False) for name in names]
    return keras.Sequential([keras.Input((3,)), *layers])


def shown(network):
    return ", ".join(f"{layer.name} = {layer.get_weights()[0][0, 0]:.0f}" for layer in network.layers)


trained = model("first", "second")
for value, layer in enumerate(trained.layers, 1):
    layer.set_weights([np.full((3, 3), value, np.float32)])
trained.save_weights("trained.weights.h5")
print("saved:", shown(trained))
with h5py.File("trained.weights.h5") as file:
    groups = [f"layers/{key} named {group['vars'].attrs['name']}" for key, group in file["layers"].items()]
print("in the file:", ", ".join(groups))
for names in (("second", "first"), ("encoder", "decoder")):
    other = model(*names)
    other.load_weights("trained.weights.h5")
    print(f"loaded into {', '.join(names)}:", shown(other))
PYTHON

cat "$work/seen"
diff "$work/stated" "$work/seen" && echo "As stated."
