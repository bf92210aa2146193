//! Recipe descriptions in words: title, full description, and differences from another recipe.

use super::{
    Correction, CosRule, Granularity, InitialPotential, MaxPoolRule, NeuronModel, Readout, Recipe, Reset, SrpRule,
    ThresholdRule, TieRule,
};

impl Recipe {
    /// A short title of what distinguishes the recipe: "learned, SRP τ = 4".
    pub fn title(&self) -> String {
        let plain = Recipe { threshold: self.threshold, ..Recipe::default() };
        let mut parts = vec![threshold(self.threshold)];
        parts.extend(self.differences_from(&plain));
        parts.join(", ")
    }

    /// The basic options in any case, followed by all unusual ones: "θ percentile 99.9, per layer, v(0) 0.5 θ, ties ≥,
    /// soft reset".
    pub fn description(&self) -> String {
        let mut parts = vec![
            format!("θ {}", threshold(self.threshold)),
            granularity(self.granularity).into(),
            initial(self),
            tie(self.tie).into(),
            reset(self.reset).into(),
        ];
        let plain = Recipe {
            threshold: self.threshold,
            granularity: self.granularity,
            initial: self.initial,
            v_init: self.v_init,
            seed: self.seed,
            tie: self.tie,
            reset: self.reset,
            ..Recipe::default()
        };
        parts.extend(self.differences_from(&plain));
        parts.join(", ")
    }

    /// What differs from `base`, except T, each in a few words: "v(0) 0", "ties >", "per channel".
    pub fn differences_from(&self, base: &Recipe) -> Vec<String> {
        let mut parts = Vec::new();
        let mut add = |changed: bool, words: String| {
            if changed {
                parts.push(words);
            }
        };
        add(self.threshold != base.threshold, format!("θ {}", threshold(self.threshold)));
        add(self.granularity != base.granularity, granularity(self.granularity).into());
        let start = |recipe: &Recipe| (recipe.initial, recipe.v_init, recipe.seed);
        add(start(self) != start(base), initial(self));
        add(self.neuron != base.neuron, neuron(self.neuron));
        add(self.tie != base.tie, tie(self.tie).into());
        add(self.reset != base.reset, reset(self.reset).into());
        add(self.correction != base.correction, correction(self.correction));
        let shift = self.bias_shift.map_or("no RTS shift".into(), |steps| format!("RTS shift {steps}"));
        add(self.bias_shift != base.bias_shift, shift);
        let bias = if self.bias_correction { "biases corrected" } else { "biases not corrected" };
        add(self.bias_correction != base.bias_correction, bias.into());
        let pooling = match self.pooling {
            MaxPoolRule::PreNeuron => "max pooling before the neurons",
            MaxPoolRule::Lateral => "LIPooling",
        };
        add(self.pooling != base.pooling, pooling.into());
        add(self.readout != base.readout, readout(self.readout));
        let by_hand = match self.manual_thresholds.len() {
            0 => "no θ by hand".into(),
            1 => "θ of one layer by hand".into(),
            layers => format!("θ of {layers} layers by hand"),
        };
        add(self.manual_thresholds != base.manual_thresholds, by_hand);
        parts
    }
}

fn threshold(rule: ThresholdRule) -> String {
    match rule {
        ThresholdRule::Percentile(p) => format!("percentile {p}"),
        ThresholdRule::Max => "max".into(),
        ThresholdRule::Learned => "learned".into(),
        ThresholdRule::Mse => "least MSE".into(),
        ThresholdRule::Balance(balance) => {
            let cap = if balance.cap { " capped" } else { "" };
            format!("balanced {}x{}{cap}", balance.batches, balance.size)
        }
    }
}

fn granularity(granularity: Granularity) -> &'static str {
    match granularity {
        Granularity::Layer => "per layer",
        Granularity::Channel => "per channel",
    }
}

fn initial(recipe: &Recipe) -> String {
    let rounded = (recipe.v_init * 100.0).round() / 100.0;
    let center = if recipe.v_init == 0.0 { "0".into() } else { format!("{rounded} θ") };
    let seed = if recipe.seed == 0 { String::new() } else { format!(" (seed {})", recipe.seed) };
    match recipe.initial {
        InitialPotential::Constant => format!("v(0) {center}"),
        InitialPotential::Uniform => format!("v(0) uniform{seed}"),
        InitialPotential::Gaussian => format!("v(0) Gaussian around {center}{seed}"),
        InitialPotential::Calibrated => format!("v(0) calibrated from {center}"),
    }
}

