//! Plans written from what is open: settings as options, recipes of a race as a list.

use toml::Value;

use crate::convert::{NamedRecipe, Recipe};
use crate::data::DataSpec;
use crate::experiment::Settings;
use crate::experiment::options::range_text;
use crate::{Error, Result};

/// Options by their names.
type Options = Vec<(&'static str, Value)>;

/// The text of a plan over time-steps: `settings`, with the recipes of `race` beside its own if there are any, after 1, 2, 4, …
/// steps up to its T.
///
/// # Errors
/// [`Error::Internal`] for a value without a text.
pub fn plan_text(name: &str, settings: &Settings, race: &[NamedRecipe]) -> Result<String> {
    let mut base = source_options(settings)?;
    let own = NamedRecipe::new("as in the window", settings.recipe.clone());
    let recipes: Vec<&NamedRecipe> = std::iter::once(&own).chain(race).collect();
    let all: Vec<Options> = recipes.iter().map(|named| recipe_options(&named.recipe)).collect::<Result<_>>()?;
    let differs = |k: usize| all.iter().any(|options| options[k].1 != all[0][k].1);
    let (varied, same): (Vec<usize>, Vec<usize>) = (0..all[0].len()).partition(|&k| differs(k));
    base.extend(same.into_iter().map(|k| all[0][k].clone()));
    let mut text = format!("name = {}\n\n[base]\n", Value::String(name.into()));
    base.iter().for_each(|(key, value)| text += &format!("{key} = {value}\n"));
    for (named, options) in recipes.iter().zip(&all).filter(|_| !varied.is_empty()) {
        text += &format!("\n# {}\n[[list]]\n", named.name.replace(char::is_control, " "));
        varied.iter().map(|&k| &options[k]).for_each(|(key, value)| text += &format!("{key} = {value}\n"));
    }
    let last = settings.recipe.steps.max(1);
    let mut steps: Vec<usize> = (0..).map(|k| 1 << k).take_while(|&t| t < last).collect();
    steps.push(last);
    Ok(text + &format!("\n[grid]\nsteps = {steps:?}\n"))
}

/// Network, data and samples of `settings`.
fn source_options(settings: &Settings) -> Result<Options> {
    let Settings {
        model,
        output,
        head,
        input,
        dt,
        data,
        calibration_data,
        scaling,
        samples,
        calibrate,
        recipe: _,
        backend,
        score_at: _,
    } = settings;
    let text = |text: &str| Value::String(text.to_owned());
    let mut options: Options = vec![("model", text(model))];
    options.extend(output.as_deref().map(|output| ("output", text(output))));
    options.extend(head.as_deref().map(|head| ("head", text(head))));
    let shape = |shape: &Vec<usize>| shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    options.extend(input.as_ref().map(|input| ("input", Value::String(shape(input)))));
    options.extend(dt.map(|dt| ("dt", Value::Float(dt))));
    options.push(("data", text(data)));
    // Some data sets have calibration samples of their own, which would come in the place of none.
    let has_own = || DataSpec::parse(data).is_ok_and(|spec| spec.default_calibration().is_some());
    let calibration = calibration_data.as_deref().or_else(|| has_own().then_some(data));
    options.extend(calibration.map(|data| ("calibrate-data", text(data))));
    options.push(("scale", Value::String(scaling.to_string())));
    options.push(("samples", Value::String(range_text(samples))));
    options.push(("calibrate", Value::String(range_text(calibrate))));
    options.push(("backend", word(backend)?));
    Ok(options)
}

/// All options of `recipe` but its steps, in the same order for every recipe.
fn recipe_options(recipe: &Recipe) -> Result<Options> {
    let Recipe {
        steps: _,
        threshold,
        granularity,
        v_init,
        initial,
        seed,
        neuron,
        reset,
        tie,
        correction,
        bias_shift,
        bias_correction,
        pooling,
        readout,
        manual_thresholds,
    } = recipe;
    let text = |text: &dyn std::fmt::Display| Value::String(text.to_string());
    let theta = manual_thresholds.iter().map(|(layer, theta)| Value::String(format!("{layer}={theta}"))).collect();
    Ok(vec![
        ("threshold", text(threshold)),
        ("granularity", word(granularity)?),
        ("theta", Value::Array(theta)),
        // As text, 0.1f32 is not 0.10000000149.
        ("v-init", Value::Float(v_init.to_string().parse().unwrap_or_else(|_| f64::from(*v_init)))),
        ("initial", word(initial)?),
        ("initial-seed", Value::Integer(i64::try_from(*seed).unwrap_or(i64::MAX))),
        ("neuron", text(neuron)),
        ("reset", word(reset)?),
        ("tie", word(tie)?),
        ("correction", text(correction)),
        ("bias-shift", Value::Integer(bias_shift.and_then(|n| i64::try_from(n).ok()).unwrap_or(0))),
        ("bias-correction", Value::String(if *bias_correction { "on" } else { "off" }.into())),
        ("pooling", word(pooling)?),
        ("readout", text(readout)),
    ])
}

/// The word of a choice.
fn word<T: serde::Serialize>(choice: &T) -> Result<Value> {
    Value::try_from(choice).map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Plan;
    use super::*;
    use crate::convert::{Readout, ThresholdRule};

    #[test]
    fn plans_of_the_window_and_of_a_race_give_the_same_settings() {
        let mut settings =
            Settings { samples: 3..9, calibration_data: Some("builtin:digits-train".into()), ..Settings::default() };
        settings.recipe.v_init = 0.1;
        settings.recipe.steps = 6;
        settings.recipe.readout = Readout::EarlyExit(0.9);
        settings.recipe.manual_thresholds.insert("conv\"1".into(), 0.75);
        settings.recipe.threshold = ThresholdRule::Percentile(99.5);
        let plan = |race: &[NamedRecipe]| {
            let text = plan_text("a \"name\"", &settings, race).unwrap();
            Plan::parse(Path::new("plan.toml"), &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
        };
        let alone = plan(&[]);
        assert_eq!((alone.rows(), alone.name.as_str()), (4, "a \"name\""));
        assert_eq!(alone.row(3).unwrap().resolve().unwrap().settings, settings);
        let race = Recipe::published_methods(&settings.recipe, 4);
        let all = plan(&race);
        assert_eq!(all.rows(), 4 * (race.len() + 1));
        for (k, named) in race.iter().enumerate() {
            let row = all.row(4 * (k + 1) + 3).unwrap().resolve().unwrap();
            let recipe = Recipe { steps: 6, ..named.recipe.clone() };
            assert_eq!(row.settings, Settings { recipe, ..settings.clone() }, "{}", named.name);
        }
    }
}
