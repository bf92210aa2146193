//! What is kept of a run: every spike as one bit, each neuron's mean input and last potential, the readout at every step.
//!
//! Time is the outermost dimension, so a shorter T is a prefix of the buffer and a longer T is appended to it.

/// The spikes of one layer: one bit per (step, sample, neuron), rows padded to whole 64-bit words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpikeTrain {
    samples: usize,
    neurons: usize,
    /// Words in one row, `ceil(neurons / 64)`.
    row_words: usize,
    /// `[T][sample][word]`; bit k of word w is neuron `64w + k` of the flattened `[C, H, W]` layer.
    words: Vec<u64>,
}

/// One spiking layer's part of a recording.
#[derive(Clone, Debug)]
pub struct LayerRecording {
    pub spikes: SpikeTrain,
    /// Mean input current ẑ over the T steps, `[N, F]`, in units of the ANN's pre-activation.
    pub mean_input: Vec<f32>,
    /// Membrane potential after the last step v(T), `[N, F]`.
    pub potential: Vec<f32>,
}

/// A finished run of T steps over N samples.
#[derive(Clone, Debug)]
pub struct Recording {
    pub steps: usize,
    pub samples: usize,
    pub classes: usize,
    /// One per spiking layer, in network order.
    pub layers: Vec<LayerRecording>,
    /// Readout summed over steps 1..=t, `[T][N][classes]`: arg-max at t is the answer after t steps.
    pub readout: Vec<f32>,
}

impl SpikeTrain {
    /// An empty train of 0 steps.
    pub fn new(samples: usize, neurons: usize) -> Self {
        Self { samples, neurons, row_words: neurons.div_ceil(64), words: Vec::new() }
    }
    /// Time-steps recorded.
    pub fn steps(&self) -> usize {
        self.words.len().checked_div(self.samples * self.row_words).unwrap_or(0)
    }
    /// Samples in each step.
    pub fn samples(&self) -> usize {
        self.samples
    }
    /// Neurons of the layer.
    pub fn neurons(&self) -> usize {
        self.neurons
    }
    /// Words in one row.
    pub fn row_words(&self) -> usize {
        self.row_words
    }
    /// Makes room for `steps` steps in all; new steps are silent, surplus steps are dropped.
    pub fn resize(&mut self, steps: usize) {
        self.words.resize(steps * self.samples * self.row_words, 0);
    }
    /// The bits of all neurons at step `t` (0-based) for `sample`.
    pub fn row(&self, t: usize, sample: usize) -> &[u64] {
        let start = (t * self.samples + sample) * self.row_words;
        &self.words[start..start + self.row_words]
    }
    /// Writable bits of one row.
    pub fn row_mut(&mut self, t: usize, sample: usize) -> &mut [u64] {
        let start = (t * self.samples + sample) * self.row_words;
        &mut self.words[start..start + self.row_words]
    }
    /// Whether `neuron` fired at step `t` (0-based) for `sample`.
    pub fn fired(&self, t: usize, sample: usize, neuron: usize) -> bool {
        self.row(t, sample)[neuron / 64] >> (neuron % 64) & 1 == 1
    }
    /// Calls `visit(neuron)` for every spike at step `t` (0-based) of `sample`, in order.
    pub fn for_each_spike(&self, t: usize, sample: usize, mut visit: impl FnMut(usize)) {
        for (w, &word) in self.row(t, sample).iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                visit(w * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }
    /// Adds the spikes of steps `0..steps` of `sample` to `counts` (`[F]`).
    pub fn add_counts(&self, steps: usize, sample: usize, counts: &mut [u32]) {
        for t in 0..steps.min(self.steps()) {
            self.for_each_spike(t, sample, |neuron| counts[neuron] += 1);
        }
    }
    /// Spike counts over steps `0..steps`, `[N, F]`.
    pub fn counts(&self, steps: usize) -> Vec<u32> {
        let mut counts = vec![0; self.samples * self.neurons];
        for (sample, row) in counts.chunks_mut(self.neurons.max(1)).enumerate() {
            self.add_counts(steps, sample, row);
        }
        counts
    }
    /// Spikes of all neurons and samples in steps `0..steps`.
    pub fn total(&self, steps: usize) -> u64 {
        let end = steps.min(self.steps()) * self.samples * self.row_words;
        self.words[..end].iter().map(|word| u64::from(word.count_ones())).sum()
    }
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.words.len() * 8
    }
}

impl Recording {
    /// The readout after `t` steps (1-based) for `sample`: summed logits, `[classes]`.
    pub fn readout_at(&self, t: usize, sample: usize) -> &[f32] {
        let start = ((t - 1) * self.samples + sample) * self.classes;
        &self.readout[start..start + self.classes]
    }
    /// The class with the largest readout after `t` steps (1-based); the first of equals.
    pub fn answer_at(&self, t: usize, sample: usize) -> usize {
        arg_max(self.readout_at(t, sample))
    }
    /// Bytes held by the recording.
    pub fn bytes(&self) -> usize {
        let layer = |l: &LayerRecording| l.spikes.bytes() + (l.mean_input.len() + l.potential.len()) * 4;
        self.layers.iter().map(layer).sum::<usize>() + self.readout.len() * 4
    }
    /// Bytes a recording will hold: `neurons` lists the neurons of each spiking layer.
    pub fn predict_bytes(steps: usize, samples: usize, classes: usize, neurons: &[usize]) -> usize {
        let layer = |f: usize| (steps * f.div_ceil(64) + f) * 8;
        samples * (neurons.iter().map(|&f| layer(f)).sum::<usize>() + steps * classes * 4)
    }
}

/// Index of the largest value; the first of equals, 0 for an empty slice.
pub fn arg_max(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_and_truncate() {
        let mut train = SpikeTrain::new(2, 70);
        train.resize(3);
        train.row_mut(0, 1)[1] |= 1 << 3;
        train.row_mut(2, 1)[1] |= 1 << 3;
        train.row_mut(2, 0)[0] |= 1;
        assert!(train.fired(2, 1, 67) && !train.fired(1, 1, 67));
        assert_eq!(train.counts(3)[70 + 67], 2);
        assert_eq!(train.total(3), 3);
        train.resize(2);
        assert_eq!((train.steps(), train.total(2)), (2, 1));
        assert_eq!(train.bytes(), 2 * 2 * 2 * 8);
    }
}
