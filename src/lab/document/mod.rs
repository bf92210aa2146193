//! Document: the state of the lab, the messages that change it, and its background jobs.

pub mod attribution_desk;
pub mod drawing;
pub mod engine_events;
pub mod export_jobs;
pub mod job;
pub mod lab;
pub mod lane;
pub mod locks;
pub mod map_requests;
pub mod message;
pub mod offscreen_copy;
pub mod open;
pub mod pending_open;
pub mod requests;
pub mod sweep_state;
mod sweeps;
pub mod trainings;
pub mod trojan_desk;
pub mod trojan_jobs;
pub mod update;
