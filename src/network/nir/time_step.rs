//! Duration of a time step of a NIR file, which the equations of its neurons leave open.
//!
//! `dv/dt = r·I` adds `dt·r·I` to the potential at every step. Most packages write r = 1 for dt = 1. SpikingJelly writes
//! r = 1/dt, 10000 by default. A file may state dt in its metadata.

use hdf5_pure::Group;

use super::items::{FileNode, NodeReader};
use crate::{Error, Result};

/// The smallest r that is read as 1/dt, and how many times its threshold it has to be.
const MIN_RATE: f32 = 100.0;

/// The time step of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimeStep {
    /// Duration of a step, in the unit of time of the file.
    pub dt: f64,
}

impl TimeStep {
    /// The factor `dt·r` from input to potential, rounded once.
    pub fn gain(self, r: f32) -> f32 {
        (f64::from(r) * self.dt) as f32
    }
}

/// The time step of the graph `root` with these nodes, and a note about it. `stated` is that of the user.
///
/// # Errors
/// [`Error::File`] for a dt in the metadata that is not above 0, and for fields of neurons that cannot be read.
pub(super) fn time_step(
    reader: &NodeReader<'_>,
    root: &Group,
    items: &[FileNode],
    stated: Option<f64>,
) -> Result<(TimeStep, Option<String>)> {
    let rates = rates(reader, items)?;
    if let Some(dt) = stated {
        return Ok((TimeStep { dt }, None));
    }
    if let Some(dt) = metadata_dt(reader, root)? {
        let note =
            rates.has_neurons.then(|| format!("dt = {dt} is stated in the file; a neuron's input counts r·dt times"));
        return Ok((TimeStep { dt }, note));
    }
    Ok(match rates {
        Rates { has_neurons: false, .. } => (TimeStep { dt: 1.0 }, None),
        Rates { min, max, .. } if min == 1.0 && max == 1.0 => (TimeStep { dt: 1.0 }, None),
        Rates { min, max, least_ratio, .. } if min == max && min >= MIN_RATE && least_ratio >= MIN_RATE => {
            let dt = 1.0 / f64::from(min);
            let note = format!(
                "r = {min} is read as 1/dt, dt = {dt} s, the convention of SpikingJelly. With dt = 1 the input of every neuron \
                 would be {min} times as large; if that is meant, write dt = 1 into the metadata of the graph"
            );
            (TimeStep { dt }, Some(note))
        }
        Rates { min, max, .. } => {
            let r = if min == max { format!("r = {min}") } else { format!("r is {min} to {max}") };
            let note = format!(
                "{r}, and dt = 1 is assumed, which the file does not state. If r is 1/dt, write dt into the metadata of the \
                 graph"
            );
            (TimeStep { dt: 1.0 }, Some(note))
        }
    })
}

/// Values of r over all neurons of a file.
struct Rates {
    has_neurons: bool,
    min: f32,
    max: f32,
    /// Smallest r/θ.
    least_ratio: f32,
}

fn rates(reader: &NodeReader<'_>, items: &[FileNode]) -> Result<Rates> {
    let mut rates =
        Rates { has_neurons: false, min: f32::INFINITY, max: f32::NEG_INFINITY, least_ratio: f32::INFINITY };
    for FileNode { name, kind, group, .. } in items {
        if !matches!(kind.as_str(), "IF" | "I" | "LIF") {
            continue;
        }
        let r = reader.read_numbers(group, name, "r")?;
        // r and τ of a LIF neuron without leak are infinite together.
        let finite = r.data.iter().copied().filter(|r| r.is_finite());
        let (min, max) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), r| (min.min(r), max.max(r)));
        if min > max {
            continue;
        }
        rates.has_neurons = true;
        (rates.min, rates.max) = (rates.min.min(min), rates.max.max(max));
        if kind != "I" {
            let threshold = reader.read_floats(group, name, "v_threshold")?;
            let largest = threshold.data.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
            rates.least_ratio = rates.least_ratio.min(min / largest);
        }
    }
    Ok(rates)
}

/// The dt in the metadata of the graph, as a number or a text.
fn metadata_dt(reader: &NodeReader<'_>, root: &Group) -> Result<Option<f64>> {
    let Ok(field) = root.group("metadata").and_then(|metadata| metadata.dataset("dt")) else { return Ok(None) };
    let text = field.read_string().ok().and_then(|text| text.into_iter().next());
    let number = match text {
        Some(text) => text.trim().parse().ok(),
        None => field.read_f64().ok().and_then(|numbers| numbers.into_iter().next()),
    };
    match number.filter(|dt: &f64| dt.is_finite() && *dt > 0.0) {
        Some(dt) => Ok(Some(dt)),
        None => Err(Error::file(reader.path, "metadata 'dt'", "is not a number above 0")),
    }
}
