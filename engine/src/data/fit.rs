//! Layout of samples: fits their dimensions to a network's input, never without a note.
//!
//! The network's shape decides. Equal shapes stay; channels-last values are turned where only that fits; what fits
//! neither way is refused.

use std::sync::Arc;

use super::{Layout, Note, Samples};
use crate::error::format_shape;
use crate::{Error, Result};

/// The input that a network takes.
#[derive(Clone, Debug, PartialEq)]
pub struct InputForm {
    /// Shape of one sample.
    pub shape: Vec<usize>,
    /// Position of the channels, if the network's graph tells it.
    pub layout: Option<Layout>,
}

/// A change of the order of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Stay,
    /// The last dimension becomes the first.
    LastToFirst,
    /// The first dimension becomes the last.
    FirstToLast,
}

impl Turn {
    /// The turn from layout `from` to layout `to`.
    fn between(from: Layout, to: Layout) -> Self {
        match (from, to) {
            (Layout::ChannelsLast, Layout::ChannelsFirst) => Self::LastToFirst,
            (Layout::ChannelsFirst, Layout::ChannelsLast) => Self::FirstToLast,
            _ => Self::Stay,
        }
    }
}

/// A way to fit samples to an input.
struct Plan {
    turn: Turn,
    /// Shape of the samples afterwards.
    shape: Vec<usize>,
    layout: Option<Layout>,
    note: Option<Note>,
}

impl InputForm {
    /// An input of `shape`, of which no more is known.
    pub fn new(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), layout: None }
    }
    /// Position of the channels: as the graph tells or the sizes suggest.
    pub fn channels(&self) -> Layout {
        self.layout.unwrap_or_else(|| Layout::of_sizes(&self.shape))
    }
    /// The shape with channels first, to which images and events are fitted.
    pub fn image_shape(&self) -> Vec<usize> {
        match (self.shape.as_slice(), self.channels()) {
            (&[h, w, c], Layout::ChannelsLast) => vec![c, h, w],
            (shape, _) => shape.to_vec(),
        }
    }
}

/// Fits `samples` to `input`. `stated` is the user's word on the order of the values, which decides where shapes leave it
/// open. `None` for samples of another shape.
///
/// # Errors
/// [`Error::Invalid`] if the stated layout contradicts the shapes.
pub fn fit(samples: Samples, input: &InputForm, stated: Option<Layout>) -> Result<Option<Samples>> {
    let count = |shape: &[usize]| shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    if count(&samples.shape) != count(&input.shape) {
        return Ok(None);
    }
    let flat = |shape: &[usize]| without_ones(shape).len() <= 1;
    let plan = match (flat(&samples.shape), flat(&input.shape)) {
        (true, true) => Some(Plan::stay(samples.shape.clone(), samples.layout)),
        (true, false) => Some(rows_to_image(&samples, input, stated)),
        (false, true) => Some(image_to_rows(&samples, stated)),
        (false, false) => image_to_image(&samples, input, stated)?,
    };
    let Some(Plan { turn, shape, layout, note }) = plan else { return Ok(None) };
    let mut fitted = turned(samples, turn, shape);
    fitted.layout = layout;
    fitted.notes.extend(note);
    Ok(Some(fitted))
}

impl Plan {
    fn stay(shape: Vec<usize>, layout: Option<Layout>) -> Self {
        Self { turn: Turn::Stay, shape, layout, note: None }
    }
}

/// Rows of values for an input with channels.
fn rows_to_image(samples: &Samples, input: &InputForm, stated: Option<Layout>) -> Plan {
    let to = input.channels();
    let mut plan = Plan::stay(input.shape.clone(), Some(to));
    // Signals `[C, L]` have an order too, if the network is known to read channels.
    let is_signal = input.layout.is_some() && input.shape.len() == 2;
    if !(has_order(&input.shape, to) || is_signal) {
        return plan;
    }
    let from = stated.or(samples.layout).unwrap_or(to);
    plan.turn = Turn::between(from, to);
    plan.note = stated.is_none().then(|| {
        let text = format!(
            "rows of {} values are read in the order {} for the network's input of {}",
            samples.sample_len(),
            from.words(),
            format_shape(&input.shape)
        );
        Note::new(text).or_option("layout", from.other().as_str())
    });
    plan
}

/// Samples with dimensions for an input of one.
fn image_to_rows(samples: &Samples, stated: Option<Layout>) -> Plan {
    let from = samples.channels();
    let mut plan = Plan::stay(samples.shape.clone(), Some(from));
    if !has_order(&samples.shape, from) {
        return plan;
    }
    let to = stated.unwrap_or(from);
    plan.turn = Turn::between(from, to);
    plan.shape = turned_shape(&samples.shape, plan.turn);
    plan.layout = Some(to);
    plan.note = stated.is_none().then(|| {
        let text = format!(
            "samples of {} go to the network's {} inputs in the order {}",
            format_shape(&samples.shape),
            samples.sample_len(),
            to.words()
        );
        Note::new(text).or_option("layout", to.other().as_str())
    });
    plan
}

