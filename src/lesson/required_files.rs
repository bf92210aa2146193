//! Checks at opening that the networks a lesson uses exist.

use std::path::Path;

use super::Lesson;
use crate::lab::Message;
use crate::network::open::{BUILTIN_PREFIX, split_source};
use crate::network::zoo::BUNDLED;
use crate::{Error, Result};

/// Checks that all networks of `lesson` exist. `text` is the text of the lesson, for line numbers.
///
/// # Errors
/// [`Error::File`] with the line that names a missing network.
pub(super) fn check(path: &Path, text: &str, lesson: &Lesson) -> Result<()> {
    let messages = lesson.start.iter().chain(lesson.steps.iter().flat_map(|step| &step.messages));
    for message in messages {
        let model = match message {
            Message::OpenModel(model) => model,
            Message::SetSettings(settings) => &settings.model,
            _ => continue,
        };
        let (name, reason) = match model.strip_prefix(BUILTIN_PREFIX) {
            Some(name) if BUNDLED.iter().any(|bundled| bundled.name == name) => continue,
            Some(name) => {
                let known: Vec<_> = BUNDLED.iter().map(|bundled| bundled.name).collect();
                (name.to_owned(), format!("unknown bundled network '{name}'. Use one of {}.", known.join(", ")))
            }
            None => {
                let file = split_source(model).0;
                if file.is_file() {
                    continue;
                }
                let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                (name, format!("network {} not found; paths are relative to the lesson's folder", file.display()))
            }
        };
        let line = text.lines().position(|line| line.contains(&name)).unwrap_or(0);
        return Err(Error::file(path, format!("line {}", line + 1), reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_network_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.md");
        let open = |model: &str| {
            let text = format!("+++\ntitle = \"Own\"\nsettings = {{ model = \"{model}\" }}\n+++\n\n## First\nText.\n");
            std::fs::write(&path, text).unwrap();
            Lesson::open(&path.display().to_string(), &["bench"]).map(|_| ()).map_err(|error| error.to_string())
        };
        let refused = open("nosuch.onnx").unwrap_err();
        assert!(refused.contains("own.md: line 3: ") && refused.contains("nosuch.onnx"), "{refused}");
        let refused = open("builtin:nosuch").unwrap_err();
        assert!(refused.contains("line 3") && refused.contains("digits-resnet"), "{refused}");
        assert_eq!(open("builtin:digits-mlp"), Ok(()));
        std::fs::write(folder.path().join("there.onnx"), b"read when it is opened").unwrap();
        assert_eq!(open("there.onnx"), Ok(()));
    }
}
