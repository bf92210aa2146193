//! Sweep tests: the command as a user calls it, faults in the results folder, kills, two processes at once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PLAN: &str = r#"
name = "small"
[base]
model = "builtin:digits-mlp"
data = "builtin:digits"
samples = "256..276"
calibrate = "0..40"
[grid]
threshold = ["max", "mse"]
correction = ["none", "srp:2"]
steps = [2, 5, 3]
"#;

struct Sweep {
    folder: tempfile::TempDir,
}

impl Sweep {
    fn new(plan: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
        Self { folder }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spikescope"));
        command.current_dir(self.folder.path()).arg("sweep").args(arguments);
        command
    }
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
    fn status(&self, out: &str) -> serde_json::Value {
        serde_json::from_str(&self.done(&["status", "plan.toml", "--out", out, "--json"])).unwrap()
    }
    fn merged(&self, out: &str) -> String {
        self.done(&["merge", "plan.toml", "--out", out, "table.csv"]);
        std::fs::read_to_string(self.path("table.csv")).unwrap()
    }
    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

/// All row files below `out`, sorted.
fn rows(out: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(out.join("rows")).into_iter().flatten().map(|folder| folder.unwrap().path());
    let mut rows: Vec<PathBuf> =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path())).collect();
    rows.sort();
    rows
}

#[test]
fn a_sweep_gives_the_same_table_whole_by_tasks_and_on_one_thread() {
    let sweep = Sweep::new(PLAN);
    assert_eq!(sweep.done(&["plan.toml", "--count"]), "12\n");
    sweep.done(&["plan.toml", "--out", "whole"]);
    sweep.done(&["plan.toml", "--out", "single", "--threads", "1"]);
    for task in (0..12).rev() {
        sweep.done(&["plan.toml", "--out", "tasks", "--task", &task.to_string()]);
    }
    let whole = sweep.merged("whole");
    assert_eq!(whole, sweep.merged("single"));
    assert_eq!(whole, sweep.merged("tasks"));
    assert_eq!(whole.lines().next().unwrap(), "row,threshold,correction,steps,figure,step,value");
    let accuracy = |row: usize, steps: usize| {
        whole
            .lines()
            .filter(|line| line.starts_with(&format!("{row},")))
            .filter(|line| line.contains(&format!(",{steps},snn_accuracy,")))
            .count()
    };
    assert_eq!((accuracy(0, 2), accuracy(1, 5), accuracy(2, 3)), (2, 5, 3));
    let outside = sweep.run(&["plan.toml", "--out", "tasks", "--task", "12"]);
    assert_eq!(outside.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&outside.stderr).contains("rows 0 to 11"));
}

#[test]
fn figures_are_those_of_run() {
    let sweep = Sweep::new(PLAN);
    sweep.done(&["plan.toml", "--out", "out", "--task", "4"]);
    let row: serde_json::Value = serde_json::from_slice(&std::fs::read(&rows(&sweep.path("out"))[0]).unwrap()).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .current_dir(sweep.folder.path())
        .args([
            "run",
            "--model",
            "builtin:digits-mlp",
            "--data",
            "builtin:digits",
            "--samples",
            "256..276",
            "--calibrate",
            "0..40",
        ])
        .args(["--threshold", "max", "--correction", "srp:2", "--steps", "5", "--out", "run"])
        .output()
        .unwrap();
    assert!(run.status.success());
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(sweep.path("run/summary.json")).unwrap()).unwrap();
    for figure in ["ann_accuracy", "snn_accuracy", "agreement"] {
        assert_eq!(row["figures"][figure], summary[figure], "{figure}");
    }
}

