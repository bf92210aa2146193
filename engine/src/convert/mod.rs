//! ANN-to-SNN conversion: rewrites the network, chooses thresholds by a recipe, sets initial potentials.
//!
//! Does not depend on the window and starts no threads of its own besides rayon's.

mod activation_collector;
pub mod activation_quantiles;
pub mod balancing_options;
pub mod calibration;
pub mod calibration_source;
mod dense_layers;
pub mod findings;
mod largest_values;
pub mod named_recipe;
mod radix_sort;
pub mod recipe;
mod recipe_description;
pub mod recipe_options;
pub mod rewrite;
pub mod spiking_layer;
pub mod spiking_network;
pub mod staircase;
pub mod threshold_balancing;
pub mod threshold_error;
pub mod thresholds;

pub use activation_quantiles::ActivationQuantiles;
pub use balancing_options::BalancingOptions;
pub use calibration::{ActivationStatistics, Calibration, calibrate, calibrate_for};
pub use dense_layers::DENSE_CROSSOVER_RATE;
pub use findings::{Finding, Fix, Severity, unclipped_thresholds};
pub use named_recipe::NamedRecipe;
pub use recipe::{Granularity, Recipe, Reset, ThresholdRule, TieRule};
pub use recipe_options::{Correction, CosRule, InitialPotential, MaxPoolRule, NeuronModel, Readout, SrpRule};
pub use spiking_layer::SpikingLayer;
pub use spiking_network::SpikingNetwork;
pub use staircase::{expected_spikes, expected_spikes_of, to_u32};
pub use threshold_balancing::{BalancedThresholds, balance_thresholds};
