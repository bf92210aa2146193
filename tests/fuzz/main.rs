//! Fuzz tests: every file reader on known broken files and on mutations of valid ones.
//!
//! The result is always a value or an error, never a panic. `SPIKESCOPE_FUZZ=N` sets the number of mutations per
//! reader.

#[path = "../common/event_seeds.rs"]
mod event_seeds;
mod seeds;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spikescope::convert::NamedRecipe;
use spikescope::data::DataSpec;
use spikescope::data::scenes::coco::{Detections, GroundTruth};
use spikescope::lab::Session;
use spikescope::network::{architecture, open_with_notes};

use self::seeds::seeds;
use self::targets::{TARGETS, Target, target_of};

/// Mutations per reader in the normal test suite.
const SMOKE: usize = 150;

/// Applies a random mutation.
fn mutate(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    const EXTREMES: [&[u8]; 6] =
        [&[0xff; 4], &[0; 4], &[0xff, 0xff, 0xff, 0x7f], &[0x80], &[0xff; 8], &[0, 0, 0, 0x80]];
    for _ in 0..rng.random_range(1..5) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        let at = rng.random_range(0..len);
        match rng.random_range(0..7) {
            0 => bytes[at] = rng.random(),
            1 => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => bytes.truncate(at),
            3 => {
                let extreme = EXTREMES[rng.random_range(0..EXTREMES.len())];
                let end = (at + extreme.len()).min(len);
                bytes[at..end].copy_from_slice(&extreme[..end - at]);
            }
            4 => {
                let end = (at + rng.random_range(1..64)).min(len);
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            5 => drop(bytes.drain(at..(at + rng.random_range(1..32)).min(len))),
            _ => {
                let other = rng.random_range(0..len);
                bytes.swap(at, other);
            }
        }
    }
}

/// Reads the file; an input that causes a panic is saved.
fn survives(target: &Target, path: &Path) {
    if catch_unwind(AssertUnwindSafe(|| (target.read)(path))).is_err() {
        let kept = std::env::temp_dir().join(format!("spikescope-broken{}", target.ending));
        std::fs::copy(path, &kept).unwrap();
        panic!("the {} reader panics on a file that was kept as {}", target.name, kept.display());
    }
}

/// The error of a folder of `kind` with a copy of the file at `path` and a picture of its name.
fn refused_alone(path: &Path, kind: &str) -> Option<spikescope::Error> {
    let folder = tempfile::tempdir().unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    std::fs::copy(path, folder.path().join(&name)).unwrap();
    let stem = name.trim_end_matches(".xml").trim_end_matches("_mask.png");
    image::GrayImage::new(6, 5).save(folder.path().join(format!("{stem}.png"))).unwrap();
    DataSpec::parse(&format!("{kind}:{}", folder.path().display())).unwrap().load().err()
}

#[test]
fn known_broken_files_give_errors_with_the_file_name() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut count = 0;
    for path in std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(target) = target_of(&name) else { continue };
        survives(target, &path);
        let refused = match target.name {
            "session" => Session::load(&path).err(),
            "recipe" => NamedRecipe::load(&path).err(),
            "architecture" => architecture::ArchitectureFile::load(&path).err(),
            "npy" => spikescope::data::npz::read_npy(&path).err(),
            "VOC" => refused_alone(&path, "voc"),
            "mask" => refused_alone(&path, "masks"),
            "COCO" => GroundTruth::read(&path).err(),
            "COCO results" => Detections::read(&path, &GroundTruth::default()).err(),
            "class maps" => spikescope::data::npz::read_label_maps(&path).err(),
            name if name.starts_with("events") => spikescope::data::events::events(&path).err(),
            "npz" | "IDX" | "packed IDX" | "CIFAR-10" | "picture" => {
                DataSpec::detect(&path).and_then(|spec| spec.load()).err()
            }
            _ => open_with_notes(&path.display().to_string()).err(),
        };
        let text = refused.unwrap_or_else(|| panic!("{name} is read as if it were sound")).to_string();
        assert!(text.contains(&name), "{name}: {text}");
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn mutated_files_never_panic() {
    let rounds = std::env::var("SPIKESCOPE_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(SMOKE);
    let dir = tempfile::tempdir().unwrap();
    let seeds = seeds(dir.path());
    let (mut executions, mut untouched) = (0u64, TARGETS.iter().map(|target| target.name).collect::<Vec<_>>());
    for (k, seed) in seeds.iter().enumerate() {
        let name = seed.file_name().unwrap().to_string_lossy().into_owned();
        let target = target_of(&name).unwrap_or_else(|| panic!("no reader for {name}"));
        let whole = std::fs::read(seed).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(k as u64 ^ rounds as u64);
        for _ in 0..rounds {
            let mut bytes = whole.clone();
            mutate(&mut bytes, &mut rng);
            // In the folder of its companion files, if the reader reads those as well.
            let beside = seed.parent().unwrap();
            let path = match target.name {
                "snn_toolbox" => seed.clone(),
                _ => beside.join(format!("mutated{}", target.ending)),
            };
            std::fs::write(&path, &bytes).unwrap();
            survives(target, &path);
            executions += 1;
        }
        untouched.retain(|name| *name != target.name);
    }
    println!("{executions} mutated files, {} kinds of seeds", seeds.len());
    assert!(untouched.is_empty(), "no seed for {untouched:?}");
}