/// Samples with dimensions for an input with dimensions; `None` if they do not fit.
fn image_to_image(samples: &Samples, input: &InputForm, stated: Option<Layout>) -> Result<Option<Plan>> {
    let (has, wants) = (samples.shape.as_slice(), input.shape.as_slice());
    let fits = |turn: Turn| match turn {
        Turn::Stay => without_ones(has) == without_ones(wants),
        _ => turn_fits(has, turn, input),
    };
    let turn = match stated.or(samples.layout) {
        Some(from) => {
            let towards = |to: Layout| {
                let turn = match Turn::between(from, to) {
                    // One channel is the same in both layouts.
                    Turn::LastToFirst if has.last() == Some(&1) => Turn::Stay,
                    Turn::FirstToLast if has.first() == Some(&1) => Turn::Stay,
                    turn => turn,
                };
                Some(turn).filter(|&turn| fits(turn))
            };
            let found = match input.layout {
                Some(to) => towards(to),
                None => towards(input.channels()).or_else(|| towards(input.channels().other())),
            };
            if let (None, Some(layout)) = (found, stated) {
                return Err(Error::Invalid(format!(
                    "Cannot use layout={}: samples of {} do not fit the network's input of {} in this way. Omit the option.",
                    layout.as_str(),
                    format_shape(has),
                    format_shape(wants)
                )));
            }
            found
        }
        None => [Turn::Stay, Turn::LastToFirst, Turn::FirstToLast].into_iter().find(|&turn| fits(turn)),
    };
    let Some(turn) = turn else { return Ok(None) };
    let shape = match turn {
        Turn::Stay if has.len() == 3 && wants.len() != 3 => has.to_vec(),
        _ => wants.to_vec(),
    };
    let layout = match (turn, shape == wants) {
        (Turn::LastToFirst, _) => Some(Layout::ChannelsFirst),
        (Turn::FirstToLast, _) => Some(Layout::ChannelsLast),
        (Turn::Stay, true) => input.layout.or(stated).or(samples.layout),
        (Turn::Stay, false) => stated.or(samples.layout),
    };
    let note = match turn {
        Turn::Stay => {
            let other = [Turn::LastToFirst, Turn::FirstToLast].into_iter().find(|&turn| fits(turn));
            // Images without channels are not taken for signals.
            let has_choice =
                samples.layout.is_none() && stated.is_none() && (wants.len() > 2 || input.layout.is_some());
            other.filter(|_| has_choice).map(|other| {
                let (kept, turned) = match other {
                    Turn::LastToFirst => ("channels-first", Layout::ChannelsLast),
                    _ => ("channels-last", Layout::ChannelsFirst),
                };
                let text = format!(
                    "samples of {} fit the network's input of {} both as they are and turned; they are taken as \
                     {kept}, as they are",
                    format_shape(has),
                    format_shape(wants)
                );
                Note::new(text).or_option("layout", turned.as_str())
            })
        }
        Turn::LastToFirst => Some(turned_note(has, wants, "channels-last", "channels-first")),
        Turn::FirstToLast => Some(turned_note(has, wants, "channels-first", "channels-last")),
    };
    Ok(Some(Plan { turn, shape, layout, note }))
}

fn turned_note(has: &[usize], wants: &[usize], from: &str, to: &str) -> Note {
    let (has, wants) = (format_shape(has), format_shape(wants));
    Note::new(format!("samples of {has} ({from}) are turned to the network's {wants} ({to})"))
}

/// Whether samples of `shape` equal the input after `turn`: their channel dimension becomes that of the input.
fn turn_fits(shape: &[usize], turn: Turn, input: &InputForm) -> bool {
    let wants = input.shape.as_slice();
    let (moved, place, to) = match turn {
        Turn::Stay => return false,
        Turn::LastToFirst => (shape.last(), wants.first(), Layout::ChannelsFirst),
        Turn::FirstToLast => (shape.first(), wants.last(), Layout::ChannelsLast),
    };
    let rank = |shape: &[usize]| matches!(shape.len(), 2 | 3);
    rank(shape)
        && rank(wants)
        && moved == place
        && moved.is_some_and(|&channels| channels > 1)
        && input.channels() == to
        && without_ones(&turned_shape(shape, turn)) == without_ones(wants)
}

fn without_ones(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|&d| d != 1).collect()
}

/// Whether the order of values of `shape` depends on the position of the channels.
fn has_order(shape: &[usize], layout: Layout) -> bool {
    let &[a, b, c] = shape else { return false };
    let (channels, pixels) = match layout {
        Layout::ChannelsFirst => (a, b * c),
        Layout::ChannelsLast => (c, a * b),
    };
    channels > 1 && pixels > 1
}

fn turned_shape(shape: &[usize], turn: Turn) -> Vec<usize> {
    let mut turned = shape.to_vec();
    match turn {
        Turn::Stay => {}
        Turn::LastToFirst => turned.rotate_right(1),
        Turn::FirstToLast => turned.rotate_left(1),
    }
    turned
}

/// `samples` with all values in the order that `turn` gives; their shape is then `shape`.
fn turned(mut samples: Samples, turn: Turn, shape: Vec<usize>) -> Samples {
    let len = samples.sample_len();
    let channels = match turn {
        Turn::Stay => None,
        Turn::LastToFirst => shape.first(),
        Turn::FirstToLast => shape.last(),
    };
    if let Some(pixels) = channels.and_then(|&channels| len.checked_div(channels)).filter(|&pixels| pixels > 0) {
        let columns = if turn == Turn::LastToFirst { len / pixels } else { pixels };
        // `[rows, columns]` becomes `[columns, rows]`.
        let transpose = |values: &[f32]| {
            let mut out = Vec::with_capacity(values.len());
            for sample in values.chunks_exact(len) {
                (0..columns).for_each(|column| out.extend(sample.iter().skip(column).step_by(columns)));
            }
            Arc::new(out)
        };
        samples.values = transpose(&samples.values);
        if let Some(frames) = &mut samples.frames {
            frames.values = transpose(&frames.values);
        }
    }
    samples.shape = shape;
    samples
}

#[cfg(test)]
mod tests;
