//! The document: the lab's state and the messages that change it.

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
pub mod update;
