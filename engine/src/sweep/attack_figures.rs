//! Figures of a row that is an attack: accuracy before and after, and what it took.

use super::figures::Figures;
use crate::Result;
use crate::experiment::Settings;
use crate::experiment::attacked::{AttackRequest, AttackSubject};
use crate::experiment::cache::Cache;
use crate::progress::JobControl;

/// Carries out `request` on the network and samples of `settings`.
///
/// # Errors
/// Those of loading and of the attack; [`crate::Error::Cancelled`], also where some samples are finished.
pub fn attack_figures(
    settings: &Settings,
    request: &AttackRequest,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Figures> {
    let subject = AttackSubject::load(settings, request.on, cache, control)?;
    let (outcome, rules) = request.carry_out(&subject, None, control)?;
    control.check()?;
    let mut figures = Figures::default();
    figures.value("clean_accuracy", outcome.clean_accuracy());
    figures.value("robust_accuracy", outcome.robust_accuracy());
    figures.value("random_accuracy", outcome.random_accuracy());
    figures.value("mean_linf", outcome.mean(|sample| f64::from(sample.linf)));
    figures.value("mean_l2", outcome.mean(|sample| f64::from(sample.l2)));
    figures.value("mean_queries", outcome.mean(|sample| f64::from(sample.queries)));
    for rule in rules {
        figures.value(&format!("robust_accuracy_{}", rule.rule.replace('-', "_")), rule.robust_accuracy);
    }
    Ok(figures)
}
