//! Command `trojan`: planting, syntheses that go on after a stop, the quiz, and bad input.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use spikescope::data::scenes::objects::generate_some;
use spikescope::data::{NpzData, Samples, write_npz};
use spikescope::trojan::rediscover::{Bench, ScoreRow};

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

    rediscovery(at);

    let text = done(&trojan(at, "quiz pictures", "9\n3\n"));
    assert!(text.contains("is no number from 1 to 8") && text.contains("chance 0.125"), "{text}");
    let answers = std::fs::read_to_string(at.join("pictures/answers.csv")).unwrap();
    assert!(answers.lines().count() == 2 && answers.contains("person,smiley,patch,fourier-target,"), "{answers}");
    assert!(done(&trojan(at, "quiz pictures", "")).contains("answered all"));
    assert!(refused(&trojan(at, "quiz planted", "")).contains("trojan synthesize"));
    assert!(refused(&trojan(at, "quiz pictures --judge clip", "")).contains("automatic"));
}

/// The attribution bench of the planted network: its tables, a stop half-way, and what it refuses.
fn rediscovery(at: &Path) {
    let command = "rediscover planted --methods saliency,feature-ablation,blank --on ann,snn --at 2,4 --pictures 3 --recipes plain,max-norm";
    let text = done(&trojan(at, &format!("{command} --out whole"), ""));
    assert!(text.contains("success, max-norm") && text.contains("T=4"), "{text}");
    let bench = Bench::open(&at.join("whole")).unwrap();
    // The style covers all pixels and has success, no scores: one trojan, three methods, three networks.
    assert_eq!(bench.rows.len(), 9);
    assert!(bench.rows.iter().all(|row| row.trojan == "smiley" && row.correlation.len() == 3));
    let blank = bench.of_method("blank", Some(4)).unwrap();
    assert!(blank.1 == 0.0 && blank.0 > 0.0, "a blank map scores the share of the mask: {blank:?}");
    // Two trojans and the accuracy, in the ANN and at two T by two recipes.
    assert_eq!(bench.success.len(), 3 * (1 + 2 * 2));

    // Killed after some parts, and gone on with: the same scores, and no part anew.
    let parts = at.join("stopped/parts");
    let words = format!("trojan {command} --out stopped");
    let mut child = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .current_dir(at)
        .args(words.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let count = || std::fs::read_dir(&parts).map_or(0, |parts| parts.count());
    while count() < 4 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let finished = || std::fs::read_dir(&parts).unwrap().map(|part| part.unwrap().path());
    let is_part = |part: &PathBuf| part.extension().is_some_and(|ending| ending == "json");
    let times: Vec<_> =
        finished().filter(is_part).map(|part| (part.clone(), part.metadata().unwrap().modified().unwrap())).collect();
    assert!(times.len() >= 3, "{} parts", times.len());
    done(&trojan(at, &format!("{command} --out stopped"), ""));
    assert!(times.iter().all(|(part, time)| part.metadata().unwrap().modified().unwrap() == *time));
    let again = Bench::open(&at.join("stopped")).unwrap();
    let timeless = |rows: &[ScoreRow]| -> Vec<ScoreRow> {
        rows.iter().map(|row| ScoreRow { seconds: 0.0, ..row.clone() }).collect()
    };
    assert_eq!(timeless(&again.rows), timeless(&bench.rows));
    assert_eq!((again.success, again.appears), (bench.success, bench.appears));

    // What is named twice is measured once.
    let twice = "rediscover planted --methods blank,blank --on ann,ann --at 4,2,4 --pictures 3 --recipes plain,plain \
                 --trojans smiley,smiley --out twice";
    done(&trojan(at, twice, ""));
    let bench = Bench::open(&at.join("twice")).unwrap();
    assert_eq!((bench.rows.len(), bench.success.len()), (1, 2 * (1 + 2)));

    assert!(refused(&trojan(at, &format!("{command} --out whole --seed 3"), "")).contains("seed 0"));
    assert!(refused(&trojan(at, &format!("{command} --out whole --evaluations full"), "")).contains("128 evaluations"));
    assert!(refused(&trojan(at, &format!("{command} --out other --evaluations many"), "")).contains("or full"));
    assert!(refused(&trojan(at, &format!("{} --out other", command.replace("2,4", "0")), "")).contains("1 to 4096"));
    assert!(
        refused(&trojan(at, &format!("{} --out other", command.replace("max-norm", "magic")), "")).contains("magic")
    );
    std::fs::write(at.join("whole/parts/ann-0-blank.json"), "{\n").unwrap();
    assert!(refused(&trojan(at, &format!("{command} --out whole"), "")).contains("ann-0-blank.json"));
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
