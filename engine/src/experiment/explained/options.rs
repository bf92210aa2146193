//! Options of an explanation as text, from the command line or a plan, and what they ask for.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Deserializer, Serialize};

use super::arrays::{baselines, masks};
use super::asked::{ExplanationRequest, TargetChoice};
use super::subject::ExplainSubject;
use crate::attack::GradientRule;
use crate::attack::snn::{GradientChoice, Surrogate};
use crate::experiment::attacked::Attacked;
use crate::experiment::attacked::options::word;
use crate::explain::backward::lrp::LrpRule;
use crate::explain::run::missing_map;
use crate::explain::{ExplainOptions, Method};
use crate::{Error, Result};

/// The options of an explanation, beside those of the network, the data and the recipe.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AttributionOptions {
    /// The network that is explained: ann | snn
    #[arg(long, value_name = "ann|snn", default_value = "ann")]
    pub on: String,
    /// Methods: all, or names separated by commas
    #[arg(long, value_name = "NAMES", default_value = "all")]
    #[serde(deserialize_with = "words")]
    pub methods: String,
    /// Output that is explained: answer | label | the number of a class
    #[arg(long, value_name = "WORD", default_value = "answer")]
    #[serde(deserialize_with = "words")]
    pub target: String,
    /// What stands for nothing: zero, or a file with an array `baselines` or `baseline` of one or several samples
    #[arg(long, value_name = "zero|FILE.npz", default_value = "zero")]
    pub baseline: String,
    /// Side of the patches that are one feature [default: 1 up to 256 pixels, else an eighth of the image]
    #[arg(long, value_name = "SIZE")]
    pub patches: Option<usize>,
    /// Side of occlusion's window [default: 3 up to 256 pixels, else two patches]
    #[arg(long, value_name = "SIZE")]
    pub window: Option<usize>,
    /// Step from window to window [default: 1 up to 256 pixels or with --window, else one patch]
    #[arg(long, value_name = "N")]
    pub stride: Option<usize>,
    /// Points of integrated-gradients, draws of gradient-shap, orders of shapley-sampling, rows of kernel-shap and lime
    /// [default: 50, 5, 25, 200, 200]
    #[arg(long, value_name = "N")]
    pub budget: Option<usize>,
    /// Rule of lrp: gamma:G | epsilon:E | alpha1-beta0
    #[arg(long, value_name = "RULE", default_value = "gamma:0.25")]
    pub lrp: String,
    /// Layer of guided-grad-cam and spike-count [default: the last convolution]
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// Decides all random draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Gradient of the spiking network: rate | surrogate | straight-through | ann
    #[arg(long, value_name = "WORD", default_value = "rate")]
    pub gradient: String,
    /// Known masks, array `masks` or `mask`: scores the maps against them
    #[arg(long, value_name = "FILE.npz")]
    pub masks: Option<PathBuf>,
    /// Also measure how much of a map is left once weights are random, layer by layer from the output
    #[arg(long)]
    pub sanity: bool,
}

impl Default for AttributionOptions {
    /// What the command line takes where an option is not stated.
    fn default() -> Self {
        Self {
            on: "ann".into(),
            methods: "all".into(),
            target: "answer".into(),
            baseline: "zero".into(),
            patches: None,
            window: None,
            stride: None,
            budget: None,
            lrp: "gamma:0.25".into(),
            layer: None,
            seed: 0,
            gradient: "rate".into(),
            masks: None,
            sanity: false,
        }
    }
}

impl AttributionOptions {
    /// The network that is explained.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another word.
    pub fn on(&self) -> Result<Attacked> {
        word("on", &self.on, &[("ann", Attacked::Ann), ("snn", Attacked::Snn)])
    }

    /// The file of the baselines; `None` for zeros.
    pub fn baseline_file(&self) -> Option<&Path> {
        Some(self.baseline.trim()).filter(|text| *text != "zero").map(Path::new)
    }

    /// What the options ask for, without baselines from a file.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option with an invalid value.
    pub fn request(&self) -> Result<ExplanationRequest> {
        let rule = match GradientChoice::parse(&self.gradient)? {
            GradientChoice::Surrogate => GradientRule::ThroughTime(Surrogate::Triangle),
            GradientChoice::Worst => {
                return Err(Error::Invalid(
                    "Cannot explain by gradient worst: a map has one gradient. Use rate, surrogate, straight-through or \
                     ann."
                        .into(),
                ));
            }
            one => one.rules()[0],
        };
        let options = ExplainOptions {
            patches: self.patches,
            window: self.window,
            stride: self.stride,
            budget: self.budget,
            lrp: LrpRule::parse(&self.lrp)?,
            layer: self.layer.clone(),
            seed: self.seed,
            ..ExplainOptions::default()
        };
        let (methods, target) = (Method::parse_list(&self.methods)?, TargetChoice::parse(&self.target)?);
        Ok(ExplanationRequest { methods, target, rule, options, baselines: None })
    }

    /// Leaves out of `asked` what has no map of `subject`, with the reasons, one each; but not a method or a layer that is named.
    pub fn leave_out(&self, asked: &mut ExplanationRequest, subject: &ExplainSubject) -> Vec<String> {
        let place = (&subject.form(), subject.len());
        let mut reasons = Vec::new();
        asked.methods.retain(|method| {
            let is_named = method.is_named_in(&self.methods) || self.layer.is_some() && method.reads_a_layer();
            if is_named {
                return true;
            }
            let missing = missing_map(*method, subject.network(), place, &asked.options);
            reasons.extend(missing.as_ref().map(|why| format!("{} is left out. {why}", method.word())));
            missing.is_none()
        });
        reasons
    }

    /// Completes `asked` with what the files of the options hold; returns the masks, `[N, area]` or `[1, area]`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for numbers that do not fit the images; [`Error::File`] and [`Error::Io`] of baselines and masks.
    pub fn read_files(&self, asked: &mut ExplanationRequest, subject: &ExplainSubject) -> Result<Option<Vec<f32>>> {
        let form = subject.form();
        asked.options.validate(form.height, form.width)?;
        if let Some(path) = self.baseline_file() {
            asked.baselines = Some(baselines(path, subject)?);
        }
        let masks = self.masks.as_ref().map(|path| masks(path, subject)).transpose()?;
        if masks.is_some() {
            // Scores are read beside these.
            let missing = Method::BASELINES.into_iter().filter(|method| !asked.methods.contains(method));
            asked.methods.extend(missing.collect::<Vec<_>>());
        }
        Ok(masks)
    }
}

/// A text, a number, or a list of texts, which stands for them with commas.
#[derive(Deserialize)]
#[serde(untagged, expecting = "not a text, a number or a list of texts")]
enum Words {
    Text(String),
    Number(u32),
    List(Vec<String>),
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Words::deserialize(deserializer)? {
        Words::Text(text) => text,
        Words::Number(number) => number.to_string(),
        Words::List(words) => words.join(","),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: AttributionOptions,
    }

    #[test]
    fn defaults_of_plans_are_those_of_the_command_line() {
        let line = <Line as clap::Parser>::parse_from([""]).options;
        assert_eq!(line, AttributionOptions::default());
        let plan: AttributionOptions = toml::from_str("methods = [\"lime\", \"lrp\"]\ntarget = 3").unwrap();
        let asked = plan.request().unwrap();
        assert_eq!(asked.methods, [Method::Lime, Method::Lrp]);
        assert_eq!(asked.target, TargetChoice::Output(3));
        assert!(toml::from_str::<AttributionOptions>("methods = true").is_err());
    }
}
