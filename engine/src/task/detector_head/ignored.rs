//! Outputs that a head names and that the reader of the network's file left out.

use super::description::HeadDescription;
use super::head_text::HeadText;
use super::level::Level;
use crate::Result;
use crate::network::outputs::ignored_output;

/// Checks that no output that `head` names was left out; `notes` are those of the reader of the network's file.
///
/// # Errors
/// [`crate::Error::File`] with the line and the reader's reason; that of a text that is no description.
pub fn check_ignored(head: &HeadText, notes: &[String]) -> Result<()> {
    let levels = HeadDescription::parse(head)?.levels;
    for name in levels.iter().flat_map(Level::output_names) {
        let beginning = ignored_output(name.get_ref());
        if let Some(reason) = notes.iter().find_map(|note| note.strip_prefix(&beginning)) {
            let text = format!("output '{}' of the network is not read: {}", name.get_ref(), reason.trim());
            return Err(head.error(name.span(), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn an_output_that_was_left_out_is_named_with_the_reason() {
        let text = "classes = [\"a\"]\n[boxes]\ncoding = \"corners\"\n[[level]]\nclass = \"s\"\nbox = \"b\"\n";
        let head = HeadText { path: PathBuf::from("x.head.toml"), text: text.into() };
        let notes = ["Input 'y' is ignored.".to_owned(), format!("{}Cannot open x.onnx: no.", ignored_output("b"))];
        let error = check_ignored(&head, &notes).unwrap_err().to_string();
        assert_eq!(
            error,
            "Cannot open x.head.toml: line 6: output 'b' of the network is not read: Cannot open x.onnx: no."
        );
        assert!(check_ignored(&head, &notes[..1]).is_ok());
    }
}
