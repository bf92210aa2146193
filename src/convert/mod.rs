//! ANN to SNN: the network rewritten for conversion, thresholds from a recipe, initial potentials. Knows no window and no
//! thread.

pub mod activation_quantiles;
pub mod calibration;
mod dense_layers;
pub mod findings;
pub mod named_recipe;
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

pub use activation_quantiles::Sorted;
pub use calibration::{Calibration, LayerStatistics, calibrate};
pub use dense_layers::CROSSOVER;
pub use findings::{Finding, Mend, Severity, unclipped_thresholds};
pub use named_recipe::NamedRecipe;
pub use recipe::{Granularity, Recipe, Reset, ThresholdRule, Tie};
pub use recipe_options::{Balance, Correction, CosRule, InitialPotential, Neuron, Pooling, Readout, SrpRule};
pub use spiking_layer::SpikingLayer;
pub use spiking_network::SpikingNetwork;
pub use staircase::{target_count, target_of, whole};
pub use threshold_balancing::{Balanced, balance};
