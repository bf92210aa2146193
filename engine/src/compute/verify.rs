//! Comparison of a network's outputs with reference values stored beside its file.
//!
//! The layouts are that of the ONNX model zoo (`test_data_set_0/input_0.pb`, `output_0.pb`) and numpy arrays
//! (`NAME.npz` with `input` and `output`, or `NAME.input.npy` and `NAME.output.npy`).

use std::path::{Path, PathBuf};

use super::program::Program;
use crate::data::npz;
use crate::network::{Network, onnx};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Maximum number of stored sets and samples that are compared.
const MAX_SETS: usize = 4;
const MAX_SAMPLES: usize = 64;
/// A difference above this fraction of the largest stored value, and above [`ABSOLUTE`], is more than rounding.
const RELATIVE: f32 = 1e-3;
const ABSOLUTE: f32 = 1e-4;

const INPUTS: [&str; 4] = ["input", "inputs", "input_0", "x"];
const OUTPUTS: [&str; 4] = ["output", "outputs", "output_0", "logits"];

/// Shape (batch first) and values.
type Array = (Vec<usize>, Vec<f32>);

/// Stored input and outputs.
#[derive(Debug)]
struct Stored {
    input: Array,
    /// One per output, in their order.
    outputs: Vec<Array>,
}

/// Result of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// Path of the stored values.
    pub source: PathBuf,
    pub samples: usize,
    /// The largest difference, and the output that has it.
    pub largest: f32,
    pub output: String,
    /// The largest magnitude among the stored outputs.
    pub scale: f32,
}

impl Verification {
    /// Whether rounding explains the difference.
    pub fn agrees(&self) -> bool {
        self.largest <= ABSOLUTE + RELATIVE * self.scale
    }
}

/// Compares `network`, read from `path`, with every stored set beside it. `program` moves the network to a device and
/// is called only if there is a set.
///
/// # Errors
/// A set that cannot be read or does not fit is an error at its position; the other sets are still compared.
pub fn verify_stored_outputs(
    network: &Network,
    path: &Path,
    program: impl FnOnce() -> Program,
) -> Vec<Result<Verification>> {
    let sources = sources(path);
    // Class indices are not compared with the scores that they are of, nor an output with its parts.
    let is_split = || onnx::output_names(path).is_ok_and(|names| names.len() == 1 && network.outputs().len() > 1);
    if sources.is_empty() || onnx::ends_in_class_maps(path) || is_split() {
        return Vec::new();
    }
    let program = program();
    let stored = |source: &Path| Ok(without_ignored(read(source)?, network, path));
    sources.into_iter().map(|source| compare(network, &program, &source, stored(&source)?)).collect()
}

/// Removes the stored values of outputs of the file at `path` that `network` was read without.
fn without_ignored(mut stored: Stored, network: &Network, path: &Path) -> Stored {
    let parts = network.outputs();
    if stored.outputs.len() > parts.len()
        && let Ok(names) = onnx::output_names(path)
    {
        let mut names = names.into_iter();
        stored.outputs.retain(|_| names.next().is_none_or(|name| parts.iter().any(|part| part.name == name)));
    }
    stored
}

/// Folders and files beside `path` that may hold stored values.
fn sources(path: &Path) -> Vec<PathBuf> {
    if !path.is_file() {
        return Vec::new();
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut sets: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter(|p| {
            p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("test_data_set_"))
                && p.join("input_0.pb").is_file()
        })
        .collect();
    sets.sort();
    sets.truncate(MAX_SETS);
    let named = |ending: &str| path.with_extension(ending);
    let npz = named("npz");
    if npz.is_file() && matches!(npz::find_array(&npz, &OUTPUTS), Ok(Some(_))) {
        sets.push(npz);
    }
    let npy = named("input.npy");
    if npy.is_file() && named("output.npy").is_file() {
        sets.push(npy);
    }
    sets
}

fn read(source: &Path) -> Result<Stored> {
    if source.is_dir() {
        let outputs = (0..).map(|k| source.join(format!("output_{k}.pb"))).take_while(|p| p.is_file());
        let outputs = outputs.map(|p| onnx::read_tensor(&p)).collect::<Result<Vec<_>>>()?;
        return Ok(Stored { input: onnx::read_tensor(&source.join("input_0.pb"))?, outputs });
    }
    if source.extension().is_some_and(|ending| ending == "npz") {
        let array = |names: &[&str]| {
            let missing = || Error::file(source, "archive", format!("contains none of {}", names.join(", ")));
            npz::find_array(source, names)?.ok_or_else(missing)
        };
        return Ok(Stored { input: array(&INPUTS)?, outputs: vec![array(&OUTPUTS)?] });
    }
    let output = PathBuf::from(source.to_string_lossy().replace(".input.npy", ".output.npy"));
    Ok(Stored { input: npz::read_npy(source)?, outputs: vec![npz::read_npy(&output)?] })
}

