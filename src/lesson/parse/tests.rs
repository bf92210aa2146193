//! Tests of valid lesson files, of the line numbers in errors, and of invalid questions.

use super::*;

const PANES: [&str; 2] = ["bench", "ledger"];

fn read(text: &str) -> Result<Lesson> {
    Lesson::parse(Path::new("folder/own.md"), text, &PANES)
}

const VALID_LESSON: &str = r#"
+++
title = "Own"
minutes = 5
settings = { model = "net.onnx", recipe = { steps = 4 } }
start = [{ open-model = "net.onnx" }, { set-steps = 8 }, "end-gesture"]
+++

## First
Text with **bold** and {bench.count}.

## Second
+++
point = "bench"
hide = ["layers"]
lock = ["T", "v-init"]
hints = ["look"]
reach = { all = ["bench.count == 1"], model = [{ set-bench = { input = [1.0] } }] }
+++
Do it.
"#;

#[test]
fn all_parts_of_a_lesson_are_read() {
    let lesson = read(VALID_LESSON).unwrap();
    assert_eq!((lesson.title.as_str(), lesson.minutes, lesson.steps.len()), ("Own", Some(5), 2));
    assert!(matches!(&lesson.start[0], Message::SetSettings(all) if all.model == "folder/net.onnx"));
    assert_eq!(lesson.start[1], Message::OpenModel("folder/net.onnx".into()), "paths are beside the lesson");
    let [first, second] = &lesson.steps[..] else { panic!() };
    assert_eq!((first.title.as_str(), first.body.as_str()), ("First", "Text with **bold** and {bench.count}."));
    assert_eq!(
        (&second.point, &second.hide[..]),
        (&Some(PointerTarget::Pane("bench".into())), &[PointerTarget::Part(ScreenArea::Layers)][..])
    );
    assert_eq!(second.lock, [ControlGroup::Steps, ControlGroup::VInit]);
    assert!(matches!(&second.question, Some(Question::Reach { all, .. }) if all[0].text() == "bench.count == 1"));
}

/// Replaces `from` by `to` in a valid file; the error must name `line` and contain `word`.
fn assert_error(from: &str, to: &str, line: usize, word: &str) {
    assert!(VALID_LESSON.contains(from), "{from}");
    let error = read(&VALID_LESSON.replacen(from, to, 1)).expect_err(to).to_string();
    assert!(error.starts_with(&format!("Cannot open folder/own.md: line {line}: ")) && error.contains(word), "{error}");
}

#[test]
fn errors_name_the_line() {
    assert_error("title = \"Own\"", "title = Own", 3, "");
    assert_error("minutes = 5", "minuets = 5", 4, "minuets");
    assert_error("{ set-steps = 8 }", "{ set-stops = 8 }", 6, "set-stops");
    assert_error("\"end-gesture\"", "{ save-session = \"x\" }", 6, "cannot write files");
    assert_error("\n## First\n", "\nstray\n", 9, "before the first step");
    assert_error("{bench.count}.", "{bench.counts}.", 10, "bench.counts");
    assert_error("\"bench\"\n", "\"bank\"\n", 14, "cannot be pointed at");
    assert_error("\"layers\"", "\"layer\"", 15, "layer");
    assert_error("\"T\"", "\"S\"", 16, "S");
    assert_error("\"look\"", "\"{look}\"", 17, "look");
    assert_error("bench.count ==", "bench.counts ==", 18, "not a fact");
    assert_error("set-bench", "set-bank", 18, "set-bank");
    assert_error("hints = [\"look\"]", "choice = { options = [\"a\", \"b\"], right = 3 }", 18, "one question");
    assert_error("point = \"bench\"", "number = { answer = \"bank\" }\npoint = \"bench\"", 19, "one question");
    assert_error("+++\nDo it.", "Do it.", 13, "no closing");
}

#[test]
fn invalid_questions_are_refused() {
    let step = |head: &str| read(&format!("+++\ntitle = \"x\"\n+++\n## One\n+++\n{head}\n+++\n"));
    assert!(step("choice = { options = [\"a\", \"b\"], right = 2 }").is_ok());
    for bad in [
        "choice = { options = [\"a\", \"b\"], right = 0 }",
        "choice = { options = [\"a\"], right = 1 }",
        "number = { answer = nan }",
        "number = { answer = \"bank\" }",
        "number = { answer = 1, within = -1 }",
        "reach = { all = [], model = [\"play\"] }",
        "reach = { all = [\"T == 4\"], model = [] }",
    ] {
        assert!(step(bad).unwrap_err().to_string().contains("line 6"), "{bad}");
    }
    for empty in ["", "+++\ntitle = \"x\"\n+++\n", "no head", "+++\ntitle = \"x\"\n"] {
        assert!(read(empty).is_err(), "{empty}");
    }
}