#[test]
fn finished_rows_stay_and_faults_are_listed() {
    let sweep = Sweep::new(PLAN);
    sweep.done(&["plan.toml", "--out", "out"]);
    let files = rows(&sweep.path("out"));
    assert_eq!(files.len(), 12);
    let table = sweep.merged("out");
    // One file half copied, one of the future, one renamed, one foreign name.
    let bytes = std::fs::read(&files[0]).unwrap();
    std::fs::write(&files[0], &bytes[..bytes.len() / 2]).unwrap();
    let future =
        String::from_utf8(std::fs::read(&files[1]).unwrap()).unwrap().replacen("\"format\": 1", "\"format\": 9", 1);
    std::fs::write(&files[1], future).unwrap();
    std::fs::copy(&files[3], &files[2]).unwrap();
    std::fs::write(files[4].with_file_name("notes.txt"), "x").unwrap();
    let status = sweep.status("out");
    assert_eq!((status["rows"].as_u64(), status["done"].as_u64()), (Some(12), Some(9)));
    assert_eq!((status["damaged"].as_array().unwrap().len(), status["foreign"].as_array().unwrap().len()), (3, 1));
    let kept = std::fs::metadata(&files[5]).unwrap().modified().unwrap();
    sweep.done(&["plan.toml", "--out", "out"]);
    assert_eq!(sweep.merged("out"), table);
    assert_eq!(std::fs::metadata(&files[5]).unwrap().modified().unwrap(), kept, "a finished row ran again");
    // Another plan's rows are foreign, and shared rows are known.
    std::fs::write(sweep.path("plan.toml"), PLAN.replace("[2, 5, 3]", "[5]")).unwrap();
    let status = sweep.status("out");
    assert_eq!((status["done"].as_u64(), status["missing"].as_array().unwrap().len()), (Some(4), 0));
    assert_eq!(status["foreign"].as_array().unwrap().len(), 9);
}

