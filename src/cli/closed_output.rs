//! A closed pipe behind the program's output ends a command quietly, as `head` does to others.
//!
//! Rust ignores SIGPIPE, so that `println!` panics. The panic is let through, since it removes temporary files on its way.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};

/// Exit code of a program that ends by SIGPIPE, as shells show it.
pub const EXIT_CODE: u8 = 128 + 13;

/// Runs `work`; `None` if whoever read its standard output or error had stopped reading.
pub fn until_closed<T>(work: impl FnOnce() -> T) -> Option<T> {
    let report = take_hook();
    set_hook(Box::new(move |info| {
        if !is_closed_output(info.payload()) {
            report(info);
        }
    }));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(payload) if is_closed_output(&*payload) => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// Whether a panic is that of `println!` or `eprintln!` on a closed pipe (EPIPE, or ERROR_NO_DATA and ERROR_BROKEN_PIPE).
fn is_closed_output(payload: &(dyn Any + Send)) -> bool {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let closed = ["(os error 32)", "(os error 232)", "(os error 109)"];
    text.is_some_and(|text| text.starts_with("failed printing to std") && closed.iter().any(|end| text.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_panics_pass() {
        let payload = |text: &str| -> Box<dyn Any + Send> { Box::new(text.to_owned()) };
        assert!(is_closed_output(&*payload("failed printing to stdout: Broken pipe (os error 32)")));
        assert!(!is_closed_output(&*payload("failed printing to stdout: No space left on device (os error 28)")));
        assert!(!is_closed_output(&*payload("index out of bounds")));
    }
}
