//! Undo stack over settings and the neuron bench: one step per gesture, described in a sentence.

use crate::data::digits::Drawing;
use crate::error::format_shape;
use crate::experiment::settings::Settings;
use crate::measure::neuron_bench::NeuronBench;

/// Maximum number of undo steps.
const MAX_STEPS: usize = 100;

/// Undo and redo steps, and the gesture in progress.
#[derive(Debug, Default)]
pub struct UndoStack {
    past: Vec<UndoStep>,
    future: Vec<UndoStep>,
    /// The settings, and the bench, at the start of the gesture in progress.
    gesture: Option<Settings>,
    bench: Option<NeuronBench>,
    /// Past and future of before the scope in progress, see [`UndoStack::begin_scope`].
    outer: Option<[Vec<UndoStep>; 2]>,
}

/// One step: the values before and after it.
#[derive(Clone, Debug)]
enum UndoStep {
    Settings(Box<[Settings; 2]>),
    Bench(Box<[NeuronBench; 2]>),
}

/// The value that an undo or redo step restores.
#[derive(Clone, Debug, PartialEq)]
pub enum UndoTarget {
    Settings(Box<Settings>),
    Bench(Box<NeuronBench>),
}

impl UndoStep {
    fn target(&self, side: usize) -> UndoTarget {
        match self {
            Self::Settings(both) => UndoTarget::Settings(Box::new(both[side].clone())),
            Self::Bench(both) => UndoTarget::Bench(Box::new(both[side].clone())),
        }
    }
    fn describe(&self) -> String {
        match self {
            Self::Settings(both) => describe_change(&both[0], &both[1]),
            Self::Bench(both) => both[0].changes(&both[1]),
        }
    }
}

impl UndoStack {
    /// Starts a gesture unless one is in progress; call before each change.
    pub fn begin(&mut self, settings: &Settings) {
        if self.gesture.is_none() {
            self.gesture = Some(settings.clone());
        }
    }
    /// The same for the neuron bench.
    pub fn begin_bench(&mut self, bench: &NeuronBench) {
        if self.bench.is_none() {
            self.bench = Some(bench.clone());
        }
    }
    /// Whether a gesture is in progress.
    pub fn dragging(&self) -> bool {
        self.gesture.is_some()
    }
    /// Whether a gesture on the neuron bench is in progress.
    pub fn dragging_bench(&self) -> bool {
        self.bench.is_some()
    }
    /// Whether the change in progress opened another network or data set, which is no drag. `settings` are the current ones.
    pub fn opened(&self, settings: &Settings) -> bool {
        self.gesture.as_ref().is_some_and(|before| before.has_other_sources(settings))
    }
    /// Ends the gesture: all its changes become one step.
    pub fn end(&mut self, settings: &Settings) {
        if let Some(before) = self.gesture.take().filter(|before| before != settings) {
            self.add(UndoStep::Settings(Box::new([before, settings.clone()])));
        }
    }
    /// The same for the neuron bench.
    pub fn end_bench(&mut self, bench: &NeuronBench) {
        if let Some(before) = self.bench.take().filter(|before| before != bench) {
            self.add(UndoStep::Bench(Box::new([before, bench.clone()])));
        }
    }
    /// Begins a scope, or the next one: undo reaches back to here and no further. The steps of before the first scope are kept
    /// for [`UndoStack::end_scope`].
    pub fn begin_scope(&mut self) {
        let steps = [std::mem::take(&mut self.past), std::mem::take(&mut self.future)];
        self.outer.get_or_insert(steps);
    }
    /// Ends the scopes: undo knows only the steps of before them, not how the state of then was restored.
    pub fn end_scope(&mut self) {
        if let Some([past, future]) = self.outer.take() {
            (self.past, self.future, self.gesture, self.bench) = (past, future, None, None);
        }
    }
    /// Whether a scope is in progress.
    pub fn scoped(&self) -> bool {
        self.outer.is_some()
    }
    fn add(&mut self, step: UndoStep) {
        self.past.push(step);
        self.future.clear();
        if self.past.len() > MAX_STEPS {
            self.past.remove(0);
        }
    }
    /// The newest settings failed and `settings` are restored: discards the gesture in progress and the steps that led away
    /// from them.
    pub fn discard_failed(&mut self, settings: &Settings) {
        self.gesture = None;
        let leads_away = |step: &UndoStep| matches!(step, UndoStep::Settings(both) if both[1] != *settings);
        let leads_here = |step: &UndoStep| matches!(step, UndoStep::Settings(both) if both[1] == *settings);
        let from = self.past.iter().rposition(leads_here).map_or(0, |index| index + 1);
        let mut index = 0;
        self.past.retain(|step| {
            index += 1;
            index <= from || !leads_away(step)
        });
    }
    /// The run of `requested` was stopped and `settings` are restored: redo repeats the request. Returns its description.
    pub fn redo_stopped(&mut self, settings: &Settings, requested: Settings) -> Option<String> {
        self.discard_failed(settings);
        if requested == *settings {
            return None;
        }
        let step = UndoStep::Settings(Box::new([settings.clone(), requested]));
        let sentence = step.describe();
        self.future.push(step);
        Some(sentence)
    }
    /// Undoes the last step; `settings` and `bench` are the current ones.
    pub fn undo(&mut self, settings: &Settings, bench: &NeuronBench) -> Option<UndoTarget> {
        self.end(settings);
        self.end_bench(bench);
        let step = self.past.pop()?;
        let target = step.target(0);
        self.future.push(step);
        Some(target)
    }
    /// Repeats the step that was undone last.
    pub fn redo(&mut self) -> Option<UndoTarget> {
        let step = self.future.pop()?;
        let target = step.target(1);
        self.past.push(step);
        Some(target)
    }
    /// Description of the step that undo would revert: "threshold percentile:99.9 to percentile:99.5".
    pub fn undo_sentence(&self) -> Option<String> {
        self.past.last().map(UndoStep::describe)
    }
    /// Description of the step that redo would repeat.
    pub fn redo_sentence(&self) -> Option<String> {
        self.future.last().map(UndoStep::describe)
    }
}

