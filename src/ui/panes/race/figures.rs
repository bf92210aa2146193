//! Figures of one line of the race: as numbers to sort by, as text, and as difference to the current recipe.

use crate::experiment::Run;
use crate::ground::numbers::{signed, signed_percent};
use crate::measure::Report;
use crate::ui::texts::format::format_percent;

/// Columns of the table that have figures, after color, recipe and changes.
pub(super) const FIRST_FIGURE: usize = 3;

/// Formatted figures of one line.
#[derive(Clone)]
pub(super) struct LineFigures {
    pub(super) accuracy: Option<f64>,
    pub(super) agreement: f64,
    pub(super) mismatch: f64,
    pub(super) offset: f64,
    pub(super) steps: String,
    /// Synaptic operations of a sample.
    pub(super) synops: f64,
    /// Size of the recorded spikes in bytes: the final state, which the newest runs keep, does not count.
    pub(super) memory: f64,
    /// Duration of simulation and calibration: short where parts came from the cache, so it is exported but not compared.
    pub(super) seconds: f64,
}

impl LineFigures {
    pub(super) fn new(run: &Run, report: &Report, t: usize) -> Self {
        let point = report.curve.get(t - 1);
        let layers = &report.layers;
        let relative = layers.iter().map(|l| l.mean_abs_mismatch / l.mean_activation.max(f64::MIN_POSITIVE));
        let (off, all) = layers.iter().fold((0, 0), |(off, all), layer| {
            let total = layer.end_to_end.total();
            (off + total - layer.end_to_end.c0, all + total)
        });
        let correction = run.settings.recipe.correction;
        let steps = match (correction.presteps(), correction.hardware_presteps(layers.len())) {
            (0, _) => t.to_string(),
            (pre, hardware) if pre == hardware => format!("{pre} + {t}"),
            (pre, hardware) => format!("{pre} + {t} ({hardware} + {t})"),
        };
        let synops = layers.iter().map(|l| l.synops).sum::<f64>() / report.samples.max(1) as f64;
        Self {
            accuracy: point.and_then(|p| p.accuracy),
            agreement: point.map_or(0.0, |p| p.agreement),
            mismatch: relative.sum::<f64>() / layers.len().max(1) as f64,
            offset: off as f64 / all.max(1) as f64,
            steps,
            synops,
            memory: (run.recording.bytes() - run.recording.final_state_bytes()) as f64,
            seconds: run.seconds.snn + run.seconds.calibrate,
        }
    }
}

impl LineFigures {
    /// The figure of a column as a number; `None` for steps and for missing labels.
    pub(super) fn number(&self, column: usize) -> Option<f64> {
        match column.checked_sub(FIRST_FIGURE)? {
            0 => self.accuracy,
            1 => Some(self.agreement),
            2 => Some(self.mismatch),
            3 => Some(self.offset),
            5 => Some(self.synops),
            6 => Some(self.memory),
            _ => None,
        }
    }

    /// The figures as texts, in the order of the columns.
    pub(super) fn texts(&self) -> [String; 7] {
        let synops = self.synops;
        [
            self.accuracy.map_or("–".into(), format_percent),
            format_percent(self.agreement),
            format!("{:.3}", self.mismatch),
            format_percent(self.offset),
            self.steps.clone(),
            if synops < 1e6 { format!("{:.0} k", synops / 1e3) } else { format!("{:.2} M", synops / 1e6) },
            format!("{:.1} MB", self.memory / 1e6),
        ]
    }

    /// The difference of a column to `base`: percentage points for shares, percent for amounts.
    pub(super) fn difference(&self, base: &Self, column: usize) -> Option<String> {
        let (own, other) = (self.number(column)?, base.number(column)?);
        let text = match column - FIRST_FIGURE {
            0 | 1 | 3 => signed((own - other) * 100.0, 1),
            2 => signed(own - other, 3),
            5 if other > 0.0 => signed_percent(own / other - 1.0, 0),
            _ => return None,
        };
        text.contains(|digit: char| ('1'..='9').contains(&digit)).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_in_points_and_percent_and_zero_has_none() {
        let of = |accuracy, synops| LineFigures {
            accuracy: Some(accuracy),
            agreement: 0.5,
            mismatch: 0.1,
            offset: 0.0,
            steps: String::new(),
            synops,
            memory: 0.0,
            seconds: 0.0,
        };
        let (base, other) = (of(0.9, 1000.0), of(0.92, 1500.0));
        assert_eq!(other.difference(&base, FIRST_FIGURE).unwrap(), "+2.0");
        assert_eq!(other.difference(&base, FIRST_FIGURE + 5).unwrap(), "+50 %");
        assert_eq!(other.difference(&base, FIRST_FIGURE + 1), None);
        assert_eq!(other.difference(&base, FIRST_FIGURE + 4), None, "steps are no amount");
    }
}
