//! Ctrl-C handling: the first press requests cancellation, the second ends the program.
//!
//! Long commands poll a flag and keep the results they have.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default};

use crate::progress::JobControl;
use crate::{Error, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Installs the handler: the first Ctrl-C sets a flag, a second one ends the program as usual. Call it once per process.
///
/// # Errors
/// [`Error::Internal`] when the operating system refuses.
pub fn listen() -> Result<()> {
    // The order matters: at the first Ctrl-C the flag is still unset, then it is set; at the second it is set.
    let both = register_conditional_default(SIGINT, &INTERRUPTED).and_then(|_| register(SIGINT, &INTERRUPTED));
    both.map(|_| ()).map_err(|e| Error::Internal(format!("Ctrl-C cannot be listened to: {e}")))
}

/// Whether Ctrl-C was pressed since [`listen`].
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// [`cancel_on_interrupt`], and SIGTERM as well, which schedulers of clusters send before they kill.
///
/// # Errors
/// As [`listen`].
pub fn cancel_on_signals(control: &JobControl) -> Result<()> {
    let terminate = register(SIGTERM, &INTERRUPTED);
    terminate.map_err(|e| Error::Internal(format!("SIGTERM cannot be listened to: {e}")))?;
    cancel_on_interrupt(control)
}

/// Installs the handler and cancels `control` at the first Ctrl-C.
///
/// # Errors
/// As [`listen`].
pub fn cancel_on_interrupt(control: &JobControl) -> Result<()> {
    listen()?;
    let control = control.clone();
    // A signal handler may only set a flag. This thread polls it until the program ends.
    std::thread::spawn(move || {
        while !interrupted() {
            std::thread::sleep(Duration::from_millis(50));
        }
        control.cancel();
    });
    Ok(())
}
