//! Scene tests: data sets with masks and boxes as others wrote them, and `spikescope score` on reference vectors.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::scene_network::network;
use serde_json::Value;
use spikescope::data::scenes::coco::GroundTruth;
use spikescope::data::{DataSpec, NpzData, Samples, write_npz};
use spikescope::network::safetensors;

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

/// FNV-1a of values, masks and boxes.
fn digest(samples: &Samples) -> u64 {
    let (masks, boxes) = (samples.targets.masks().unwrap(), samples.targets.boxes().unwrap());
    let corners = boxes.of_sample.iter().flatten().flat_map(|boxed| boxed.corners);
    let values = samples.values.iter().copied().chain(corners).map(|value| value as u64);
    let classes = masks.classes.iter().map(|class| u64::from(*class));
    values.chain(classes).fold(0xcbf2_9ce4_8422_2325, |hash, value| (hash ^ value).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn scenes_are_the_same_on_every_machine() {
    let found = ["builtin:scenes", "builtin:scenes-train", "builtin:scenes,size=64x128,difficulty=0.9,seed=2"]
        .map(|spec| digest(&load(spec)));
    assert_eq!(found, SCENES, "{found:#018x?}");
}

const SCENES: [u64; 3] = [0x0b83_b9eb_f3c2_959a, 0x267f_2b26_04f1_904a, 0xbd0d_c1c0_6cec_0e18];

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
    refused(&["boxes", &truth, &put("none.json", "{}")], "none.json: ");
    // A detector that finds nothing: 0 where there are objects, as for boxes that all miss.
    let none = json(&["boxes", &truth, &put("none.json", "[]"), "--json"]);
    let missing = put("far.json", "[{\"image_id\": 1, \"category_id\": 4, \"bbox\": [90, 90, 9, 9], \"score\": 0.5}]");
    assert_eq!(none, json(&["boxes", &truth, &missing, "--json"]));
    assert_eq!(
        (&none["stats"][0], &none["stats"][5], &none["ap_per_class"]["4"]),
        (&0.0.into(), &(-1.0).into(), &0.0.into())
    );
    refused(&["boxes", &twice, &good], "twice.json: annotations[1]: id 1 is already that of annotations[0]");
    refused(&["boxes", &good, &truth], "dt.json: line 1, column");
    refused(&["boxes", &truth, "/nowhere.json"], "/nowhere.json");
    refused(&["masks", &put("a.npz", "PK")], "a.npz: archive");
}

/// Runs `spikescope run` on `model` and returns its summary.
fn run(model: &Path, data: &str, out: &Path, more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .arg("run")
        .args(["--model", model.to_str().unwrap(), "--data", data, "--out", out.to_str().unwrap()])
        .args(["--threshold", "max"])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" ANN ") && (text.contains("mIoU") || text.contains("mAP")), "{text}");
    serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap()
}

