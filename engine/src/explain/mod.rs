//! Attribution: which pixels an answer of the ANN or of the spiking network stands on.
//!
//! [`method`] names the methods, [`network`] is what they explain, [`run`] computes a map for every sample, and [`scores`]
//! compares maps with a known mask. The rules are those of captum 0.9.0, which `tests/attribution.rs` holds to its
//! results; `docs/attribution.md` lists where captum is not followed.
//!
//! Gradients of the whole network come from [`gradients`] through an attack's [`Target`](crate::attack::Target); methods
//! with rules of their own go [`backward`] node by node; [`perturb`] only asks for answers.

pub mod backward;
pub mod baselines;
pub mod deletion;
pub mod draws;
pub mod features;
pub mod gradients;
pub mod method;
pub mod network;
pub mod options;
pub mod perturb;
pub mod quadrature;
pub mod run;
pub mod scores;
pub mod spike_counts;

pub use features::Features;
pub use method::{Family, Method};
pub use network::Explained;
pub use options::ExplainOptions;
pub use run::{Request, explain};
