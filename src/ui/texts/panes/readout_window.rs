//! Texts of the readout window pane: matrix, early exit and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Readout window";
pub const ACCURACY: &str = "accuracy";
pub const AGREEMENT: &str = "agreement with the ANN";

pub fn estimated(start: usize, share: &str) -> String {
    format!("estimated delay: start {start}, {share}")
}

pub fn best_at_end(start: usize, share: &str) -> String {
    format!("best at T: start {start}, {share}")
}

pub const MAP: &str = "Accuracy by start and end of the readout window";

pub fn best_from(start: usize, share: &str) -> String {
    format!(", best from start {start}: {share}")
}

pub fn map(measured: &str, low: &str, high: &str, plain: &str, estimated: &str, start: usize, best: &str) -> String {
    format!(
        "Map of {measured} by start (x) and end (y) of the readout window, {low} to {high}. Up to the last step: \
         {plain} from the first step on, {estimated} from the estimated start {start}{best}."
    )
}

pub fn hover(from: usize, to: usize, steps: usize, of: usize, measured: &str, share: &str) -> String {
    format!("mean logits of steps {from} to {to} ({steps} of {of})\n{measured} {share}")
}

pub const BEFORE_END: &str = "the start is before the end";
pub const START_AXIS: &str = "start: steps skipped";
pub const END_AXIS: &str = "end: last step used";

pub fn best_start(start: usize, share: &str) -> String {
    format!(
        "; the best start is {start} with {share}, selected on the measured samples and therefore slightly optimistic"
    )
}

pub fn taken_back(estimate: usize, start: usize) -> String {
    format!("{estimate} (reduced to {start}, so that 4 steps are left)")
}

/// Meaning of a cell; `measured` is [`ACCURACY`] or [`AGREEMENT`].
pub fn cells(measured: &str) -> String {
    format!(
        "Each cell is the {measured} of the mean logits between its start and its end: the first steps, in which deep \
         layers have hardly any input, can be skipped."
    )
}

/// Accuracy over all steps, and from the estimated first step on.
pub fn starts(steps: usize, plain: &str, estimate: &str, estimated: &str, best: &str) -> String {
    format!(
        "Over all {steps} steps it is {plain}; the fastest neurons of all layers need {estimate} steps to fire in \
         sequence, and starting there gives {estimated}{best}."
    )
}

pub fn early(confidence: f32, steps: f64, share: &str) -> String {
    format!(
        "Early exit when the largest softmax probability reaches {confidence:.2} takes {steps:.1} steps on average and \
         gives {share}."
    )
}

pub fn description(measured: &str, steps: usize, explanation: &str) -> String {
    format!(
        "Matrix of {measured} by start and end of the readout window, {steps} steps, with a histogram of exit steps. \
         {explanation}"
    )
}

pub const EARLY: &str = "Early exit at confidence";
pub const EARLY_HINT: &str = "A sample exits at the first step where the largest softmax probability of its mean \
     logits reaches this confidence; after few steps a confident prediction can be wrong";

pub fn on_average(mean: f64, of: usize) -> String {
    format!("{mean:.1} of {of} steps on average")
}

pub fn accuracies(early: &str, late: &str) -> String {
    format!("accuracy {early} ({late} with all steps), ")
}

pub const NO_LABELS: &str = "no labels: ";
pub const ALL_SURE: &str = "all samples reach the confidence";

pub fn never_sure(samples: u64, steps: usize) -> String {
    format!("{samples} never reach it and exit at t = {steps}")
}

pub fn agrees(accuracy: &str, share: &str, unsure: &str) -> String {
    format!("{accuracy}agreement with the ANN {share}; {unsure}")
}

pub const SURE: &str = "samples at the confidence";
pub const NOT_SURE: &str = "below it at T";
pub const MEAN: &str = "mean";
pub const STEP_AXIS: &str = "exit step t";
pub const SAMPLES: &str = "samples";

pub fn samples_answer(t: usize, samples: u64) -> String {
    format!("t = {t}\n{samples} samples exit")
}

pub const EXITS: &str = "Samples by exit step";

pub fn exits_at(samples: u64, t: usize) -> String {
    format!("{samples} at t = {t}")
}

pub fn exits(steps: &str, unsure: u64, mean: f64) -> String {
    format!("{steps}; {unsure} of the last did not reach the confidence. Mean {mean:.1} steps.")
}
