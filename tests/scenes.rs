//! Scene tests: data sets with masks and boxes as others wrote them, and `spikescope score` on reference vectors.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use spikescope::data::scenes::coco::GroundTruth;
use spikescope::data::{DataSpec, Samples};

/// A file or folder beside the project; `None`, after printing why the test is skipped, if it is absent.
fn shared(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = root.ancestors().skip(1).map(|up| up.join("shared").join(name)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: no shared/{name} beside the project");
    }
    found
}

fn load(spec: &str) -> Samples {
    DataSpec::parse(spec).unwrap().load().unwrap_or_else(|error| panic!("{error}"))
}

fn notes(samples: &Samples) -> String {
    samples.notes.iter().map(|note| format!("{}\n", note.text)).collect()
}

#[test]
fn nuclei_are_objects_on_a_ground() {
    let Some(folder) = shared("data/segmentation/dsb2018_fluo256") else { return };
    assert_eq!(DataSpec::detect(&folder).unwrap().to_string(), format!("masks:{}", folder.display()));
    let samples = load(&format!("masks:{}", folder.display()));
    assert_eq!((samples.len(), samples.shape.as_slice()), (100, [3, 256, 256].as_slice()));
    let masks = samples.targets.masks().unwrap();
    assert_eq!((masks.class_names.join(" "), masks.classes.len()), ("ground object".into(), 100 * 256 * 256));
    let instances = masks.instances.as_ref().unwrap();
    assert!(masks.classes.iter().zip(instances.iter()).all(|(class, object)| *class == u8::from(*object > 0)));
    let inside = masks.classes.iter().filter(|class| **class == 1).count() as f64 / masks.classes.len() as f64;
    assert!((0.02..0.5).contains(&inside), "{inside}");
    assert!(notes(&samples).contains("16-bit masks hold numbers of objects"), "{}", notes(&samples));

    // In a network's size, masks keep the share of their classes.
    let small = DataSpec::parse(&format!("masks:{}", folder.display())).unwrap().load_resized(&[1, 64, 64]).unwrap();
    assert_eq!(small.shape, [1, 64, 64]);
    let masks = small.targets.masks().unwrap();
    let share = masks.classes.iter().filter(|class| **class == 1).count() as f64 / masks.classes.len() as f64;
    assert!((share - inside).abs() < 0.005, "{share} {inside}");
    assert!(
        notes(&small).contains("were scaled from 256x256 to 64x64; masks take the nearest pixel"),
        "{}",
        notes(&small)
    );
    let refused = DataSpec::parse(&format!("masks:{},meaning=classes", folder.display())).unwrap().load();
    // Objects of a crowded picture are more than classes can be, or are taken for classes as stated.
    assert!(refused.is_ok_and(|samples| samples.targets.masks().unwrap().class_names.len() > 10));
}

#[test]
fn blood_cells_have_the_boxes_of_their_files() {
    let Some(folder) = shared("data/detection/bccd") else { return };
    assert_eq!(DataSpec::detect(&folder).unwrap().to_string(), format!("voc:{}", folder.display()));
    let samples = load(&format!("voc:{},size=160x120", folder.display()));
    assert_eq!((samples.len(), samples.shape.as_slice()), (292, [3, 120, 160].as_slice()));
    let boxes = samples.targets.boxes().unwrap();
    assert_eq!(boxes.class_names, ["Platelets", "RBC", "WBC"]);
    let count = |class: u16| boxes.of_sample.iter().flatten().filter(|boxed| boxed.class == class).count();
    // Two red cells are points.
    let all = [count(0), count(1), count(2)];
    assert_eq!(all.iter().sum::<usize>(), 292 + 3350 + 301 - 2, "{all:?}");
    // The white cell of the second picture: pixels 68 to 286 and 315 to 480 of 640x480.
    let first = boxes.of_sample[1][0];
    assert_eq!((first.class, first.corners), (2, [16.75, 78.5, 71.5, 120.0]));
    let text = notes(&samples);
    assert!(text.contains("2 boxes without area, left out (the first: BloodImage_00338.xml, object"), "{text}");
    assert!(
        text.contains("numbers of pixels from 1") && text.contains("from 640x480 to 160x120; boxes follow"),
        "{text}"
    );
}

