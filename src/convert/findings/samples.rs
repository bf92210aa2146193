//! What was done to the samples before the network saw them, and whether a run sees all of a recording.

use super::{Finding, Mend};
use crate::data::Samples;

/// What the reader did to `samples`, and steps that do not fit recordings of events: a run of `steps` time-steps sees one
/// frame a step, while the ANN answers the mean of all.
pub fn of_samples(samples: &Samples, steps: usize) -> Vec<Finding> {
    let mut found: Vec<Finding> = samples.notes.iter().map(|note| Finding::note("samples", None, note)).collect();
    let Some(frames) = samples.frames.as_ref().map(|frames| frames.count) else { return found };
    if steps < frames {
        let text = format!(
            "T = {steps} steps see the first {steps} of {frames} frames of a recording, while the ANN answers the mean of all: they \
             do not see the same"
        );
        found.push(Finding::warning("frames", None, text).mended_by(Mend::Steps(frames)));
    } else if !steps.is_multiple_of(frames) {
        let text = format!(
            "T = {steps} is no multiple of the {frames} frames of a recording: the first {} are seen once more than the others",
            steps % frames
        );
        found.push(Finding::note("frames", None, text).mended_by(Mend::Steps(steps / frames * frames)));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Frames;

    #[test]
    fn steps_that_see_only_some_frames_are_found() {
        let frames = Frames { count: 4, values: Arc::new(vec![0.0; 4]) };
        let samples = Samples {
            source: "test".into(),
            shape: vec![1],
            values: Arc::new(vec![0.0]),
            labels: Arc::new(Vec::new()),
            class_names: Vec::new(),
            full_scale: 1.0,
            frames: Some(frames),
            notes: vec!["cut".into()],
        };
        let mends = |steps| of_samples(&samples, steps).into_iter().filter_map(|f| f.mend).collect::<Vec<_>>();
        assert_eq!((mends(3), mends(4), mends(8)), (vec![Mend::Steps(4)], vec![], vec![]));
        assert_eq!(mends(9), [Mend::Steps(8)]);
        assert_eq!(of_samples(&samples, 4), [Finding::note("samples", None, "cut")]);
    }
}
