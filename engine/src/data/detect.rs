//! Detects the kind of data of a dropped or opened path, from its name and first bytes.

use std::path::{Path, PathBuf};

use super::cifar::Cifar;
use super::events::{self, Binning};
use super::scenes::{coco, masks, voc, yolo};
use super::spec::{DataSpec, Source};
use super::{cifar, images, snn_toolbox};
use crate::{Error, Result};

impl DataSpec {
    /// Detects the kind of a dropped or opened path. For an IDX file of images, labels in the same folder are added.
    ///
    /// # Errors
    /// [`Error::File`] for a name of unknown kind, and for IDX labels without their images.
    pub fn detect(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if path.is_dir() && snn_toolbox::is_folder(path) {
            return Ok(Source::Toolbox(path.to_owned()).into());
        }
        if path.is_dir() && voc::is_folder(path) {
            return Ok(Source::Voc(path.to_owned()).into());
        }
        if path.is_dir() && masks::is_folder(path) {
            return Ok(Source::Masks(path.to_owned()).into());
        }
        if (path.is_dir() && yolo::is_folder(path)) || yolo::is_yaml(path) {
            return Ok(Source::Yolo(path.to_owned()).into());
        }
        if name.ends_with(".json") && coco::is_ground_truth(path) {
            return Ok(Source::Coco { file: path.to_owned(), pictures: None }.into());
        }
        if name.ends_with(".npy") && path.is_file() && !events::holds_events(path) {
            return Ok(Source::Npy { samples: path.to_owned(), labels: None }.into());
        }
        if events::is_recording(path) || (path.is_dir() && events::RECORDINGS.is_in(path)) {
            return Ok(Source::Events { paths: vec![path.to_owned()], binning: Binning::default() }.into());
        }
        if let Some((set, file)) = cifar::test_batch(path) {
            return Ok(of_cifar(set, file));
        }
        if path.is_dir() || images::is_image(path) {
            return Ok(Source::Images(vec![path.to_owned()]).into());
        }
        if name.ends_with(".npz") {
            return Ok(Source::Npz(path.to_owned()).into());
        }
        if name.ends_with(".bin") {
            return Ok(of_cifar(cifar::binary_batch(path).unwrap_or(Cifar::Ten), path.to_owned()));
        }
        if let Some(set) = cifar::pickled_batch(path) {
            return Ok(of_cifar(set, path.to_owned()));
        }
        if name.contains("idx") || name.contains("ubyte") {
            return detect_idx(path);
        }
        Err(Error::file(
            path,
            "",
            "not a known kind of samples. Use IDX, CIFAR-10 or CIFAR-100, .npz, .npy, images, a folder of images, COCO \
             annotations, the data.yaml of YOLO labels, or event recordings (.npy, .npz, .bin, .dat, .raw, .aedat4, .es).",
        ))
    }
}

fn of_cifar(set: Cifar, file: PathBuf) -> DataSpec {
    match set {
        Cifar::Ten => Source::Cifar10(vec![file]).into(),
        Cifar::Hundred => Source::Cifar100(vec![file]).into(),
    }
}

/// Pairs `…images-idx3-ubyte` with `…labels-idx1-ubyte`, with a dot or a hyphen, gzip-compressed or not.
fn detect_idx(path: &Path) -> Result<DataSpec> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let swapped = |from: &str, to: &str, rank: (&str, &str)| {
        let plain = name.strip_suffix(".gz").unwrap_or(&name).replace(from, to);
        let plain = if from == "labels" { plain.replace("idx1", "idx3") } else { plain.replace(rank.0, rank.1) };
        [plain.clone(), format!("{plain}.gz")].map(|n| path.with_file_name(n)).into_iter().find(|p| p.is_file())
    };
    if name.contains("labels") {
        let images = swapped("labels", "images", ("idx1", "idx3"))
            .ok_or_else(|| Error::file(path, "name", "contains labels, but their images are not in the same folder"))?;
        return Ok(Source::Idx { images, labels: Some(path.to_owned()) }.into());
    }
    let labels = ["idx3", "idx2", "idx4"].into_iter().find_map(|rank| swapped("images", "labels", (rank, "idx1")));
    Ok(Source::Idx { images: path.to_owned(), labels: labels.filter(|l| l != path) }.into())
}

#[cfg(test)]
mod tests {
    use super::super::bounded_read::tests::{shared, write};
    use super::super::npy::header_bytes;
    use super::*;

    #[test]
    fn dropped_paths_are_recognized() {
        let dir = tempfile::tempdir().unwrap();
        let images = write(&dir, "t10k-images-idx3-ubyte.gz", b"");
        let lone = DataSpec::detect(&images).unwrap();
        assert_eq!(lone, Source::Idx { images: images.clone(), labels: None }.into());
        let labels = write(&dir, "t10k-labels-idx1-ubyte", b"");
        let both: DataSpec = Source::Idx { images: images.clone(), labels: Some(labels.clone()) }.into();
        assert_eq!(DataSpec::detect(&images).unwrap(), both);
        assert_eq!(DataSpec::detect(&labels).unwrap(), both);
        assert_eq!(DataSpec::detect(dir.path()).unwrap(), Source::Images(vec![dir.path().into()]).into());
        let source = |name: &str| DataSpec::detect(Path::new(name)).map(|spec| spec.source);
        assert!(matches!(source("A.NPZ"), Ok(Source::Npz(_))));
        assert!(matches!(source("x.bin"), Ok(Source::Cifar10(_))));
        assert!(matches!(source("x.JPG"), Ok(Source::Images(_))));
        assert!(DataSpec::detect(Path::new("x.txt")).is_err());
    }

    #[test]
    fn arrays_of_events_and_of_samples_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let array = |name: &str, shape: &[usize], values: Vec<u8>| {
            let path = write(&dir, name, &[header_bytes("|u1", shape), values].concat());
            DataSpec::detect(&path).unwrap().source
        };
        assert!(matches!(array("x.npy", &[2, 3, 3], vec![0; 18]), Source::Npy { .. }));
        // x, y, p and a growing time; then four measured values.
        let events = (0..20u8).flat_map(|k| [7, 9, k % 2, k]).collect();
        assert!(matches!(array("e.npy", &[20, 4], events), Source::Events { .. }));
        let measured = (0..20u8).flat_map(|k| [k * 7 % 11, k * 5 % 13, k * 3 % 7, 1 + k % 3]).collect();
        assert!(matches!(array("iris.npy", &[20, 4], measured), Source::Npy { .. }));
    }

    #[test]
    fn shared_mnist_is_detected_and_read() {
        let Some(path) = shared("mnist/t10k-images-idx3-ubyte.gz") else { return };
        assert_eq!(DataSpec::detect(&path).unwrap().load().unwrap().labels[..5], [7, 2, 1, 0, 4]);
    }
}
