//! Duration of a time step of a NIR file, which the equations of its neurons leave open.
//!
//! `dv/dt = r·I` adds `dt·r·I` to the potential at every step. Most packages write r = 1 for dt = 1. SpikingJelly writes
//! r = 1/dt, 10000 by default. A file may state dt in its metadata.

use hdf5_pure::Group;

use super::items::{FileNode, NodeReader};
use crate::network::left_open::{StepSource, TimeStep};
use crate::{Error, Result};

/// The smallest r that is read as 1/dt, and how many times its threshold it has to be.
const MIN_RATE: f32 = 100.0;

/// The time step of the graph `root` with these nodes; `None` if no neuron needs one. `stated` is that of the user.
///
/// # Errors
/// [`Error::File`] for a dt that is not above 0, for one that no neuron needs, and for fields of neurons that cannot be read.
pub(super) fn time_step(
    reader: &NodeReader<'_>,
    root: &Group,
    items: &[FileNode],
    stated: Option<f64>,
) -> Result<Option<TimeStep>> {
    let Rates { has_neurons, min, max, least_ratio } = rates(reader, items)?;
    let in_file = metadata_dt(reader, root)?;
    if !has_neurons {
        return Ok(None);
    }
    let rates = (min <= max).then_some([min, max]);
    let of = |dt, source| Ok(Some(TimeStep { dt, source, rates }));
    match (stated, in_file) {
        (Some(dt), _) if dt.is_finite() && dt > 0.0 => of(dt, StepSource::User),
        (Some(dt), _) => {
            let reason = format!("cannot be read with dt = {dt}: a time step is a number above 0");
            Err(Error::file(reader.path, "the time step", reason))
        }
        (None, Some(dt)) => of(dt, StepSource::File),
        _ if rates.is_none() || (min, max) == (1.0, 1.0) => of(1.0, StepSource::Unit),
        _ if min == max && min >= MIN_RATE && least_ratio >= MIN_RATE => of(1.0 / f64::from(min), StepSource::Inverse),
        _ => of(1.0, StepSource::Assumed),
    }
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
        rates.has_neurons = true;
        let r = reader.read_numbers(group, name, "r")?;
        // r and τ of a LIF neuron without leak are infinite together.
        let finite = r.data.iter().copied().filter(|r| r.is_finite());
        let (min, max) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), r| (min.min(r), max.max(r)));
        if min > max {
            continue;
        }
        (rates.min, rates.max) = (rates.min.min(min), rates.max.max(max));
        if kind != "I" {
            let threshold = reader.read_floats(group, name, "v_threshold")?;
            let largest = threshold.data.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
            rates.least_ratio = rates.least_ratio.min(min / largest);
        }
    }
    Ok(rates)
}

/// The dt in the metadata of the graph.
fn metadata_dt(reader: &NodeReader<'_>, root: &Group) -> Result<Option<f64>> {
    let Some(text) = stated_dt(root) else { return Ok(None) };
    match text.trim().parse().ok().filter(|dt: &f64| dt.is_finite() && *dt > 0.0) {
        Some(dt) => Ok(Some(dt)),
        None => Err(Error::file(reader.path, "metadata 'dt'", "is not a number above 0")),
    }
}

/// What the metadata of a graph or node state as `dt`, a text or a number, as text; `None` if they do not.
pub(super) fn stated_dt(group: &Group) -> Option<String> {
    let field = group.group("metadata").and_then(|metadata| metadata.dataset("dt")).ok()?;
    let text = field.read_string().ok().and_then(|text| text.into_iter().next());
    let number = || field.read_f64().ok().and_then(|numbers| numbers.first().map(f64::to_string));
    Some(text.or_else(number).unwrap_or_default())
}

/// The note on time steps of inner graphs and nodes that differ from `used`; `None` if there is none.
pub(super) fn inner_steps_note(inner: &[(String, String)], used: Option<TimeStep>) -> Option<String> {
    let used = used?;
    let mut others = inner.iter().filter(|(_, dt)| dt.trim().parse() != Ok(used.dt));
    let (what, dt) = others.next()?;
    let more = match others.count() {
        0 => String::new(),
        more => format!(" ({more} more state one)"),
    };
    Some(format!(
        "{what} states dt = {dt} in its metadata{more}, which is ignored: dt = {} of the whole graph counts for all neurons. \
         State another with --dt",
        used.dt
    ))
}