/// The serialized name of an option.
fn option_name(choice: &impl serde::Serialize) -> String {
    serde_json::to_string(choice).unwrap_or_default().trim_matches('"').to_owned()
}

/// A data specification as text; a drawing by its content.
fn data(spec: &str) -> String {
    Drawing::from_spec(spec).map_or_else(|| spec.to_owned(), |drawing| drawing.describe())
}

/// Describes the changes between two settings as a short text.
pub fn describe_change(before: &Settings, after: &Settings) -> String {
    let (a, b) = (&before.recipe, &after.recipe);
    let mut parts = Vec::new();
    // A drawing replaces the data: changes of samples and calibration follow from it and are omitted.
    if before.data != after.data && (Drawing::is_drawing_spec(&before.data) || Drawing::is_drawing_spec(&after.data)) {
        let same = |s: &Settings| Settings { data: String::new(), samples: 0..0, calibration_data: None, ..s.clone() };
        let rest = describe_change(&same(before), &same(after));
        let changed = format!("{} to {}", data(&before.data), data(&after.data));
        return if rest.is_empty() { changed } else { format!("{changed}, {rest}") };
    }
    let mut push_if = |changed: bool, what: &str, from: String, to: String| {
        if changed {
            parts.push(format!("{what} {from} to {to}"));
        }
    };
    push_if(before.model != after.model, "network", before.model.clone(), after.model.clone());
    let output = |output: &Option<String>| output.clone().unwrap_or_else(|| "by default".into());
    push_if(before.output != after.output, "output", output(&before.output), output(&after.output));
    let input = |shape: &Option<Vec<usize>>| shape.as_ref().map_or("of the data".into(), |shape| format_shape(shape));
    push_if(before.input != after.input, "input shape", input(&before.input), input(&after.input));
    let step = |dt: Option<f64>| dt.map_or("of the file".into(), |dt| dt.to_string());
    push_if(before.dt != after.dt, "time step", step(before.dt), step(after.dt));
    push_if(before.data != after.data, "data", data(&before.data), data(&after.data));
    let set = |spec: &Option<String>| spec.clone().unwrap_or_else(|| "same data".into());
    push_if(
        before.calibration_data != after.calibration_data,
        "calibration data",
        set(&before.calibration_data),
        set(&after.calibration_data),
    );
    push_if(before.scaling != after.scaling, "scaling", before.scaling.to_string(), after.scaling.to_string());
    push_if(a.steps != b.steps, "T", a.steps.to_string(), b.steps.to_string());
    push_if(a.threshold != b.threshold, "threshold", a.threshold.to_string(), b.threshold.to_string());
    push_if(a.granularity != b.granularity, "granularity", option_name(&a.granularity), option_name(&b.granularity));
    push_if(a.v_init != b.v_init, "v(0)", format!("{:.2} θ", a.v_init), format!("{:.2} θ", b.v_init));
    push_if(a.reset != b.reset, "reset", option_name(&a.reset), option_name(&b.reset));
    push_if(a.tie != b.tie, "tie rule", option_name(&a.tie), option_name(&b.tie));
    push_if(a.initial != b.initial, "distribution of v(0)", option_name(&a.initial), option_name(&b.initial));
    push_if(a.seed != b.seed, "seed of v(0)", a.seed.to_string(), b.seed.to_string());
    push_if(a.neuron != b.neuron, "neuron", a.neuron.to_string(), b.neuron.to_string());
    push_if(a.correction != b.correction, "correction", a.correction.to_string(), b.correction.to_string());
    let shift = |steps: Option<usize>| steps.map_or("off".into(), |steps| format!("θ/2·{steps}"));
    push_if(a.bias_shift != b.bias_shift, "bias shift", shift(a.bias_shift), shift(b.bias_shift));
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    push_if(a.bias_correction != b.bias_correction, "bias correction", on(a.bias_correction), on(b.bias_correction));
    push_if(a.pooling != b.pooling, "max pooling", option_name(&a.pooling), option_name(&b.pooling));
    push_if(a.readout != b.readout, "readout", a.readout.to_string(), b.readout.to_string());
    if before.samples != after.samples {
        parts.push(format!("samples to {}..{}", after.samples.start, after.samples.end));
    }
    if before.calibrate != after.calibrate {
        parts.push(format!("calibration samples to {}..{}", after.calibrate.start, after.calibrate.end));
    }
    if before.backend != after.backend {
        parts.push(format!("backend to {}", option_name(&after.backend)));
    }
    for (layer, theta) in &b.manual_thresholds {
        if a.manual_thresholds.get(layer) != Some(theta) {
            parts.push(format!("threshold of {layer} to {theta:.3}"));
        }
    }
    for layer in a.manual_thresholds.keys().filter(|layer| !b.manual_thresholds.contains_key(*layer)) {
        parts.push(format!("threshold of {layer} reset to rule"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_bounds_undo_and_leaves_no_step() {
        let steps = |steps: usize| {
            let mut settings = Settings::demo();
            settings.recipe.steps = steps;
            settings
        };
        let mut undo = UndoStack::default();
        let change = |undo: &mut UndoStack, from: usize, to: usize| {
            undo.begin(&steps(from));
            undo.end(&steps(to));
        };
        change(&mut undo, 16, 8);
        undo.begin_scope();
        assert_eq!(undo.undo_sentence(), None, "what was before the scope is out of reach");
        change(&mut undo, 8, 4);
        undo.begin_scope();
        change(&mut undo, 4, 2);
        assert_eq!(undo.undo_sentence().as_deref(), Some("T 4 to 2"));
        change(&mut undo, 2, 8);
        undo.end_scope();
        assert!(!undo.scoped());
        assert_eq!(undo.undo_sentence().as_deref(), Some("T 16 to 8"), "as before the scope");
        undo.end_scope();
        assert_eq!(undo.undo_sentence().as_deref(), Some("T 16 to 8"), "without a scope nothing ends");
    }

    #[test]
    fn a_stopped_request_can_be_redone() {
        let current = Settings::demo();
        let mut requested = current.clone();
        requested.recipe.steps = 64;
        let mut undo = UndoStack::default();
        undo.begin(&current);
        assert_eq!(undo.redo_stopped(&current, requested.clone()).as_deref(), Some("T 16 to 64"));
        assert!(!undo.dragging());
        assert_eq!(undo.redo(), Some(UndoTarget::Settings(Box::new(requested))));
        assert_eq!(undo.redo_stopped(&current, current.clone()), None, "a rerun of the same settings");
        assert_eq!(undo.redo(), None);
    }

    #[test]
    fn failed_settings_leave_no_step() {
        let (mut undo, first) = (UndoStack::default(), Settings::default());
        let second = Settings { model: "absurd.onnx".into(), ..first.clone() };
        undo.begin(&first);
        undo.end(&second);
        undo.discard_failed(&first);
        assert!(undo.undo_sentence().is_none());
    }

    #[test]
    fn every_setting_has_a_sentence() {
        use crate::compute::Backend;
        use crate::convert::{
            BalancingOptions, Correction, CosRule, Granularity, InitialPotential, MaxPoolRule, NeuronModel, Readout,
            Reset, ThresholdRule, TieRule,
        };
        use crate::data::Scaling;
        type Change = fn(&mut Settings);
        let changes: [Change; 24] = [
            |s| s.model = "a.onnx".into(),
            |s| s.output = Some("logits".into()),
            |s| s.input = Some(vec![3, 8, 8]),
            |s| s.data = "npz:a".into(),
            |s| s.calibration_data = Some("npz:b".into()),
            |s| s.scaling = Scaling::Bytes,
            |s| s.samples = 0..1,
            |s| s.calibrate = 0..1,
            |s| s.backend = Backend::Ndarray,
            |s| s.recipe.steps = 3,
            |s| s.recipe.threshold = ThresholdRule::Balance(BalancingOptions::default()),
            |s| s.recipe.granularity = Granularity::Channel,
            |s| s.recipe.v_init = 0.25,
            |s| s.recipe.initial = InitialPotential::Uniform,
            |s| s.recipe.seed = 7,
            |s| s.recipe.reset = Reset::Hard,
            |s| s.recipe.tie = TieRule::Gt,
            |s| s.recipe.neuron = NeuronModel::Signed,
            |s| s.recipe.correction = Correction::Cos { steps: 4, passes: 1, rule: CosRule::KeepSaturated },
            |s| s.recipe.bias_shift = Some(32),
            |s| s.recipe.bias_correction = true,
            |s| s.recipe.pooling = MaxPoolRule::Lateral,
            |s| s.recipe.readout = Readout::Delayed(None),
            |s| s.recipe.manual_thresholds = [("act".to_owned(), 1.0)].into(),
        ];
        let mut all = Settings { output: Some("y".into()), input: Some(vec![1]), ..Settings::default() };
        all.recipe.seed = 1;
        let fields = serde_json::to_value(all).unwrap();
        let count = |value: &serde_json::Value| value.as_object().map_or(0, serde_json::Map::len);
        assert_eq!(count(&fields) - 1 + count(&fields["recipe"]), changes.len(), "a new setting needs its words");
        for change in changes {
            let (first, mut second) = (Settings::default(), Settings::default());
            change(&mut second);
            assert_ne!(first, second);
            let words = (describe_change(&first, &second), describe_change(&second, &first));
            assert!(!words.0.is_empty() && !words.1.is_empty(), "{words:?}");
        }
    }

    #[test]
    fn a_drag_is_one_step_with_a_sentence() {
        let (mut undo, first) = (UndoStack::default(), Settings::default());
        let mut settings = first.clone();
        for steps in [30, 20, 8] {
            undo.begin(&settings);
            settings.recipe.steps = steps;
        }
        undo.end(&settings);
        assert_eq!(undo.undo_sentence().unwrap(), "T 32 to 8");
        let bench = NeuronBench::default();
        assert_eq!(undo.undo(&settings, &bench).unwrap(), UndoTarget::Settings(Box::new(first)));
        assert_eq!(undo.redo().unwrap(), UndoTarget::Settings(Box::new(settings)));
        assert!(undo.redo().is_none());
    }
}
