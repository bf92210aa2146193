//! Trojans: planted in a network with known triggers, to measure which tools find them again.
//!
//! After Casper et al. (2023), "Red teaming deep neural networks with feature synthesis tools": 12 + 4 trojans of three kinds,
//! attribution methods scored against the trigger, synthesis methods by whether someone names the trigger from pictures.

pub mod embedding;
pub mod folder;
pub mod gallery;
pub mod judge;
pub mod live;
pub mod pictures;
pub mod plan;
pub mod plant;
pub mod quiz;
pub mod rediscover;
pub mod survival;
pub mod synthesis;
pub mod trigger;
