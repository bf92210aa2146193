//! Document: the state of the lab, the messages that change it, and its background jobs.

pub mod drawing;
pub mod engine_events;
pub mod export_jobs;
pub mod job;
pub mod lab;
pub mod lane;
pub mod locks;
pub mod message;
pub mod offscreen_copy;
pub mod open;
pub mod pending_open;
pub mod requests;
pub mod sweep_state;
pub mod sweeps;
pub mod update;
