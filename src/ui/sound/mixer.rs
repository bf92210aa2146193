//! Audio mixer: adds clicks to silence and returns 16-bit samples.

/// Sample rate, in hertz.
pub const RATE: u32 = 44_100;
/// Length of a click in samples, its pitch in hertz, and its amplitude. A click is a decaying sine.
const CLICK_SAMPLES: usize = 220;
const CLICK_PITCH: f32 = 1_900.0;
const CLICK_AMPLITUDE: f32 = 9_000.0;
/// Maximum number of queued clicks while the server takes no samples.
const MAX_QUEUED: usize = 32;
/// Distance between two clicks of one step, in samples.
const CLICK_DISTANCE: usize = 900;

/// Active and queued clicks.
#[derive(Default)]
pub struct Mixer {
    /// Position of each click, in samples from its beginning; negative while it is queued.
    at: Vec<isize>,
}

impl Mixer {
    /// Queues `count` clicks, one after the other.
    pub fn add(&mut self, count: usize) {
        let free = MAX_QUEUED.saturating_sub(self.at.len());
        self.at.extend((0..count.min(free)).map(|k| -((k * CLICK_DISTANCE) as isize)));
    }

    /// The next `count` samples, little-endian.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 * count);
        for _ in 0..count {
            let sum: f32 = self.at.iter().filter_map(|&at| usize::try_from(at).ok()).map(sample).sum();
            bytes.extend_from_slice(&(sum.clamp(-30_000.0, 30_000.0) as i16).to_le_bytes());
            self.at.iter_mut().for_each(|at| *at += 1);
            self.at.retain(|&at| at < CLICK_SAMPLES as isize);
        }
        bytes
    }
}

/// Sample `at` of a click.
fn sample(at: usize) -> f32 {
    let t = at as f32;
    let fade = (-t / 45.0).exp() * (1.0 - t / CLICK_SAMPLES as f32);
    CLICK_AMPLITUDE * fade * (std::f32::consts::TAU * CLICK_PITCH * t / RATE as f32).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click_positions(bytes: &[u8]) -> Vec<usize> {
        let samples = bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]]));
        samples.enumerate().filter(|(_, s)| s.unsigned_abs() > 500).map(|(at, _)| at).collect()
    }

    #[test]
    fn mixer_is_silent_without_spikes_and_spaces_two_clicks() {
        let mut mixer = Mixer::default();
        assert!(click_positions(&mixer.bytes(2000)).is_empty());
        mixer.add(2);
        let clicks = click_positions(&mixer.bytes(4000));
        let (first, second): (Vec<usize>, Vec<usize>) = clicks.iter().partition(|&&at| at < CLICK_DISTANCE);
        assert!(!first.is_empty() && second.first().is_some_and(|at| *at > CLICK_DISTANCE), "{clicks:?}");
        assert!(click_positions(&mixer.bytes(2000)).is_empty(), "they die away");
    }
}
