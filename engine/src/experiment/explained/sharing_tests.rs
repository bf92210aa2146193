//! Tests that maps after several numbers of steps do not depend on the simulations they share.

use super::subject::ExplainSubject;
use crate::attack::GradientRule;
use crate::attack::snn::Surrogate;
use crate::attack::snn::prefix_memory::PrefixMemory;
use crate::experiment::Settings;
use crate::experiment::attacked::Attacked;
use crate::experiment::cache::Cache;
use crate::explain::{ExplainOptions, Method, Request, explain};
use crate::progress::JobControl;

fn subject(model: &str, steps: usize) -> ExplainSubject {
    let mut settings = Settings { model: model.into(), samples: 0..2, ..Settings::default() };
    settings.calibrate = 0..16;
    settings.recipe.steps = steps;
    ExplainSubject::load(&settings, Attacked::Snn, &mut Cache::default(), &JobControl::default()).unwrap()
}

fn map(subject: &ExplainSubject, method: Method, rule: GradientRule) -> Vec<f32> {
    let zeros = vec![0.0; subject.form().len()];
    let request =
        Request { input: &subject.input, targets: &[3, 7], form: subject.form(), baselines: &zeros, first: 0 };
    let options = ExplainOptions { budget: Some(3), ..ExplainOptions::default() };
    subject.with_network(rule, |network| explain(method, network, &request, &options, &JobControl::default())).unwrap()
}

#[test]
fn maps_over_time_are_those_of_simulations_of_their_own() {
    let (at, model) = ([3, 6, 8], "builtin:digits-mlp");
    let methods = [Method::Saliency, Method::IntegratedGradients, Method::GradientShap, Method::Lime];
    for rule in [GradientRule::Rate, GradientRule::ThroughTime(Surrogate::Triangle)] {
        let own: Vec<Vec<Vec<f32>>> = at
            .iter()
            .map(|&steps| methods.iter().map(|&method| map(&subject(model, steps), method, rule)).collect())
            .collect();
        // With recordings that are kept, and with none.
        for room in [usize::MAX / 2, 0] {
            let mut shared = subject(model, 8);
            shared.memory = Some(PrefixMemory::new(at.to_vec()).with_room(room));
            for (k, &method) in methods.iter().enumerate() {
                for (j, &steps) in at.iter().enumerate() {
                    shared.set_steps(steps);
                    assert_eq!(map(&shared, method, rule), own[j][k], "{method:?}, T = {steps}, room {room}, {rule:?}");
                }
            }
        }
    }
}
