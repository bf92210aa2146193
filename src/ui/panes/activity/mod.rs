//! Panes of spiking activity over time: membrane potentials of single neurons, spikes of a layer.

pub mod membrane;
pub mod raster;
