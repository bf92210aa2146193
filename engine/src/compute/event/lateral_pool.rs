//! Lateral pooling of spikes: each place emits the increase of the largest count in its window.

use std::ops::Range;

use super::spike_source::{SpikeSource, for_each_bit};
use super::synapse_plan::{Grid, SlidingWindow};

/// The events of one sample at one step behind a lateral pool: channels within their group.
#[derive(Debug, Default)]
pub struct PooledStep {
    /// First event of each place, and one past the last.
    offsets: Vec<u32>,
    events: Vec<u32>,
}

impl PooledStep {
    /// The events of `place`; a channel may emit more than once.
    pub fn of(&self, place: usize) -> &[u32] {
        &self.events[self.offsets[place] as usize..self.offsets[place + 1] as usize]
    }
}

/// Weights of the two sides that [`lateral`] returns.
pub const SIDES: &[i32] = &[1, -1];

/// LIPooling (Li & Zeng, IJCAI 2022): each place emits the increase of the largest count in its window since the last
/// step. Rises are events of weight 1, falls (after negative spikes) have weight −1.
pub fn lateral(
    from: Grid,
    to: Grid,
    windows: SlidingWindow,
    channels: Range<usize>,
    spikes: &impl SpikeSource,
    steps: usize,
) -> [Vec<PooledStep>; 2] {
    let mut counts = vec![0i32; from.places() * channels.len()];
    let mut sent = vec![0i32; to.places() * channels.len()];
    let mut sides = [0, 1].map(|_| Vec::with_capacity(steps));
    for t in 0..steps {
        for place in 0..from.places() {
            let first = place * from.channels;
            for (plane, &weight) in spikes.weights().iter().enumerate() {
                for_each_bit(spikes.plane(t, plane), first + channels.start..first + channels.end, |c| {
                    counts[place * channels.len() + c] += weight;
                });
            }
        }
        let mut step = [PooledStep::default(), PooledStep::default()];
        for place in 0..to.places() {
            step.iter_mut().for_each(|step| step.offsets.push(step.events.len() as u32));
            for c in 0..channels.len() {
                let inputs = windows.places(from, place / to.width, place % to.width);
                let largest = inputs.map(|source| counts[source * channels.len() + c]).max().unwrap_or(0);
                let index = place * channels.len() + c;
                let increase = largest - std::mem::replace(&mut sent[index], largest);
                let side = usize::from(increase < 0);
                step[side].events.extend(std::iter::repeat_n(c as u32, increase.unsigned_abs() as usize));
            }
        }
        for (side, mut step) in sides.iter_mut().zip(step) {
            step.offsets.push(step.events.len() as u32);
            side.push(step);
        }
    }
    sides
}
