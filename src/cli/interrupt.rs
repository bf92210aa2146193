//! Ctrl-C as a wish instead of an end: long commands look at a flag and finish what they have.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::progress::JobControl;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C is only noted; a second one ends the program as usual.
pub fn listen() {
    let handler = note as extern "C" fn(libc::c_int);
    // SAFETY: `note` does only what a signal handler may: a store to an atomic, and `signal` itself.
    unsafe { libc::signal(libc::SIGINT, handler as libc::sighandler_t) };
}

/// Whether Ctrl-C was pressed since [`listen`].
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Listens, and cancels the work under `control` at the first Ctrl-C.
pub fn cancel_on_interrupt(control: &JobControl) {
    listen();
    let control = control.clone();
    // A handler may not do more than set a flag; this thread looks at it and ends with the program.
    std::thread::spawn(move || {
        while !interrupted() {
            std::thread::sleep(Duration::from_millis(50));
        }
        control.cancel();
    });
}

extern "C" fn note(signal: libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
    // SAFETY: `signal` is safe to call in a handler (POSIX.1-2017, 2.4.3).
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}