fn score(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spikescope")).arg("score").args(args).output().unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = score(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn score_boxes_prints_the_figures_of_pycocotools() {
    let Some(folder) = shared("reference/map") else { return };
    for name in ["ties", "crowds", "areas"] {
        let file = |part: &str| folder.join(format!("{name}_{part}.json")).display().to_string();
        let printed = json(&["boxes", &file("gt"), &file("dt"), "--json"]);
        let expected: Value = serde_json::from_slice(&std::fs::read(file("expect")).unwrap()).unwrap();
        let stats = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"];
        let same = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9;
        assert_eq!(printed["stats"].as_array().unwrap().len(), 12);
        assert!(
            stats
                .iter()
                .zip(printed["stats"].as_array().unwrap())
                .all(|(figure, value)| same(value, &expected["stats"][figure]))
        );
        let classes = printed["ap_per_class"].as_object().unwrap();
        let truth = GroundTruth::read(Path::new(&file("gt"))).unwrap();
        assert_eq!(classes.len(), truth.categories.len());
        assert!(classes.iter().all(|(id, ap)| same(ap, &expected["per_class"][id]["AP"])), "{classes:?}");
        let text = String::from_utf8(score(&["boxes", &file("gt"), &file("dt")]).stdout).unwrap();
        assert!(text.contains("AP50: overlap 0.50") && text.contains("AP of class1 (1)"), "{text}");
    }
}

#[test]
fn score_masks_prints_the_figures_of_torchmetrics() {
    let Some(folder) = shared("reference/miou") else { return };
    let expected: Value = serde_json::from_slice(&std::fs::read(folder.join("expect.json")).unwrap()).unwrap();
    for (name, used) in [("absent", 5), ("void", 4)] {
        let file = folder.join(format!("{name}.npz")).display().to_string();
        let printed = json(&["masks", &file, "--json"]);
        let expected = &expected[name];
        let same = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-6;
        assert!(same(&printed["miou"], &expected["jaccard_macro"]), "{printed}");
        let iou = printed["iou"].as_array().unwrap();
        assert_eq!(iou.len(), used);
        let of_class = iou.iter().zip(expected["jaccard_none"].as_array().unwrap());
        assert!(of_class.into_iter().all(|(value, expected)| value.is_null() || same(value, expected)), "{printed}");
        assert!(printed["pixel_accuracy"].as_f64().is_some_and(|part| (0.0..=1.0).contains(&part)));
    }
}

#[test]
fn bad_predictions_end_with_code_2_and_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let truth = put(
        "gt.json",
        "{\"images\": [{\"id\": 1}], \"categories\": [{\"id\": 4}], \"annotations\": [{\"id\": 1, \"image_id\": 1, \
         \"category_id\": 4, \"bbox\": [0, 0, 9, 9]}]}",
    );
    let twice = put(
        "twice.json",
        &std::fs::read_to_string(&truth)
            .unwrap()
            .replace("}]}", "}, {\"id\": 1, \"image_id\": 1, \"category_id\": 4, \"bbox\": [0, 0, 1, 1]}]}"),
    );
    let found = |name: &str, image: &str, score: &str| {
        put(
            name,
            &format!("[{{\"image_id\": {image}, \"category_id\": 4, \"bbox\": [0, 0, 9, 9], \"score\": {score}}}]"),
        )
    };
    let refused = |args: &[&str], says: &str| {
        let output = score(args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{text}");
        assert!(text.contains(says), "{text}");
    };
    let good = found("dt.json", "1", "0.5");
    assert!((json(&["boxes", &truth, &good, "--json"])["stats"][0].as_f64().unwrap() - 1.0).abs() < 1e-9);
    refused(&["boxes", &truth, &found("image.json", "2", "0.5")], "image.json: results[0]: has image_id 2");
    refused(&["boxes", &truth, &found("nan.json", "1", "NaN")], "nan.json: line 1, column");
    refused(&["boxes", &truth, &put("none.json", "[]")], "none.json: is an empty list");
    refused(&["boxes", &twice, &good], "twice.json: annotations[1]: id 1 is already that of annotations[0]");
    refused(&["boxes", &good, &truth], "dt.json: line 1, column");
    refused(&["boxes", &truth, "/nowhere.json"], "/nowhere.json");
    refused(&["masks", &put("a.npz", "PK")], "a.npz: archive");
}