#[test]
fn rows_that_contradict_themselves_do_not_end_the_sweep() {
    let sweep = Sweep::new(&PLAN.replace("threshold = [\"max\", \"mse\"]", "reset = [\"soft\", \"hard\"]"));
    let output = sweep.run(&["plan.toml", "--out", "out"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("reset = hard, correction = srp:2") && text.contains("hard reset"), "{text}");
    assert_eq!(sweep.status("out")["missing"], serde_json::json!([9, 10, 11]));
}

#[test]
fn rows_whose_options_do_not_combine_leave_the_others() {
    let sweep = Sweep::new(
        "[base]\nmodel = \"builtin:digits-mlp\"\ndata = \"builtin:digits\"\nsamples = \"256..266\"\ncalibrate = \"0..40\"\n\
         [grid]\nat = [\"2\", \"5\"]\nsteps = [2, 5]\n",
    );
    let output = sweep.run(&["plan.toml", "--out", "out"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("row 2 (at = 5, steps = 2) did not run: Cannot score at"), "{text}");
    assert_eq!(sweep.status("out")["missing"], serde_json::json!([2]));
    assert_eq!(sweep.merged("out").lines().filter(|line| line.contains("ann_accuracy")).count(), 3);
    assert_eq!(sweep.run(&["plan.toml", "--out", "out", "--task", "2"]).status.code(), Some(2));
}

#[test]
fn attacks_are_rows_with_the_figures_of_the_command() {
    let options = ["--on", "snn", "--attack", "pgd", "--attack-steps", "2", "--samples", "256..266", "--steps", "4"];
    let sweep = Sweep::new(
        "[base]\nmodel = \"builtin:digits-mlp\"\ndata = \"builtin:digits\"\nsamples = \"256..266\"\ncalibrate = \"0..40\"\n\
         on = \"snn\"\nattack-steps = 2\nsteps = 4\n[grid]\nattack = [\"none\", \"pgd\"]\neps = [\"8/255\", 0.2]\n",
    );
    sweep.done(&["plan.toml", "--out", "out"]);
    let table = sweep.merged("out");
    for task in (0..4).rev() {
        sweep.done(&["plan.toml", "--out", "tasks", "--threads", "1", "--task", &task.to_string()]);
    }
    assert_eq!(table, sweep.merged("tasks"));
    let attack = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .current_dir(sweep.folder.path())
        .args(["attack", "--model", "builtin:digits-mlp", "--data", "builtin:digits", "--calibrate", "0..40"])
        .args(options)
        .args(["--eps", "0.2", "--out", "attacked"])
        .output()
        .unwrap();
    assert!(attack.status.success(), "{}", String::from_utf8_lossy(&attack.stderr));
    let attack: serde_json::Value =
        serde_json::from_slice(&std::fs::read(sweep.path("attacked/attack.json")).unwrap()).unwrap();
    for figure in ["clean_accuracy", "robust_accuracy", "random_accuracy", "mean_linf"] {
        let start = format!("3,pgd,0.2,{figure},,");
        let line = table.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
        assert_eq!(line.parse::<f64>().unwrap(), attack[figure].as_f64().unwrap(), "{figure}");
    }
}

#[test]
fn explanations_are_rows_with_the_figures_of_the_command() {
    let sweep = Sweep::new(
        "[base]\nmodel = \"builtin:digits-mlp\"\ndata = \"builtin:digits\"\nsamples = \"256..259\"\ncalibrate = \"0..8\"\n\
         masks = \"mask.npz\"\nbudget = 4\nmethods = \"saliency,gradient-shap\"\nsteps = 3\n[grid]\non = [\"ann\", \"snn\"]\nseed = [0, 1]\n",
    );
    spikescope::data::write_npz_with(&sweep.path("mask.npz"), |npz| {
        let values: Vec<f32> = (0..28 * 28).map(|k| f32::from(u8::from(k % 28 > 13))).collect();
        npz.array("masks", &[1, 28, 28], &values)
    })
    .unwrap();
    sweep.done(&["plan.toml", "--out", "out"]);
    let table = sweep.merged("out");
    for task in (0..4).rev() {
        sweep.done(&["plan.toml", "--out", "tasks", "--threads", "1", "--task", &task.to_string()]);
    }
    assert_eq!(table, sweep.merged("tasks"));
    let explain = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .current_dir(sweep.folder.path())
        .args(["explain", "--model", "builtin:digits-mlp", "--data", "builtin:digits", "--calibrate", "0..8"])
        .args(["--samples", "256..259", "--on", "snn", "--steps", "3", "--seed", "1", "--budget", "4"])
        .args(["--methods", "saliency,gradient-shap", "--masks", "mask.npz", "--out", "explained"])
        .output()
        .unwrap();
    assert!(explain.status.success(), "{}", String::from_utf8_lossy(&explain.stderr));
    let scores: serde_json::Value =
        serde_json::from_slice(&std::fs::read(sweep.path("explained/scores.json")).unwrap()).unwrap();
    let value = |row: usize, figure: &str| {
        let on = if row < 2 { "ann" } else { "snn" };
        let start = format!("{row},{on},{},{figure},,", row % 2);
        let line = table.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{start}"));
        line.parse::<f64>().unwrap()
    };
    for method in ["saliency", "gradient-shap", "edges", "random"] {
        for score in ["correlation", "l1"] {
            let of_row = value(3, &format!("{score}_{}", method.replace('-', "_")));
            assert_eq!(of_row, scores["methods"][method]["median"][score].as_f64().unwrap(), "{method} {score}");
        }
    }
    assert_ne!(value(2, "l1_gradient_shap"), value(3, "l1_gradient_shap"), "the seed counts");
    assert_eq!(value(2, "l1_saliency"), value(3, "l1_saliency"));
    assert!(value(2, "ann_correlation_saliency") > 0.2);
    // Another mask is another row.
    std::fs::remove_file(sweep.path("mask.npz")).unwrap();
    let gone = sweep.run(&["plan.toml", "--out", "out"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("mask.npz"));
}

#[test]
fn what_looks_wrong_is_told_once_for_all_rows() {
    let base = "[base]\nmodel = \"builtin:digits-mlp\"\nsamples = \"256..276\"\ncalibrate = \"0..40\"\nsteps = 2\n";
    for rows in ["[grid]\ncorrection = [\"none\", \"srp:2\"]\n", "attack = \"uniform\"\n[grid]\neps = [0.1, 0.2]\n"] {
        let sweep = Sweep::new(&format!("{base}scale = \"mean=.9;std=.1\"\n{rows}"));
        let output = sweep.run(&["plan.toml", "--out", "out"]);
        let text = String::from_utf8(output.stderr).unwrap();
        let told: Vec<&str> =
            text.lines().filter(|line| line.contains("the network's file states the input")).collect();
        assert!(output.status.success() && told.len() == 1 && told[0].starts_with("row "), "{rows}: {text}");
    }
}

#[test]
fn results_that_cannot_be_written_end_the_sweep_with_a_sentence() {
    let sweep = Sweep::new(PLAN);
    std::fs::create_dir(sweep.path("out")).unwrap();
    std::fs::write(sweep.path("out/rows"), "a file").unwrap();
    let output = sweep.run(&["plan.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("rows"), "{output:?}");
    let output = sweep.run(&["plan.toml", "--out", "plan.toml"]);
    assert!(output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("not a folder"));
}

#[cfg(unix)]
#[test]
fn killed_sweeps_go_on_and_two_at_once_share_the_rows() {
    let plan = PLAN.replace("digits-mlp", "digits-cnn").replace("[2, 5, 3]", "[2, 4, 6, 8, 10, 12]");
    let sweep = Sweep::new(&plan);
    sweep.done(&["plan.toml", "--out", "whole"]);
    let table = sweep.merged("whole");
    for wait in [30, 90, 150, 250, 400] {
        let mut process = sweep.start(&["plan.toml", "--out", "killed"]);
        std::thread::sleep(Duration::from_millis(wait));
        let _ = process.kill();
        process.wait().unwrap();
        let status = sweep.status("killed");
        assert!(status["damaged"].as_array().unwrap().is_empty(), "{status}");
    }
    let mut both = [sweep.start(&["plan.toml", "--out", "killed"]), sweep.start(&["plan.toml", "--out", "killed"])];
    assert!(both.iter_mut().all(|process| process.wait().unwrap().success()));
    assert_eq!(sweep.status("killed")["done"].as_u64(), Some(24));
    assert_eq!(sweep.merged("killed"), table);
    // A stopped sweep ends by itself and keeps what it has.
    let mut process = sweep.start(&["plan.toml", "--out", "stopped"]);
    std::thread::sleep(Duration::from_millis(100));
    let stopped = Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert!(matches!(process.wait().unwrap().code(), Some(0 | 1)));
    assert!(sweep.status("stopped")["damaged"].as_array().unwrap().is_empty());
}

#[test]
fn changed_files_make_rows_missing_and_moved_files_do_not() {
    let sweep = Sweep::new(
        "[base]\nmodel = \"builtin:digits-mlp\"\ndata = \"npy:x.npy\"\nsamples = \"0..8\"\ncalibrate = \"8..16\"\nsteps = 2\n",
    );
    let array = |seed: u8| {
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (16, 1, 28, 28), }";
        bytes.extend(format!("{header:<117}\n").bytes());
        bytes.extend((0..16 * 784u32).map(|k| (k % 251) as u8 ^ seed));
        bytes
    };
    std::fs::write(sweep.path("x.npy"), array(0)).unwrap();
    let output = sweep.run(&["plan.toml", "--out", "out"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sweep.status("out")["done"].as_u64(), Some(1));
    std::fs::write(sweep.path("x.npy"), array(3)).unwrap();
    assert_eq!(sweep.status("out")["done"].as_u64(), Some(0));
    std::fs::write(sweep.path("y.npy"), array(0)).unwrap();
    let moved = std::fs::read_to_string(sweep.path("plan.toml")).unwrap().replace("x.npy", "y.npy");
    std::fs::write(sweep.path("plan.toml"), moved).unwrap();
    assert_eq!(sweep.status("out")["done"].as_u64(), Some(1));
}

#[cfg(unix)]
#[test]
fn output_that_nobody_reads_ends_a_command_without_a_word() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let plan = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(&plan, "name = \"one\"\n[base]\nmodel = \"builtin:digits-cnn\"\n").unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .arg("sweep")
        .arg(plan.path())
        .arg("--count")
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}
