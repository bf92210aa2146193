//! Background loading: reads files on threads; a cancelled read is resumed by the next request for it.
//!
//! A waiting caller can cancel at any moment while the read continues in the background. Readers themselves need not check
//! for cancellation.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::progress::JobControl;
use crate::{Error, Result};

/// Interval at which a waiting caller checks for cancellation.
const CANCEL_POLL: Duration = Duration::from_millis(2);
/// Maximum number of cancelled reads that continue; results of older ones are discarded.
const MAX_CANCELLED: usize = 2;

/// Cancelled reads that continue in the background, by the key of their result; oldest first.
#[derive(Debug)]
pub struct BackgroundLoads<K, V> {
    cancelled: Vec<(K, Load<V>)>,
}

#[derive(Debug)]
struct Load<V> {
    result: Receiver<Result<V>>,
    thread: JoinHandle<()>,
}

impl<K, V> Default for BackgroundLoads<K, V> {
    fn default() -> Self {
        Self { cancelled: Vec::new() }
    }
}

impl<K: PartialEq + Clone, V: Send + 'static> BackgroundLoads<K, V> {
    /// Waits for the result of `work`, or of a read that was started for the same `key` and cancelled.
    ///
    /// # Errors
    /// The error of the work; [`Error::Cancelled`] within some milliseconds after `control` is cancelled.
    ///
    /// # Panics
    /// If the work panics.
    pub fn get_or_start(
        &mut self,
        key: &K,
        control: &JobControl,
        work: impl FnOnce() -> Result<V> + Send + 'static,
    ) -> Result<V> {
        control.check()?;
        let known = self.cancelled.iter().position(|(other, _)| other == key);
        let work = match known {
            Some(at) => self.cancelled.remove(at).1,
            None => Load::start(work)?,
        };
        loop {
            match work.result.recv_timeout(CANCEL_POLL) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) if control.is_cancelled() => {
                    self.cancelled.push((key.clone(), work));
                    self.cancelled.drain(..self.cancelled.len().saturating_sub(MAX_CANCELLED));
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

    /// Discards the cancelled reads whose keys match, so that they are not resumed.
    pub fn discard(&mut self, matches: impl Fn(&K) -> bool) {
        self.cancelled.retain(|(key, _)| !matches(key));
    }
}

impl<V: Send + 'static> Load<V> {
    fn start(work: impl FnOnce() -> Result<V> + Send + 'static) -> Result<Self> {
        let (sender, result) = channel();
        let thread = std::thread::Builder::new().name("spikescope-read".into()).spawn(move || {
            // The caller may have cancelled.
            let _ = sender.send(work());
        });
        let no_thread = |_| Error::Internal("no thread is available to read the file".into());
        Ok(Self { result, thread: thread.map_err(no_thread)? })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::time::Instant;

    use super::*;

    #[test]
    fn cancelled_wait_returns_and_next_caller_resumes_the_read() {
        let mut loads = BackgroundLoads::<u8, u8>::default();
        let (open_gate, gate) = sync_channel::<()>(0);
        let control = JobControl::default();
        let stop = control.clone();
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            stop.cancel();
            Instant::now()
        });
        let stopped = loads.get_or_start(&1, &control, move || {
            gate.recv().unwrap();
            Ok(7)
        });
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        // The reader still waits for the gate: cancellation did not wait for it.
        let delay = canceller.join().unwrap().elapsed();
        assert!(delay < Duration::from_secs(5), "{delay:?}");
        open_gate.send(()).unwrap();
        let resumed = loads.get_or_start(&1, &JobControl::default(), || panic!("it is read twice"));
        assert_eq!(resumed.unwrap(), 7);
        assert!(loads.cancelled.is_empty());
    }

    #[test]
    fn discarded_read_restarts_and_only_the_newest_reads_continue() {
        let mut loads = BackgroundLoads::<u8, u8>::default();
        let (open_gate, gate) = channel::<()>();
        let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
        for key in 0..4 {
            let (gate, control) = (gate.clone(), JobControl::default());
            let stop = control.clone();
            let canceller = std::thread::spawn(move || stop.cancel());
            let slow_read = move || gate.lock().unwrap().recv().map(|()| key).map_err(|_| Error::Cancelled);
            assert!(loads.get_or_start(&key, &control, slow_read).is_err());
            canceller.join().unwrap();
        }
        assert!(loads.cancelled.len() <= MAX_CANCELLED);
        loads.discard(|_| true);
        drop(open_gate);
        assert_eq!(loads.get_or_start(&3, &JobControl::default(), || Ok(9)).unwrap(), 9);
    }

    #[test]
    fn a_panic_of_the_reader_reaches_the_caller() {
        let panicked = std::panic::catch_unwind(|| {
            BackgroundLoads::<u8, u8>::default().get_or_start(&1, &JobControl::default(), || panic!("broken reader"))
        });
        let cause = panicked.unwrap_err();
        assert_eq!(cause.downcast_ref::<&str>(), Some(&"broken reader"));
    }
}
