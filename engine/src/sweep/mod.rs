//! Sweeps: many runs by a plan, one file for each, on one machine or as an array job of a cluster.
//!
//! A [`plan`] numbers its rows. Every row has an [`address`], a digest of all that determines its figures, and its result is
//! the file of that name in the results folder ([`folder`], [`row_file`]): a finished row is never run again, whoever ran it,
//! and two plans may share a folder. [`runner`] runs what is missing, rows that share a network or a calibration one after
//! the other, and takes all numbers of steps from one run ([`figures`]). A row may also be an attack or an
//! explanation. [`merge`] writes one table of all rows; [`slurm`]
//! writes the scripts of a cluster.

pub mod address;
mod attack_figures;
pub mod board;
mod digest;
mod explain_figures;
pub mod figures;
pub mod folder;
mod lock;
pub mod merge;
pub mod plan;
pub mod predict;
pub mod row_file;
pub mod runner;
mod schedule;
pub mod slurm;

pub use plan::Plan;
