//! Recording export: a NumPy archive (npz), or NIRData for a NIR graph (HDF5).

use std::path::Path;

use hdf5_pure::{AttrValue, FileBuilder};

use super::nir::node_names;
use crate::convert::SpikingNetwork;
use crate::data::write_npz_with;
use crate::files::write_bytes;
use crate::network::Network;
use crate::progress::JobControl;
use crate::simulate::Recording;
use crate::{Error, Result};

/// Maximum number of spike values in one archive.
const MAX_VALUES: usize = 1 << 30;
/// Progress label of this job.
const STAGE: &str = "writing";

/// Writes `spikes0`, `spikes1`, … `[T, N, …shape]` (counts of every step), `potential0`, … `[N, …shape]` (v(T)),
/// `mean_input0`, … `[N, …shape]`, `theta0`, … and `readout` `[T, N, classes]`, summed over steps.
///
/// # Errors
/// [`Error::Invalid`] if there are too many spikes for one archive, [`Error::Io`] if writing fails, [`Error::Cancelled`].
pub fn write_archive(
    path: &Path,
    spiking: &SpikingNetwork,
    recording: &Recording,
    input: (&[usize], &[f32]),
    control: &JobControl,
) -> Result<()> {
    let (steps, samples) = (recording.steps, recording.samples);
    let total: usize =
        spiking.layers.iter().map(|layer| layer.neurons()).sum::<usize>().saturating_mul(steps * samples);
    if total > MAX_VALUES {
        return Err(Error::Invalid(format!(
            "Cannot write the recording: {total} values exceed the limit of {MAX_VALUES}. Use fewer samples or steps."
        )));
    }
    let (mut done, mut counts) = (0, Vec::new());
    write_npz_with(path, |out| {
        for (index, (layer, record)) in spiking.layers.iter().zip(&recording.layers).enumerate() {
            let per_sample: Vec<usize> = std::iter::once(samples).chain(layer.shape.iter().copied()).collect();
            let per_step: Vec<usize> = std::iter::once(steps).chain(per_sample.iter().copied()).collect();
            let mut spikes = out.begin(&format!("spikes{index}"), &per_step)?;
            for row in 0..steps * samples {
                control.check()?;
                control.progress(STAGE, done as f32 / total.max(1) as f32);
                counts.clear();
                counts.resize(layer.neurons(), 0i16);
                record
                    .spikes
                    .for_each_bit(row / samples, row % samples, |neuron, weight| counts[neuron] += weight as i16);
                spikes.values(&counts)?;
                done += counts.len();
            }
            spikes.end()?;
            let all =
                |of: &dyn Fn(usize) -> Option<Vec<f32>>| (0..samples).filter_map(of).flatten().collect::<Vec<_>>();
            out.array(&format!("potential{index}"), &per_sample, &all(&|sample| record.potentials(sample)))?;
            out.array(&format!("mean_input{index}"), &per_sample, &all(&|sample| record.mean_inputs(layer, sample)))?;
            out.array(&format!("theta{index}"), &[layer.theta.len()], &layer.theta)?;
        }
        out.array("readout", &[steps, samples, recording.classes], &recording.readout)?;
        out.array("input", input.0, input.1)
    })
}

/// Writes the spikes of every layer as NIRData: events with the neuron's index and time (dt = 1), under the node names
/// of the exported graph.
///
/// # Errors
/// [`Error::Invalid`] if neurons emit more than one spike a step, [`Error::Io`] if writing fails, [`Error::Cancelled`].
pub fn write_nir_data(
    path: &Path,
    network: &Network,
    spiking: &SpikingNetwork,
    recording: &Recording,
    control: &JobControl,
) -> Result<()> {
    if spiking.layers.iter().any(|layer| layer.neuron.plane_weights().len() > 1) {
        return Err(Error::Invalid(
            "Cannot write NIRData: its events have no count, but these neurons emit several spikes per step. Use \
             neuron if."
                .into(),
        ));
    }
    let mut file = FileBuilder::new();
    file.set_attr("__type__", AttrValue::VarLenString("NIRGraphData".into()));
    let mut nodes = file.create_group("nodes");
    let names = node_names(network);
    for (index, (layer, record)) in spiking.layers.iter().zip(&recording.layers).enumerate() {
        control.progress(STAGE, index as f32 / spiking.layers.len() as f32);
        let events: Vec<Vec<(i64, f64)>> = (0..recording.samples)
            .map(|sample| {
                control.check()?;
                let mut events = Vec::new();
                (0..recording.steps)
                    .for_each(|t| record.spikes.for_each_spike(t, sample, |n| events.push((n as i64, t as f64))));
                Ok(events)
            })
            .collect::<Result<_>>()?;
        let row_len = events.iter().map(Vec::len).max().unwrap_or(0).max(1);
        // Rows of equal length, padded with index −1 at time infinity.
        let padded = || {
            events.iter().flat_map(|row| {
                row.iter().copied().chain(std::iter::repeat_n((-1, f64::INFINITY), row_len - row.len()))
            })
        };
        let shape = [recording.samples as u64, row_len as u64];
        let mut node = nodes.create_group(&names[layer.node]);
        node.set_attr("__type__", AttrValue::VarLenString("NIRNodeData".into()));
        let mut observables = node.create_group("observables");
        let mut spikes = observables.create_group("spikes");
        spikes.set_attr("__type__", AttrValue::VarLenString("EventData".into()));
        spikes.set_attr("n_neurons", AttrValue::I64(layer.neurons() as i64));
        spikes.set_attr("t_max", AttrValue::F64(recording.steps as f64));
        spikes
            .create_dataset("idx")
            .with_i64_data(&padded().map(|event| event.0).collect::<Vec<_>>())
            .with_shape(&shape);
        spikes
            .create_dataset("time")
            .with_f64_data(&padded().map(|event| event.1).collect::<Vec<_>>())
            .with_shape(&shape);
        observables.add_group(spikes.finish());
        node.add_group(observables.finish());
        nodes.add_group(node.finish());
    }
    file.add_group(nodes.finish());
    control.check()?;
    let bytes = file.finish().map_err(|e| Error::Internal(format!("cannot write the recording as HDF5: {e}")))?;
    write_bytes(path, &bytes)
}
