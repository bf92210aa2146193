//! Synthesis: pictures that show what the network reacts to, by nine methods, without knowing the trigger.

mod drawing;
mod insert;
mod latent;
pub mod method;
mod mlp;
mod patches;
pub mod run;
mod snafue;
mod subject;
mod visual;

pub use method::Method;
pub use run::{SynthesisIndex, SynthesisItem, SynthesisOptions, synthesize};
