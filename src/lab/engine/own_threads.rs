//! Thread pools of their own for work that must not wait for a run.

use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Who has a pool of its own. Runs, race lanes and maps share the global pool: each parallel section of other work there would
/// wait until a whole run has left a thread idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnThreads {
    /// Snapshots, which follow every click.
    Snapshots,
    /// Exports of panes.
    Exports,
}

static SNAPSHOTS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| pool("spikescope-snap"));
static EXPORTS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| pool("spikescope-figure"));

impl OwnThreads {
    /// Runs `work` in this pool; where the system has no threads for it, in the pool of the caller.
    pub fn install<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        let pool = match self {
            Self::Snapshots => &SNAPSHOTS,
            Self::Exports => &EXPORTS,
        };
        match pool.as_ref() {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

/// A pool of as many threads as the global one has, so that work is split as there.
fn pool(name: &'static str) -> Option<ThreadPool> {
    let builder = ThreadPoolBuilder::new().num_threads(rayon::current_num_threads());
    builder.thread_name(move |index| format!("{name}-{index}")).build().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use rayon::prelude::*;

    use super::*;

    #[test]
    fn snapshots_and_exports_do_not_wait_for_a_busy_global_pool() {
        let (release, wait) = channel::<()>();
        let (busy, is_busy) = channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let run = std::thread::spawn(move || {
            // One task for each thread of the global pool, all blocked until released.
            rayon::broadcast(|_| {
                busy.send(()).unwrap();
                let _ = wait.lock().unwrap().recv_timeout(Duration::from_secs(20));
            });
        });
        for _ in 0..rayon::current_num_threads() {
            is_busy.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        let (done, is_done) = channel();
        let work = std::thread::spawn(move || {
            for own in [OwnThreads::Snapshots, OwnThreads::Exports] {
                let sum: u64 = own.install(|| (0..10_000_u64).into_par_iter().sum());
                done.send(sum).unwrap();
            }
        });
        for _ in 0..2 {
            assert_eq!(is_done.recv_timeout(Duration::from_secs(10)), Ok(49_995_000));
        }
        drop(release);
        work.join().unwrap();
        run.join().unwrap();
    }
}
