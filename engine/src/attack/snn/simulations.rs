//! Simulations of a spiking target, and what several numbers of steps share of them.

use std::sync::Arc;

use super::target::{SnnTarget, slopes_of};
use crate::Result;
use crate::attack::target::{Slope, Slopes, Target};
use crate::progress::JobControl;
use crate::simulate::{Recording, SimulationPlan, simulate};

impl SnnTarget<'_> {
    /// A recording of `input` (`[rows, F]`, scaled) over the steps or more.
    pub(super) fn record(&self, input: &[f32], rows: usize, control: &JobControl) -> Result<Arc<Recording>> {
        let shared = self.memory.and_then(|memory| Some((memory, memory.longest(self.steps)?)));
        let Some((memory, longest)) = shared else {
            return Ok(Arc::new(self.simulated(input, rows, self.steps, control)?));
        };
        if let Some(known) = memory.recording(input) {
            return Ok(known);
        }
        if !memory.has_room(self.recording_bytes(rows, longest)) {
            return Ok(Arc::new(self.simulated(input, rows, self.steps, control)?));
        }
        let recording = Arc::new(self.simulated(input, rows, longest, control)?);
        memory.keep_recording(input, recording.clone());
        Ok(recording)
    }

    /// About the size of a recording.
    fn recording_bytes(&self, rows: usize, steps: usize) -> usize {
        rows * self.spiking.layers.iter().map(|layer| layer.neurons() * (steps + 64)).sum::<usize>() / 8
    }

    /// The logits for `input` (`[rows, F]`, scaled).
    pub(super) fn answers(&self, input: &[f32], rows: usize, control: &JobControl) -> Result<Vec<f32>> {
        let shared = self.memory.and_then(|memory| Some((memory, memory.longest(self.steps)?)));
        let Some((memory, longest)) = shared else {
            return Ok(self.read_all(&self.simulated(input, rows, self.steps, control)?, self.steps));
        };
        if let Some(known) = memory.answers(input, self.steps) {
            return Ok(known);
        }
        let recording = match memory.recording(input) {
            Some(known) => known,
            None => Arc::new(self.simulated(input, rows, longest, control)?),
        };
        for &steps in memory.at() {
            memory.keep_answers(input, steps, self.read_all(&recording, steps));
        }
        Ok(self.read_all(&recording, self.steps))
    }

    /// Simulates `input` (`[rows, F]`, scaled).
    fn simulated(&self, input: &[f32], rows: usize, steps: usize, control: &JobControl) -> Result<Recording> {
        let plan = SimulationPlan {
            program: self.program,
            spiking: self.spiking,
            input,
            samples: rows,
            steps,
            previous: None,
            unchanged_layers: 0,
        };
        simulate(&plan, control)
    }

    /// [`SnnTarget::slopes`] of `input`. Where simulations are shared but too large to be kept, one gives the gradients after
    /// all numbers of steps, and those that are not asked for now are kept instead.
    pub(super) fn shared_slopes(&self, input: &[f32], of: (usize, &Slope<'_>), control: &JobControl) -> Result<Slopes> {
        let rows = input.len() / self.pixels.len().max(1);
        let Some((memory, longest)) = self.memory.and_then(|memory| Some((memory, memory.longest(self.steps)?))) else {
            return self.slopes((&*self.record(input, rows, control)?, self.steps), input, of, control);
        };
        if let Some(logits) = memory.answers(input, self.steps) {
            let slopes = slopes_of(&logits, self.classes().max(1), of.0, of.1);
            if let Some(gradient) = memory.take_gradient(input, self.steps, &slopes) {
                return Ok(Slopes { gradient, logits });
            }
        }
        if memory.recording(input).is_some() || memory.has_room(self.recording_bytes(rows, longest)) {
            return self.slopes((&*self.record(input, rows, control)?, self.steps), input, of, control);
        }
        let mut others: Vec<usize> = memory.at().iter().copied().filter(|&steps| steps > self.steps).collect();
        if !memory.has_room_for_gradients(size_of_val(input) * others.len()) {
            others.clear();
        }
        let recording = self.simulated(input, rows, if others.is_empty() { self.steps } else { longest }, control)?;
        for steps in others {
            let Slopes { gradient, logits } = self.slopes((&recording, steps), input, of, control)?;
            let slopes = slopes_of(&logits, self.classes().max(1), of.0, of.1);
            memory.keep_answers(input, steps, logits);
            memory.keep_gradient(input, steps, &slopes, gradient);
        }
        self.slopes((&recording, self.steps), input, of, control)
    }
}
