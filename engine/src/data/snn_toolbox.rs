//! Reads data folders of the SNN toolbox (Rueckauer et al.).
//!
//! A folder contains `x_test.npz` and `y_test.npz` for runs and `x_norm.npz` for calibration, each with one array.

use std::path::{Path, PathBuf};

use super::{Samples, npz};
use crate::{Error, Result};

const SAMPLES: &str = "x_test.npz";
const LABELS: &str = "y_test.npz";
const CALIBRATION: &str = "x_norm.npz";

/// Whether `folder` is a data folder of the SNN toolbox.
pub fn is_folder(folder: &Path) -> bool {
    folder.join(SAMPLES).is_file()
}

/// Path of the calibration samples, if present.
pub fn calibration(folder: &Path) -> Option<PathBuf> {
    Some(folder.join(CALIBRATION)).filter(|path| path.is_file())
}

/// Reads the test samples and, if present, their labels (class indices or one-hot).
///
/// # Errors
/// [`Error::File`] for another folder; errors of [`npz::read`] and [`npz::read_labels`].
pub fn read(folder: &Path) -> Result<Samples> {
    if !is_folder(folder) {
        return Err(Error::file(
            folder,
            "folder",
            format!("contains no {SAMPLES}, unlike data folders of the SNN toolbox"),
        ));
    }
    let mut samples = npz::read(&folder.join(SAMPLES))?;
    let labels = folder.join(LABELS);
    if labels.is_file() {
        npz::read_labels(&labels, &mut samples)?;
    }
    samples.source = format!("snntoolbox:{}", folder.display());
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::super::fit::fit;
    use super::super::spec::Source;
    use super::super::{DataSpec, InputForm, NpzData, write_npz};
    use super::*;

    #[test]
    fn folder_is_recognized_and_read_with_its_calibration() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("x_test.npz"));
        let save = |name: &str, shape: &[usize], values: &[f32]| {
            write_npz(&dir.path().join(name), &[("arr_0", shape, NpzData::F32(values))]).unwrap();
        };
        let images: Vec<f32> = (0..2 * 5 * 4 * 3).map(|k| k as f32 / 120.0).collect();
        save("x_test.npz", &[2, 5, 4, 3], &images);
        let spec = DataSpec::detect(dir.path()).unwrap();
        assert_eq!(spec, Source::Toolbox(dir.path().into()).into());
        assert_eq!((spec.load().unwrap().labels.len(), spec.default_calibration()), (0, None));
        save("y_test.npz", &[2, 3], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        save("x_norm.npz", &[1, 5, 4, 3], &images[..60]);
        let samples = spec.load().unwrap();
        assert_eq!((samples.shape.as_slice(), samples.labels.to_vec()), ([5, 4, 3].as_slice(), vec![2, 0]));
        // For a network with channels first, channels-last samples are turned.
        let turned = fit(samples, &InputForm::new(&[3, 5, 4]), None).unwrap().unwrap();
        assert_eq!(turned.raw(0)[1], images[3]);
        assert_eq!(spec.default_calibration().unwrap().load().unwrap().len(), 1);
        assert_eq!(DataSpec::parse(&spec.to_string()).unwrap(), spec);
        save("y_test.npz", &[3], &[0.0; 3]);
        assert!(spec.load().unwrap_err().to_string().contains("for 2 samples"));
    }
}
