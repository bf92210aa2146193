//! Noise and adversarial attacks in pixel space, against the ANN and the spiking network.
//!
//! Images are values in [0, 1] before the network's own scaling ([`pixels`]). [`options`] says what to do, [`target`] is
//! the network that is attacked, and [`run`] does it in blocks of samples, each independent of the others. The rules are
//! those of torchattacks 3.5.1, which the tests hold to its results; `docs/attacks.md` lists what differs.
//!
//! Every draw belongs to one sample ([`draws`]): neither the number of threads nor the other samples change a result.

pub mod apgd;
pub mod draws;
pub mod form;
pub mod gradient_path;
pub mod images;
pub mod noise;
pub mod norm;
pub mod options;
pub mod outcome;
mod over_time;
pub mod pixels;
pub mod run;
pub mod snn;
pub mod square;
pub mod square_l2;
pub mod steps;
pub mod target;
pub mod vulnerability;

pub use form::{ImageForm, ValueRange};
pub use images::{Given, Images};
pub use norm::Norm;
pub use options::{Attack, AttackKind, parse_fraction};
pub use outcome::Outcome;
pub use pixels::PixelSpace;
pub use run::attack;
pub use snn::{GradientChoice, GradientRule, SnnTarget};
pub use target::{AnnTarget, Slope, Slopes, Target};
pub use vulnerability::{Vulnerability, vulnerability};
