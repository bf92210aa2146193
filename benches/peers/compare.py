"""Whether two simulations are the same: spike counts of every layer, and accuracy at every t.

Sums in f32 depend on their order, so a potential that comes to lie within a rounding error of its threshold may fire on
one side and not on the other. Such a tie is rare, but what follows from it is not: in the same sample, layers behind it
get a spike at another step, and in a deep network a few per cent of their counts end up one higher or lower. So ties
are looked for where they arise: in samples whose earlier layers are all equal, nearly no count may differ. A wrong
weight, bias, threshold or rule would show there in every sample.
"""

from dataclasses import dataclass

import numpy as np

# Counts that may differ in samples whose earlier layers are equal, as a share and at least.
TIES, FEW_TIES = 1e-4, 2
# Of all spikes of a layer: their sum on both sides, and the sum of the differences of all neurons.
SUM_APART, EACH_APART = 0.005, 0.15
# The share of samples that may be answered differently at one t (one sample always may).
ANSWERS = 0.05


@dataclass
class Layer:
    """How alike the counts of one layer are."""

    equal: float
    """Share of equal counts."""
    fresh: float
    """Share of different counts in samples whose earlier layers are equal; 0 where there is no such sample."""
    fresh_counts: int
    clean: int
    """Samples that are equal up to and with this layer."""
    sums: float
    each: float


def layers(ours, theirs):
    """Compares two archives of counts, `layer0` … `[N, …]`."""
    result, clean = [], None
    for index in range(len(ours.files)):
        a, b = ours[f"layer{index}"].astype(np.int64), theirs[f"layer{index}"].astype(np.int64)
        if a.shape != b.shape:
            raise SystemExit(f"layer {index} has shape {a.shape} in Spikescope and {b.shape} in the peer")
        different = (a != b).reshape(len(a), -1)
        clean = np.ones(len(a), bool) if clean is None else clean
        fresh = different[clean]
        clean = clean & ~different.any(1)
        spikes = max(int(a.sum()), 1)
        result.append(
            Layer(
                equal=1 - float(different.mean()),
                fresh=float(fresh.mean()) if fresh.size else 0.0,
                fresh_counts=int(fresh.sum()),
                clean=int(clean.sum()),
                sums=abs(int(a.sum() - b.sum())) / spikes,
                each=int(np.abs(a - b).sum()) / spikes,
            )
        )
    return result


def faults(found, ours, theirs, samples):
    """What is too different, in words; empty when the two are the same simulation. `ours`, `theirs`: accuracy at every t."""
    wrong = []
    for index, layer in enumerate(found):
        if layer.fresh > TIES and layer.fresh_counts > FEW_TIES:
            wrong.append(f"layer {index}: {layer.fresh_counts} counts ({layer.fresh:.3%}) differ without a cause in an earlier layer")
        if layer.sums > SUM_APART or layer.each > EACH_APART:
            wrong.append(f"layer {index}: all spikes differ by {layer.sums:.2%}, those of single neurons by {layer.each:.2%}")
    allowed = max(1, min(samples - found[-1].clean, ANSWERS * samples))
    for t, (a, b) in enumerate(zip(ours, theirs, strict=True), 1):
        if abs(a - b) * samples > allowed + 1e-3:
            wrong.append(f"t = {t}: accuracy {a:.4f} in Spikescope and {b:.4f} in the peer")
    return wrong
