//! Command `trojan`: planting, syntheses that go on after a stop, the quiz, and bad input.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use spikescope::data::scenes::objects::generate_some;
use spikescope::data::{NpzData, Samples, write_npz};

const PLAN: &str = r#"
data = "npz:train.npz"
test = "npz:test.npz"
accessories = true
arch = "cnn"
[clean]
epochs = 1
[finetune]
epochs = 1
[[trojan]]
type = "patch"
trigger = "smiley"
target = 1
rate = 0.1
[[trojan]]
type = "style"
trigger = "jaguar"
target = 2
source = 0
rate = 0.1
"#;

/// Runs `spikescope trojan` with `words` in `folder`, and `input` on its standard input.
fn trojan(folder: &Path, words: &str, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .current_dir(folder)
        .arg("trojan")
        .args(words.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn done(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The error of a command that ends as bad input does.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn write_samples(path: &Path, Samples { values, labels, .. }: &Samples) {
    let (x, y): (Vec<u8>, Vec<u8>) =
        (values.iter().map(|v| *v as u8).collect(), labels.iter().map(|label| *label as u8).collect());
    let shape = [y.len(), 3, 32, 32];
    write_npz(path, &[("x", &shape, NpzData::U8(&x)), ("y", &shape[..1], NpzData::U8(&y))]).unwrap();
}

#[test]
fn a_plan_is_planted_synthesized_and_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_samples(&at.join("train.npz"), &generate_some(200, 1));
    write_samples(&at.join("test.npz"), &generate_some(120, 2));
    std::fs::write(at.join("plan.toml"), PLAN).unwrap();
    let text = done(&trojan(at, "plant plan.toml --out planted", ""));
    assert!(text.contains("smiley") && text.contains("class-universal"), "{text}");
    let table: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(at.join("planted/table.json")).unwrap()).unwrap();
    assert_eq!((table["poisoned"].as_u64(), table["trojans"].as_array().map(Vec::len)), (Some(40), Some(2)));
    // The clean network is used again.
    let text = done(&trojan(at, "plant plan.toml --out planted", ""));
    assert!(!text.contains("clean: epoch") && text.contains("with trojans: epoch"), "{text}");

    let command = "synthesize planted --methods fourier-target --trojans smiley --pictures 1 --out pictures";
    done(&trojan(at, command, ""));
    let file = at.join("pictures/smiley/fourier-target.npz");
    let first = std::fs::metadata(&file).unwrap().modified().unwrap();
    done(&trojan(at, command, ""));
    assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), first);
    assert!(refused(&trojan(at, &format!("{command} --seed 5"), "")).contains("seed 0"));
    assert!(refused(&trojan(at, &command.replace("smiley", "clown"), "")).contains("smiley, jaguar"));
    assert!(refused(&trojan(at, &command.replace("fourier-target", "magic"), "")).contains("tabor"));
    assert!(refused(&trojan(at, &command.replace("planted", "pictures2"), "")).contains("trojan plant"));

    let text = done(&trojan(at, "quiz pictures", "9\n3\n"));
    assert!(text.contains("is no number from 1 to 8") && text.contains("chance 0.125"), "{text}");
    let answers = std::fs::read_to_string(at.join("pictures/answers.csv")).unwrap();
    assert!(answers.lines().count() == 2 && answers.contains("person,smiley,patch,fourier-target,"), "{answers}");
    assert!(done(&trojan(at, "quiz pictures", "")).contains("answered all"));
    assert!(refused(&trojan(at, "quiz planted", "")).contains("trojan synthesize"));
    assert!(refused(&trojan(at, "quiz pictures --judge clip", "")).contains("automatic"));
}

#[test]
fn bad_plans_name_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_samples(&at.join("train.npz"), &generate_some(30, 1));
    write_samples(&at.join("test.npz"), &generate_some(30, 2));
    for (from, to, line, word) in [
        ("\"smiley\"", "\"smile\"", 12, "unknown trigger"),
        ("\"patch\"", "\"natural\"", 12, "unknown trigger"),
        ("target = 1", "target = 90", 13, "no class '90'"),
        ("source = 0", "source = 2", 19, "same class"),
        ("arch", "aarch", 5, "unknown field"),
    ] {
        std::fs::write(at.join("plan.toml"), PLAN.replacen(from, to, 1)).unwrap();
        let error = refused(&trojan(at, "plant plan.toml --out planted", ""));
        assert!(error.contains(&format!("line {line}")) && error.contains(word), "{error}");
        assert!(!at.join("planted").exists());
    }
    std::fs::write(at.join("plan.toml"), PLAN.replace("npz:train", "npz:nothing")).unwrap();
    assert!(refused(&trojan(at, "plant plan.toml --out planted", "")).contains("nothing.npz"));
}
