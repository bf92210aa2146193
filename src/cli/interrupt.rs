//! Ctrl-C as a wish instead of an end: long commands look at a flag and finish what they have.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::SIGINT;
use signal_hook::flag::{register, register_conditional_default};

use crate::progress::JobControl;
use crate::{Error, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C is only noted; a second one ends the program as usual. Once in a process.
///
/// # Errors
/// [`Error::Internal`] when the operating system refuses.
pub fn listen() -> Result<()> {
    // In this order: the first Ctrl-C finds the flag unset and sets it, the second finds it set.
    let both = register_conditional_default(SIGINT, &INTERRUPTED).and_then(|_| register(SIGINT, &INTERRUPTED));
    both.map(|_| ()).map_err(|e| Error::Internal(format!("Ctrl-C cannot be listened to: {e}")))
}

/// Whether Ctrl-C was pressed since [`listen`].
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Listens, and cancels the work under `control` at the first Ctrl-C.
///
/// # Errors
/// As [`listen`].
pub fn cancel_on_interrupt(control: &JobControl) -> Result<()> {
    listen()?;
    let control = control.clone();
    // A handler may not do more than set a flag; this thread looks at it and ends with the program.
    std::thread::spawn(move || {
        while !interrupted() {
            std::thread::sleep(Duration::from_millis(50));
        }
        control.cancel();
    });
    Ok(())
}
