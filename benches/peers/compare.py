"""Whether two simulations are the same: spike counts of every layer, and accuracy at every t."""

import numpy as np

# Sums in f32 depend on their order, so a potential at its threshold may fall either way, and what follows shifts by a step.
LEAST_EQUAL = 0.995
# Of all spikes of a layer.
MOST_APART = 0.002
# Samples that may be answered differently at any one t.
MOST_ANSWERS = 1


def shares(ours, theirs):
    """Per layer: the share of equal counts, and the difference of all spikes as a share of them."""
    result = []
    for index in range(len(ours.files)):
        a, b = ours[f"layer{index}"].astype(np.int64), theirs[f"layer{index}"].astype(np.int64)
        if a.shape != b.shape:
            raise SystemExit(f"layer {index} has shape {a.shape} in Spikescope and {b.shape} in the peer")
        result.append((float((a == b).mean()), abs(int(a.sum() - b.sum())) / max(int(a.sum()), 1)))
    return result


def faults(layers, ours, theirs, samples):
    """What is too different, in words; empty when the two are the same simulation."""
    found = []
    for index, (equal, apart) in enumerate(layers):
        if equal < LEAST_EQUAL or apart > MOST_APART:
            found.append(f"layer {index}: {equal:.2%} of the counts are equal, all spikes differ by {apart:.2%}")
    for t, (a, b) in enumerate(zip(ours, theirs, strict=True), 1):
        if abs(a - b) * samples > MOST_ANSWERS + 1e-6:
            found.append(f"t = {t}: accuracy {a:.4f} in Spikescope and {b:.4f} in the peer")
    return found
