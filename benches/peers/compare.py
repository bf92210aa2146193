"""Whether two simulations are the same: spike counts of every layer, and accuracy at every t.

Sums in f32 depend on their order, so a potential that comes to lie within a rounding error of its threshold may fire on
one side and not on the other. Such a tie is rare, but what follows from it is not: in the same sample, layers behind it
get a spike at another step, and in a deep network many of their counts end up one higher or lower. So differences are
looked for where they arise, in samples whose earlier layers are all equal. A wrong weight, bias, threshold or rule would
show there in nearly every sample. This is asked of few steps, where most samples are free of ties; of many steps it is
asked that ties stay rare where they arise and that what follows from them leaves the sums as they are.
"""

from dataclasses import dataclass

import numpy as np

# Up to this many steps, of the samples that are equal so far, the share that one layer may change (two always may).
FEW_STEPS, TOUCHED = 4, 0.1
# Counts of a layer that may differ in samples whose earlier layers are equal.
FRESH = 1e-3
# Of all spikes of a layer: their sum on both sides, and the sum of the differences of all neurons.
SUM_APART, EACH_APART = 0.005, 0.15
# Of the samples that a tie has touched, the share that may be answered differently at one t (one sample always may).
ANSWERS = 0.15


@dataclass
class Layer:
    """How alike the counts of one layer are."""

    equal: float
    """Share of equal counts."""
    fresh: float
    """Share of different counts in samples whose earlier layers are equal; 0 where there is no such sample."""
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
                clean=int(clean.sum()),
                sums=abs(int(a.sum() - b.sum())) / spikes,
                each=int(np.abs(a - b).sum()) / spikes,
            )
        )
    return result


def faults(found, ours, theirs, samples):
    """What is too different, in words; empty when the two are the same simulation. `ours`, `theirs`: accuracy at every t."""
    wrong, before = [], samples
    for index, layer in enumerate(found):
        touched, before = before - layer.clean, layer.clean
        if len(ours) <= FEW_STEPS and touched > max(2, TOUCHED * (before + touched)):
            wrong.append(f"layer {index}: {touched} samples differ from here on without a cause in an earlier layer")
        if layer.fresh > FRESH:
            wrong.append(f"layer {index}: {layer.fresh:.2%} of the counts differ without a cause in an earlier layer")
        if layer.sums > SUM_APART or layer.each > EACH_APART:
            wrong.append(f"layer {index}: all spikes differ by {layer.sums:.2%}, those of single neurons by {layer.each:.2%}")
    allowed = max(1, ANSWERS * (samples - found[-1].clean))
    for t, (a, b) in enumerate(zip(ours, theirs, strict=True), 1):
        if abs(a - b) * samples > allowed + 1e-3:
            wrong.append(f"t = {t}: accuracy {a:.4f} in Spikescope and {b:.4f} in the peer")
    return wrong
