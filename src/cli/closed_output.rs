//! A closed pipe behind the program's output ends a command quietly, as `head` does to others; a full disk with a sentence.
//!
//! Rust ignores SIGPIPE, so that `println!` panics. The panic is let through, since it removes temporary files on its way.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};

/// Exit code of a program that ends by SIGPIPE, as shells show it.
pub const EXIT_CODE: u8 = 128 + 13;

/// Why nothing more can be printed.
#[derive(Debug, PartialEq)]
pub enum OutputEnd {
    /// Whoever read the output has stopped reading.
    Closed,
    /// The system's reason, such as a full disk.
    Failed(String),
}

/// Runs `work`, as long as its standard output and error can be written.
///
/// # Errors
/// Why they cannot.
pub fn until_closed<T>(work: impl FnOnce() -> T) -> Result<T, OutputEnd> {
    let report = take_hook();
    set_hook(Box::new(move |info| {
        if output_end(info.payload()).is_none() {
            report(info);
        }
    }));
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| match output_end(&*payload) {
        Some(end) => end,
        None => resume_unwind(payload),
    })
}

/// What a panic of `println!` or `eprintln!` says; `None` for others. A closed pipe is EPIPE, or ERROR_NO_DATA and
/// ERROR_BROKEN_PIPE.
fn output_end(payload: &(dyn Any + Send)) -> Option<OutputEnd> {
    let text = payload.downcast_ref::<String>()?.strip_prefix("failed printing to std")?;
    let closed = ["(os error 32)", "(os error 232)", "(os error 109)"];
    if closed.iter().any(|end| text.ends_with(end)) {
        return Some(OutputEnd::Closed);
    }
    let reason = text.split_once(": ").map_or(text, |(_, reason)| reason);
    Some(OutputEnd::Failed(reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_panics_pass() {
        let payload = |text: &str| -> Box<dyn Any + Send> { Box::new(text.to_owned()) };
        let closed = payload("failed printing to stdout: Broken pipe (os error 32)");
        assert_eq!(output_end(&*closed), Some(OutputEnd::Closed));
        let full = "No space left on device (os error 28)";
        let of_full = payload(&format!("failed printing to stdout: {full}"));
        assert_eq!(output_end(&*of_full), Some(OutputEnd::Failed(full.into())));
        assert_eq!(output_end(&*payload("index out of bounds")), None);
    }
}