fn neuron(neuron: NeuronModel) -> String {
    match neuron {
        NeuronModel::If => "IF neurons".into(),
        leaky @ NeuronModel::Lif(_) => format!("leaky neurons (decay {})", leaky.decay()),
        NeuronModel::Signed => "signed neurons".into(),
        NeuronModel::Group(m) => format!("groups of {m}"),
        NeuronModel::Burst(g) => format!("bursts of {g}"),
    }
}

fn tie(tie: TieRule) -> &'static str {
    match tie {
        TieRule::Ge => "ties ≥",
        TieRule::Gt => "ties >",
    }
}

fn reset(reset: Reset) -> &'static str {
    match reset {
        Reset::Soft => "soft reset",
        Reset::Hard => "hard reset",
    }
}

fn correction(correction: Correction) -> String {
    match correction {
        Correction::None => "no correction".into(),
        Correction::Srp { steps, rule } => {
            let rule = if rule == SrpRule::Theory { " (theory)" } else { "" };
            format!("SRP τ = {steps}{rule}")
        }
        Correction::Cos { steps, passes, rule } => {
            let passes = if passes == 1 { String::new() } else { format!(" in {passes} passes") };
            let rule = match rule {
                CosRule::KeepSaturated => "",
                CosRule::Published => " (published)",
                CosRule::Exact => " (exact)",
            };
            format!("COS ρ = {steps}{passes}{rule}")
        }
    }
}

fn readout(readout: Readout) -> String {
    match readout {
        Readout::Sum => "read from all steps".into(),
        Readout::Delayed(None) => "read after an estimated delay".into(),
        Readout::Delayed(Some(steps)) => format!("read after {steps} steps"),
        Readout::EarlyExit(confidence) => format!("early exit at {confidence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_lists_what_distinguishes_a_recipe() {
        let srp = Correction::Srp { steps: 4, rule: SrpRule::Code };
        let recipe = Recipe { threshold: ThresholdRule::Learned, correction: srp, steps: 8, ..Recipe::default() };
        assert_eq!(recipe.title(), "learned, SRP τ = 4");
        assert_eq!(Recipe::default().title(), "percentile 99.9");
        assert_eq!(Recipe::default().description(), "θ percentile 99.9, per layer, v(0) 0.5 θ, ties ≥, soft reset");
    }

    #[test]
    fn methods_are_described_by_their_differences_from_the_base() {
        let base = Recipe { steps: 9, ..Recipe::default() };
        let methods = Recipe::published_methods(&base, 4);
        let of = |name: &str| {
            let method = methods.iter().find(|method| method.name == name).unwrap();
            method.recipe.differences_from(&base).join(", ")
        };
        assert_eq!(of("plain"), "");
        assert_eq!(of("balanced"), "θ balanced 64x32, per channel, ties >");
        assert_eq!(of("signed"), "v(0) 0, signed neurons");
        assert_eq!(of("COS x3"), "COS ρ = 4 in 3 passes");
        assert_eq!(of("burst + LIPooling"), "v(0) 0, bursts of 5, LIPooling");
        // The reverse: an option of the base that the method resets is listed as well.
        let other = Recipe::published_methods(&Recipe { v_init: 0.0, reset: Reset::Hard, ..base.clone() }, 4);
        let plain = other.iter().find(|method| method.name == "plain").unwrap();
        let changes = plain.recipe.differences_from(&Recipe { v_init: 0.0, reset: Reset::Hard, ..base });
        assert_eq!(changes, ["v(0) 0.5 θ", "soft reset"]);
    }

    #[test]
    fn every_difference_is_described() {
        let base = Recipe::default();
        for method in Recipe::published_methods(&base, 4) {
            assert_eq!(method.recipe.differences_from(&base).is_empty(), method.recipe == base, "{}", method.name);
        }
        let mut by_hand = base.clone();
        by_hand.manual_thresholds.insert("act1".into(), 1.0);
        for other in [
            by_hand,
            Recipe { readout: Readout::Delayed(None), ..base.clone() },
            Recipe { tie: TieRule::Gt, ..base.clone() },
            Recipe { bias_correction: true, ..base.clone() },
        ] {
            assert_eq!((other.differences_from(&base).len(), base.differences_from(&other).len()), (1, 1));
        }
    }
}