fn near(a: &Value, b: &Value) -> bool {
    (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9
}

#[test]
fn run_scores_masks_over_time_and_its_file_has_the_same_score() {
    let dir = tempfile::tempdir().unwrap();
    // Its output has a quarter of the pixels and is interpolated.
    for stride in [1, 2] {
        let model = dir.path().join("seg.safetensors");
        safetensors::save(&network(96, stride, &[("y", 6)]), &model).unwrap();
        let out = dir.path().join(format!("out{stride}"));
        let range = ["--samples", "0..6", "--calibrate", "6..12", "--steps", "16", "--readout", "delay:auto"];
        let summary = run(&model, "builtin:scenes", &out, &range);
        let scores = &summary["segmentation"];
        assert_eq!((scores["snn_miou"].as_array().unwrap().len(), &summary["readout_delay"]), (16, &8.into()));
        assert_eq!(scores["classes"].as_array().unwrap().len(), 6);
        assert_eq!(scores["snn_iou"].as_array().unwrap().len(), 6);
        let file = out.join("masks.npz");
        let map = |name: &str| -> Vec<u8> {
            let (shape, values) = spikescope::data::npz::find_array(&file, &[name]).unwrap().unwrap();
            assert_eq!(shape, [6, 96, 96]);
            values.into_iter().map(|class| class as u8).collect()
        };
        for (name, figure) in [("ann", &scores["ann_miou"]), ("snn", &scores["snn_miou"][15])] {
            let scored = dir.path().join("scored.npz");
            let [of, target] = [name, "target"].map(map);
            let shape = [6, 96, 96];
            write_npz(&scored, &[("pred", &shape, NpzData::U8(&of)), ("target", &shape, NpzData::U8(&target))])
                .unwrap();
            let printed = json(&["masks", scored.to_str().unwrap(), "--json"]);
            assert!(near(&printed["miou"], figure), "{name}: {printed} {figure}");
        }
    }
}

const HEAD: &str = "classes = [\"disk\", \"square\", \"nothing of the data\"]\nmin-score = 0.2\n[boxes]\ncoding = \"ltrb\"\n\
                    units = \"strides\"\nfunction = \"exp\"\n[[level]]\nclass = \"cls\"\nbox = \"reg\"\ncenter = \
                    \"ctr\"\nstride = 8\n";

/// A detector with random weights beside its head; its classes are those of `names`.
fn detector(dir: &Path, side: usize, names: [&str; 2]) -> PathBuf {
    let model = dir.join("det.safetensors");
    safetensors::save(&network(side, 8, &[("cls", 3), ("reg", 4), ("ctr", 1)]), &model).unwrap();
    let head = HEAD.replace("disk", names[0]).replace("square", names[1]);
    std::fs::write(dir.join("det.head.toml"), head).unwrap();
    model
}

#[test]
fn run_scores_boxes_and_its_files_have_the_same_scores() {
    let dir = tempfile::tempdir().unwrap();
    let names = load("builtin:scenes").targets.boxes().unwrap().class_names.clone();
    let model = detector(dir.path(), 96, [&names[0], &names[1]]);
    let out = dir.path().join("out");
    let range = ["--samples", "0..10", "--calibrate", "10..20", "--steps", "16", "--at", "4,16,64"];
    let summary = run(&model, "builtin:scenes", &out, &range);
    let scores = &summary["detection"];
    assert_eq!(scores["at"], serde_json::json!([4, 16]));
    let truth = out.join("ground-truth.json");
    for (name, figure, half) in [
        ("detections-ann.json", &scores["ann_map"], &scores["ann_map50"]),
        ("detections-snn.json", &scores["snn_map"][1], &scores["snn_map50"][1]),
    ] {
        let printed = json(&["boxes", truth.to_str().unwrap(), out.join(name).to_str().unwrap(), "--json"]);
        assert!(near(&printed["stats"][0], figure) && near(&printed["stats"][1], half), "{name}: {printed} {figure}");
    }
    assert!(scores["ann_map50"].as_f64().unwrap() >= 0.0);
    let read: Value = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
    assert_eq!((&read["images"][0]["id"], &read["annotations"][0]["id"]), (&1.into(), &1.into()));
}

#[test]
fn boxes_are_written_in_pixels_of_their_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let (voc, boxed) = (dir.path().join("voc"), [21.0, 11.0, 60.0, 50.0]);
    for name in ["Annotations", "JPEGImages"] {
        std::fs::create_dir_all(voc.join(name)).unwrap();
    }
    for k in 0..4u8 {
        let picture =
            image::RgbImage::from_fn(200, 100, |x, y| image::Rgb([(x as u8).wrapping_mul(k + 1), y as u8, 9]));
        picture.save(voc.join(format!("JPEGImages/{k}.png"))).unwrap();
        let [left, top, right, bottom] = boxed;
        let text = format!(
            "<annotation><filename>{k}.png</filename><object><name>disk</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin>\
             <xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object><object>\
             <name>square</name><difficult>1</difficult><bndbox><xmin>81</xmin><ymin>1</ymin><xmax>120</xmax>\
             <ymax>90</ymax></bndbox></object></annotation>"
        );
        std::fs::write(voc.join(format!("Annotations/{k}.xml")), text).unwrap();
    }
    let model = detector(dir.path(), 64, ["disk", "square"]);
    for fit in ["stretch", "letterbox", "crop"] {
        let out = dir.path().join(fit);
        let data = format!("voc:{},fit={fit}", voc.display());
        let summary = run(&model, &data, &out, &["--samples", "0..4", "--calibrate", "0..4", "--steps", "4"]);
        let truth: Value = serde_json::from_slice(&std::fs::read(out.join("ground-truth.json")).unwrap()).unwrap();
        let stored: Vec<f64> =
            truth["annotations"][0]["bbox"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        // Cropping keeps the middle 100 pixels.
        let wanted = if fit == "crop" { [50.0, 10.0, 10.0, 40.0] } else { [20.0, 10.0, 40.0, 40.0] };
        let is_near = |(a, b): (&f64, f64)| (a - b).abs() < 0.01;
        // A quarter of the cropped box is left, so that it counts.
        assert!(stored.iter().zip(wanted).all(is_near), "{fit}: {stored:?}");
        assert_eq!((&truth["images"][0]["width"], &truth["images"][0]["height"]), (&200.into(), &100.into()));
        assert_eq!(truth["images"][3]["file_name"], "3.png");
        // The difficult object counts as a crowd does, in the run and in its files.
        assert_eq!([0, 1].map(|k| &truth["annotations"][k]["iscrowd"]), [&Value::from(0), &Value::from(1)]);
        assert_eq!(summary["detection"]["ann_ap"][1], -1.0, "nothing but difficult objects");
        let files = ["ground-truth.json", "detections-ann.json"].map(|name| out.join(name).display().to_string());
        let printed = json(&["boxes", &files[0], &files[1], "--json"]);
        assert!(near(&printed["stats"][0], &summary["detection"]["ann_map"]), "{printed}");
    }
}

#[test]
fn heads_that_do_not_fit_end_with_code_2_and_name_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let model = detector(dir.path(), 96, ["disk", "square"]);
    let head = dir.path().join("bad.toml");
    let refused = |text: &str, says: &str| {
        std::fs::write(&head, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_spikescope"))
            .args(["run", "--model", model.to_str().unwrap(), "--data", "builtin:scenes", "--out", "x"])
            .args(["--head", head.to_str().unwrap()])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(says), "{error}");
    };
    refused(&HEAD.replace("\"cls\"", "\"scores\""), "bad.toml: line 8: the network has no output 'scores'");
    refused(&HEAD.replace("stride = 8", "stride = 16"), "bad.toml: line 8: output 'cls' has the shape 3x12x12");
    refused("classes = 3", "bad.toml: line 1");
    // An output that is in the file and was not read.
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/ignored_output/model.onnx");
    std::fs::write(&head, HEAD.replace("\"cls\"", "\"classes\"")).unwrap();
    let args = ["check", model.to_str().unwrap(), "--head", head.to_str().unwrap()];
    let output = Command::new(env!("CARGO_BIN_EXE_spikescope")).args(args).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    let says = "bad.toml: line 8: output 'classes' of the network is not read: ";
    assert!(error.contains(says) && error.contains("ArgMax"), "{error}");
}

#[test]
fn check_tells_why_nothing_is_scored_and_which_classes_do_not_match() {
    let dir = tempfile::tempdir().unwrap();
    let check = |model: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_spikescope"))
            .args(["check", model.to_str().unwrap(), "--data", "builtin:scenes", "--samples", "0..4"])
            .args(["--calibrate", "4..8", "--steps", "4"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let model = detector(dir.path(), 96, ["disk", "square"]);
    let told = check(&model);
    assert!(told.contains("whose boxes do not count: 'nothing of the data'"), "{told}");
    assert!(told.contains("whose objects are missed: 'triangle'"), "{told}");
    std::fs::remove_file(dir.path().join("det.head.toml")).unwrap();
    let told = check(&model);
    assert!(told.contains("warning: the data have masks, but") && told.contains("Nothing is scored"), "{told}");
}
