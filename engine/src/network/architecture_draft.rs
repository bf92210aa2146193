//! Drafts of architecture files: a text to begin with, and the shapes that an edited text gives.

use std::path::{Path, PathBuf};

use super::architecture::{self, ArchitectureFile, OutlineLayer};
use super::open::{ARCHITECTURE_SUFFIX, split_source, weights_without_graph};
use super::state_dict::StateDict;
use crate::files::write_bytes;
use crate::{Error, Result};

/// Weights without a graph, and the file that is to describe them.
pub struct ArchitectureDraft {
    weights: PathBuf,
    /// `NAME.arch.toml` beside the weights, or the one that the source names.
    pub file: PathBuf,
    state: StateDict,
}

/// What a text describes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// Name, kind and shape of the output of each layer, up to the first error.
    pub layers: Vec<OutlineLayer>,
    /// Why the text is no network of these weights.
    pub error: Option<String>,
}

/// Whether `error` is about weights that need an architecture file, or about such a file.
pub fn needs_draft(error: &Error) -> bool {
    error.to_string().contains(ARCHITECTURE_SUFFIX)
}

impl ArchitectureDraft {
    /// Reads the weights of `source`, a file as for [`open`](super::open::open).
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] if they cannot be read, or if the file has a graph.
    pub fn open(source: &str) -> Result<Self> {
        let (path, named) = split_source(source);
        let (weights, state) = weights_without_graph(path)?;
        let file = match named {
            Some(named) => named.to_owned(),
            None if path != weights => path.to_owned(),
            None => architecture::architecture_file(&weights),
        };
        Ok(Self { weights, file, state })
    }

    /// The text to begin with: that of the file, if it has one, else a template with guesses for what weights do not contain.
    pub fn text(&self) -> String {
        self.known_text().unwrap_or_else(|| architecture::template(&self.state))
    }

    /// The text of the file; `None` if there is no file, or nothing in it.
    pub fn known_text(&self) -> Option<String> {
        std::fs::read_to_string(&self.file).ok().filter(|text| !text.trim().is_empty())
    }

    /// A template for weights whose keys match no known family; `None` if they open without.
    pub fn template(&self) -> Option<String> {
        architecture::architecture_template(self.state.clone())
    }

    /// The layers that `text` describes, with the shapes that it gives.
    pub fn outline(&self, text: &str) -> Outline {
        let mut outline = self.outline_without_lines(text);
        outline.error = outline.error.map(|error| with_line(error, text));
        outline
    }

    fn outline_without_lines(&self, text: &str) -> Outline {
        let described = match ArchitectureFile::parse(text, &self.file) {
            Ok(described) => described,
            Err(error) => return Outline { layers: Vec::new(), error: Some(error.to_string()) },
        };
        let (layers, error) = described.place(&self.state, &self.weights);
        if let Some(error) = error {
            return Outline { layers, error: Some(error.to_string()) };
        }
        match architecture::build(self.state.clone(), &self.weights, Some(&described), None) {
            Ok((network, _)) => Outline { layers: architecture::outline(&network.nodes), error: None },
            Err(error) => Outline { layers, error: Some(error.to_string()) },
        }
    }

    /// Writes `text` to `path`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if another text stands there; [`Error::Io`] if it cannot be written.
    pub fn write_new(path: &Path, text: &str) -> Result<()> {
        if std::fs::read_to_string(path).is_ok_and(|known| !known.trim().is_empty() && known != text) {
            let path = path.display();
            return Err(Error::Invalid(format!(
                "Cannot write {path}: it has a text already. Name another file, or delete this one."
            )));
        }
        write_bytes(path, text.as_bytes())
    }
}

/// `error` about a layer by its number, with the line of `text` on which the layer stands.
fn with_line(error: String, text: &str) -> String {
    let number = error.split_once(": layer ").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect());
    let Some((number, line)) = number.and_then(|number: String| {
        let line = architecture::line_of_layer(text, number.parse().ok()?)?;
        Some((number, line))
    }) else {
        return error;
    };
    error.replacen(&format!(": layer {number}"), &format!(": line {line}, layer {number}"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Weights;

    fn draft() -> ArchitectureDraft {
        let weights = |shape: &[usize]| Weights::new(shape.to_vec(), vec![0.1; shape.iter().product()]);
        let entries = [("first.weight", &[4, 1, 3, 3][..]), ("score.weight", &[10, 4 * 26 * 26])];
        let state = StateDict::new(entries.map(|(key, shape)| (key.to_owned(), weights(shape))));
        ArchitectureDraft { weights: "net.pt".into(), file: "net.arch.toml".into(), state }
    }

    #[test]
    fn outline_follows_the_text_up_to_its_first_error() {
        let draft = draft();
        let text = draft.text();
        let outline = draft.outline(&text);
        assert_eq!(outline.error, None, "{text}");
        let shapes: Vec<_> = outline.layers.iter().map(|(_, _, shape)| shape.clone()).collect();
        assert_eq!(shapes, [vec![1, 28, 28], vec![4, 26, 26], vec![4, 26, 26], vec![2704], vec![10]]);
        // A smaller image: the layers before the error keep their shapes.
        let outline = draft.outline(&text.replace("[1, 28, 28]", "[1, 20, 20]"));
        assert_eq!(outline.layers.last().unwrap().2, [4 * 18 * 18]);
        assert!(outline.error.unwrap().contains("score"));
        assert!(draft.outline("input = [").error.unwrap().contains("line 1"));
        let unknown = text.replacen("op = \"conv\"", "opp = \"conv\"", 1);
        let line = unknown.lines().position(|line| line.contains("opp")).unwrap() + 1;
        let error = draft.outline(&unknown).error.unwrap();
        assert!(error.contains(&format!("line {line}, layer 1")), "{error}");
        assert!(draft.outline("").error.is_some(), "no known family");
    }

    #[test]
    fn only_files_without_text_are_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.arch.toml");
        for known in ["", " \n", "input = [3]\n"] {
            std::fs::write(&path, known).unwrap();
            ArchitectureDraft::write_new(&path, "input = [3]\n").unwrap();
        }
        let text = ArchitectureDraft::write_new(&path, "input = [4]\n").unwrap_err().to_string();
        assert!(text.contains("net.arch.toml"), "{text}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "input = [3]\n");
    }
}
