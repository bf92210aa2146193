//! Engine: worker threads; one computes runs, one snapshots of the finished run, one attribution maps.
//!
//! The threads are separate, so that moving the time cursor never waits for a simulation. Each takes only the newest request;
//! stale results are discarded by their generation. While a control is dragged, the run thread first computes previews
//! (`previews`), and while the time cursor is, the snapshot thread.

mod event;
mod mailbox;
mod map_event;
mod map_worker;
mod own_threads;
mod pace;
mod previews;
mod run_worker;
mod snapshot_worker;
mod threads;
mod trojan_event;

pub use event::{EngineEvent, EventSender, SweepUpdate, Waker};
pub(super) use event::{catch_panic, is_due, spawn};
pub use map_event::{MapEvent, MapOrder};
pub use map_worker::make_maps;
pub use own_threads::OwnThreads;
pub use previews::PreviewOrder;
pub use run_worker::RunOrder;
pub use threads::Engine;
pub use trojan_event::TrojanEvent;
