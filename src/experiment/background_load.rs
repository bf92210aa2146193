//! Files are read by threads of their own: whoever waits for one can leave at any moment, and who asks for it again takes up
//! what is half read. Readers themselves need not look whether they should stop.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::progress::JobControl;
use crate::{Error, Result};

/// How often one who waits looks whether to leave.
const LOOK: Duration = Duration::from_millis(2);
/// So many are left to go on; those begun before end unheard.
const LEFT: usize = 2;

/// Work under way that was left, by what decides its result; oldest first.
#[derive(Debug)]
pub struct BackgroundLoads<K, V> {
    left: Vec<(K, Work<V>)>,
}

#[derive(Debug)]
struct Work<V> {
    result: Receiver<Result<V>>,
    thread: JoinHandle<()>,
}

impl<K, V> Default for BackgroundLoads<K, V> {
    fn default() -> Self {
        Self { left: Vec::new() }
    }
}

impl<K: PartialEq + Clone, V: Send + 'static> BackgroundLoads<K, V> {
    /// The result of `work`, or of the work that was begun for the same `key` and left.
    ///
    /// # Errors
    /// What the work gives; [`Error::Cancelled`] within some milliseconds of being told to stop.
    ///
    /// # Panics
    /// Where the work does.
    pub fn get_or_start(
        &mut self,
        key: &K,
        control: &JobControl,
        work: impl FnOnce() -> Result<V> + Send + 'static,
    ) -> Result<V> {
        control.check()?;
        let known = self.left.iter().position(|(of, _)| of == key);
        let work = match known {
            Some(at) => self.left.remove(at).1,
            None => Work::begin(work)?,
        };
        loop {
            match work.result.recv_timeout(LOOK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) if control.is_cancelled() => {
                    self.left.push((key.clone(), work));
                    self.left.drain(..self.left.len().saturating_sub(LEFT));
                    return Err(Error::Cancelled);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => match work.thread.join() {
                    Err(panic) => std::panic::resume_unwind(panic),
                    Ok(()) => return Err(Error::Internal("reading a file ended without a result".into())),
                },
            }
        }
    }

    /// Whatever was begun for such keys is not taken up again.
    pub fn discard(&mut self, of: impl Fn(&K) -> bool) {
        self.left.retain(|(key, _)| !of(key));
    }
}

impl<V: Send + 'static> Work<V> {
    fn begin(work: impl FnOnce() -> Result<V> + Send + 'static) -> Result<Self> {
        let (sender, result) = channel();
        let thread = std::thread::Builder::new().name("spikescope-read".into()).spawn(move || {
            // The caller may have cancelled.
            let _ = sender.send(work());
        });
        let none = |_| Error::Internal("no thread is available to read the file".into());
        Ok(Self { result, thread: thread.map_err(none)? })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::time::Instant;

    use super::*;

    #[test]
    fn who_is_told_to_stop_leaves_at_once_and_the_next_takes_up_what_was_begun() {
        let mut aside = BackgroundLoads::<u8, u8>::default();
        let (go_on, gate) = sync_channel::<()>(0);
        let control = JobControl::default();
        let stop = control.clone();
        let told = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            stop.cancel();
            Instant::now()
        });
        let stopped = aside.get_or_start(&1, &control, move || {
            gate.recv().unwrap();
            Ok(7)
        });
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        // The reader still waits for the gate: leaving did not wait for it.
        let late = told.join().unwrap().elapsed();
        assert!(late < Duration::from_secs(5), "{late:?}");
        go_on.send(()).unwrap();
        let taken = aside.get_or_start(&1, &JobControl::default(), || panic!("it is read twice"));
        assert_eq!(taken.unwrap(), 7);
        assert!(aside.left.is_empty());
    }

    #[test]
    fn what_was_forgotten_is_begun_anew_and_only_the_newest_are_kept() {
        let mut aside = BackgroundLoads::<u8, u8>::default();
        let (go_on, gate) = channel::<()>();
        let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
        for key in 0..4 {
            let (gate, control) = (gate.clone(), JobControl::default());
            let stop = control.clone();
            let teller = std::thread::spawn(move || stop.cancel());
            let slow = move || gate.lock().unwrap().recv().map(|()| key).map_err(|_| Error::Cancelled);
            assert!(aside.get_or_start(&key, &control, slow).is_err());
            teller.join().unwrap();
        }
        assert!(aside.left.len() <= LEFT);
        aside.discard(|_| true);
        drop(go_on);
        assert_eq!(aside.get_or_start(&3, &JobControl::default(), || Ok(9)).unwrap(), 9);
    }

    #[test]
    fn a_panic_is_not_swallowed() {
        let panicked = std::panic::catch_unwind(|| {
            BackgroundLoads::<u8, u8>::default().get_or_start(&1, &JobControl::default(), || panic!("broken reader"))
        });
        let cause = panicked.unwrap_err();
        assert_eq!(cause.downcast_ref::<&str>(), Some(&"broken reader"));
    }
}
