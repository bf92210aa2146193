//! Attacks on the network and samples of the settings, or of a run: the whole, and one sample as a pane shows it.

pub mod asked;
pub mod curve;
pub mod options;
pub mod readout;
pub mod subject;
pub mod view;

pub use asked::AttackView;
pub use curve::RobustnessCurve;
pub use options::{AttackOptions, AttackRequest};
pub use subject::{AttackSubject, Attacked, RuleResult, takes_a_rule};
pub use view::{AttackedSide, RobustnessView};