fn compare(network: &Network, program: &Program, source: &Path, stored: Stored) -> Result<Verification> {
    let fail = |reason: String| Error::file(source, "the stored values", reason);
    let shape = network.input_shape();
    let (dims, values) = &stored.input;
    // Dimensions of 1 do not move values; without a batch dimension the file has one sample.
    let fits = |dims: &[usize]| dims.iter().filter(|&&n| n != 1).eq(shape.iter().filter(|&&n| n != 1));
    let (samples, input) = match dims.split_first() {
        Some((&samples, rest)) if fits(rest) => (samples, values.clone()),
        Some((&samples, rest)) if shape.len() == 3 && *rest == [shape[1], shape[2], shape[0]] => {
            (samples, channels_first(values, shape))
        }
        _ if fits(dims) => (1, values.clone()),
        _ => {
            return Err(fail(format!(
                "the input has shape {}, but the network expects Nx{}",
                crate::error::format_shape(dims),
                crate::error::format_shape(shape)
            )));
        }
    };
    let rows = samples.min(MAX_SAMPLES);
    let (width, classes) = (shape.iter().product::<usize>(), network.classes());
    let parts = network.outputs();
    if stored.outputs.len() != parts.len() {
        return Err(fail(format!("{} stored outputs for a network with {}", stored.outputs.len(), parts.len())));
    }
    for (part, (dims, values)) in parts.iter().zip(&stored.outputs) {
        if values.len() != samples * part.range.len() || (samples != 1 && dims.first() != Some(&samples)) {
            return Err(fail(format!(
                "output '{}' has shape {}, but the network gives {}",
                part.name,
                crate::error::format_shape(dims),
                crate::error::format_shape(&part.shape)
            )));
        }
    }
    let mut found =
        Verification { source: source.to_owned(), samples: rows, largest: 0.0, output: String::new(), scale: 0.0 };
    let outputs = program.outputs(&input[..rows * width], &JobControl::default())?;
    for (row, ours) in outputs.chunks(classes.max(1)).enumerate() {
        for (part, (_, theirs)) in parts.iter().zip(&stored.outputs) {
            let theirs = &theirs[row * part.range.len()..(row + 1) * part.range.len()];
            for (a, b) in ours[part.range.clone()].iter().zip(theirs) {
                let difference = if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
                found.scale = found.scale.max(b.abs());
                if difference > found.largest || found.output.is_empty() {
                    (found.largest, found.output) = (difference, part.name.clone());
                }
            }
        }
    }
    Ok(found)
}

/// `[N, H, W, C]` as `[N, C, H, W]`.
fn channels_first(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let (channels, plane) = (shape[0], shape[1] * shape[2]);
    let sample = |x: &[f32]| {
        (0..channels)
            .flat_map(|c| x.iter().skip(c).step_by(channels).copied().collect::<Vec<_>>())
            .collect::<Vec<f32>>()
    };
    values.chunks_exact(channels * plane).flat_map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{NpzData, write_npz};
    use crate::network::zoo::{ZooArchitecture, parse_activation};

    #[test]
    fn stored_values_are_compared_and_mismatched_shapes_reported() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("net.onnx");
        std::fs::write(&path, b"").unwrap();
        let network = ZooArchitecture::Mlp.build(&[1, 4, 4], 3, parse_activation("relu").unwrap(), 1).unwrap();
        let program = || Program::new(std::sync::Arc::new(network.clone()), &burn::tensor::Device::flex());
        assert!(verify_stored_outputs(&network, &path, || unreachable!("nothing is stored")).is_empty());
        let x: Vec<f32> = (0..32).map(|k| k as f32 / 32.0).collect();
        let mut y = program().outputs(&x, &JobControl::default()).unwrap();
        let save = |y: &[f32], shape: &[usize]| {
            write_npz(
                &path.with_extension("npz"),
                &[("input", &[2, 1, 4, 4], NpzData::F32(&x)), ("output", shape, NpzData::F32(y))],
            )
            .unwrap();
        };
        save(&y, &[2, 3]);
        let right = verify_stored_outputs(&network, &path, program).remove(0).unwrap();
        assert!(right.agrees() && right.samples == 2, "{right:?}");
        y[4] += 0.5;
        save(&y, &[2, 3]);
        let wrong = verify_stored_outputs(&network, &path, program).remove(0).unwrap();
        assert!(!wrong.agrees() && (wrong.largest - 0.5).abs() < 1e-4, "{wrong:?}");
        save(&y, &[3, 2]);
        assert!(verify_stored_outputs(&network, &path, program).remove(0).unwrap_err().to_string().contains("3x2"));
        // A broken set is reported by name.
        std::fs::create_dir(dir.path().join("test_data_set_0")).unwrap();
        std::fs::write(dir.path().join("test_data_set_0/input_0.pb"), [0xff; 9]).unwrap();
        assert!(
            verify_stored_outputs(&network, &path, program).remove(0).unwrap_err().to_string().contains("input_0.pb")
        );
    }
}
