//! Help of every pane: formulas, symbols and sources.

use crate::ui::types::pane::Pane;

/// The part of a pane's help that does not depend on the run.
pub struct About {
    /// In the syntax of `ui/widgets/formula.rs`.
    pub formulas: &'static [&'static str],
    /// Meanings of the symbols.
    pub letters: &'static str,
    pub source: &'static str,
}

/// The formulas of `pane` and their source.
pub fn about(pane: Pane) -> About {
    let (formulas, letters, source): (&[&str], &str, &str) = match pane {
        Pane::TCurve => (
            &["accuracy(t) = frac{1}{N} sum{n=1}{N} [arg max_{k} sum{s≤t}{} o_{n,k}(s) = y_{n}]"],
            "N samples, o the readout of class k at step s, y the label; [ ] is 1 where it is true",
            "Rueckauer et al., Front. Neurosci. 2017; the band is Wilson's 95 % interval (1927)",
        ),
        Pane::Ledger => (
            &[
                "φ − A(z) = propagated + pooling + clipping + quantization + unevenness",
                "propagated = A(z_{pool}) − A(z)",
                "pooling = A(z_{in}) − A(z_{pool})",
                "clipping = clip(z_{in}, 0, θ) − clip(z_{in}, 0, λ)",
                "quantization = frac{θ}{T} q(z_{in}) − A(z_{in}) − clipping",
                "unevenness = φ − frac{θ}{T} q(z_{in})",
            ],
            "z the ANN's pre-activation, z(in) the SNN's mean input, z(pool) the same if a max pool before the neuron read \
             the means of its currents and not each step (without such a pool z(in)), A the reference activation with its upper end λ, \
             φ the SNN's output, q the expected spike count",
            "after Bu et al., ICLR 2022, section 3",
        ),
        Pane::Findings => (
            &[],
            "error: the network cannot be converted so; warning: the results are likely to mislead; note: something that was \
             done or assumed, and its consequence",
            "the command spikescope check prints those that need no run",
        ),
        Pane::Mismatch => (
            &["φ = frac{θ}{T} n", "mismatch = frac{sum{i}{} |φ_{i} − a_{i}|}{sum{i}{} |a_{i}|}"],
            "n the spike count in T steps, θ the threshold, a the ANN's activation",
            "Rueckauer et al., Front. Neurosci. 2017",
        ),
        Pane::OffsetSpikes => (
            &["ψ = q(z) − n", "q(z) = clip(floor(frac{T z + v(0)}{θ}), 0, T)"],
            "n the emitted spikes, q the spike count expected from the ANN's pre-activation z",
            "Hao et al., ICLR 2023 (COS)",
        ),
        Pane::Unevenness => (
            &["n − q(z_{in}),   z_{in} = frac{1}{T} sum{t=1}{T} I(t)"],
            "n the emitted spikes, q the spike count for the same mean input arriving evenly",
            "after Hao et al., AAAI 2023 (SRP)",
        ),
        Pane::Membrane => (
            &["m(t) = v(t−1) + I(t)", "s(t) = [m(t) ≥ θ]", "v(t) = m(t) − θ s(t)"],
            "I the input current with the bias, m the potential before and v after the reset, s the spike",
            "integrate-and-fire with reset by subtraction: Rueckauer et al. 2017; Han et al., CVPR 2020",
        ),
        Pane::Raster => (
            &["rate = frac{1}{T} sum{t=1}{T} s(t)"],
            "s(t) is 1 where the neuron fires at step t",
            "rate coding: Diehl et al., IJCNN 2015",
        ),
        Pane::Threshold => (
            &["E(θ) = frac{1}{N} sum{a>θ}{} (a − θ)^{2} + frac{1}{N} sum{a≤θ}{} (frac{θ}{T} q(a) − a)^{2}"],
            "a the N activations of the calibration samples, q(a) the spike count of a constant input a in T steps",
            "percentiles: Rueckauer et al. 2017; the least squared error: Li et al., ICML 2021",
        ),
        Pane::Transfer => (
            &["φ(x) = frac{θ}{T} clip(floor(frac{T x + v(0)}{θ}), 0, T)"],
            "x a constant input",
            "Bu et al., ICLR 2022 (QCFS); v(0) = θ/2: Bu et al., AAAI 2022 (OPI)",
        ),
        Pane::Race => (
            &["mismatch = frac{sum{i}{} |φ_{i} − a_{i}|}{sum{i}{} |a_{i}|}", "latency = ρ + T"],
            "ρ the pre-steps of a correction, before the first step that counts",
            "the methods' papers are listed in the README under Methods",
        ),
        Pane::Bench => (
            &["m(t) = v(t−1) + w I(t)", "s(t) = [m(t) ≥ θ]", "v(t) = m(t) − θ s(t)"],
            "w the weight, I the input (arrows); the sum of the arrows gives the expected spike count, their order the \
             emitted count",
            "Hao et al., AAAI 2023 (SRP)",
        ),
        Pane::Energy => (
            &["E_{ANN} = MACs · e_{MAC}", "E_{SNN} = sum{l}{} sum{i}{} n_{l,i} f_{l,i} · e_{SOP}"],
            "n the spikes of neuron i in layer l, f its fan-out, e the energy of one operation; a synaptic operation (SOP) is one addition of a weight",
            "Qiao et al., Front. Neurosci. 2015; Horowitz, ISSCC 2014",
        ),
        Pane::ReadoutWindow => (
            &["prediction = arg max_{k} frac{1}{t_{1} − t_{0}} sum{s=t_{0}+1}{t_{1}} o_{k}(s)"],
            "o the readout of class k, averaged over the steps after the start t(0) up to the end t(1)",
            "delayed evaluation: Bu et al., CVPR 2025",
        ),
        Pane::Runs => (
            &["mismatch = frac{sum{i}{} |φ_{i} − a_{i}|}{sum{i}{} |a_{i}|}"],
            "φ the SNN's output, a the ANN's activation; the table shows the mean over the layers, the plot each layer",
            "Rueckauer et al., Front. Neurosci. 2017",
        ),
        Pane::InitialPotential => (
            &["E[(φ − z)^{2}] = frac{θ^{2}}{T^{2}} ((p − frac{1}{2})^{2} + frac{1}{12}),   p = frac{v(0)}{θ}"],
            "for pre-activations z spread evenly over (0, θ); least at p = ½",
            "OPI: Bu et al., AAAI 2022",
        ),
        Pane::Boxes => (
            &["x = x_{p} + 0.1 w_{p} o_{1}", "w = w_{p} exp(0.2 o_{3})", "overlap = frac{area shared}{area of both}"],
            "p the prior box, o the offsets from the network; non-maximum suppression above an overlap (IoU) of 0.3",
            "single-shot detection: Liu et al., ECCV 2016",
        ),
        Pane::Scenes => (
            &[
                "IoU_{c} = frac{TP_{c}}{TP_{c} + FP_{c} + FN_{c}},   mIoU = frac{1}{C} sum{c}{} IoU_{c}",
                "o(t) = frac{1}{t − t_{0}} sum{s=t_{0}+1}{t} o_{s}",
            ],
            "pixels of class c that are found (TP), false (FP) and missed (FN), over all pictures; mAP is COCO's average \
             precision; o the readout, t(0) its delay",
            "PASCAL VOC: Everingham et al., IJCV 2010; COCO: Lin et al., ECCV 2014; delay: Bu et al., CVPR 2025",
        ),
        Pane::Recording => (
            &["x_{k}(t) = sum{i}{} [t_{i} in frame t] [pixel_{i} = k]"],
            "x the input of pixel and polarity k at step t, t(i) the time of event i; after the last frame the first follows",
            "N-MNIST: Orchard et al., Front. Neurosci. 2015",
        ),
        Pane::Robustness => (
            &[
                "x_{adv} = x + ε sign(g)",
                "3 ≤ frac{max (f(x + δ) − f(x))^{2}}{E (f(x + δ) − f(x))^{2}} ≤ 3 n,   n = sum{g_{i} ≠ 0}{} 1",
            ],
            "x the pixels from 0 to 1, ε the radius of the ball, f the probability of the label against the runner-up, g the \
             gradient, δ the perturbation",
            "FGSM: Goodfellow et al., ICLR 2015; the bounds follow from the inequality of Cauchy and Schwarz",
        ),
        Pane::Attribution => (
            &[
                "x_{i} g_{i},   γ: R_{i} = sum{j}{} frac{x_{i} (w_{ij} + γ u_{ij})}{sum{k}{} x_{k} (w_{kj} + γ u_{kj})} R_{j}",
                "deletion = frac{1}{n} sum{k=0}{n} p(x without the first k)",
            ],
            "x the input, g the gradient of the target's logit, R the relevance of layer-wise propagation, u the positive weights, γ = 0.25; p the \
             probability of the target, n parts of the pixels in the order of the map",
            "Simonyan et al. 2014; Bach et al. 2015; Montavon et al. 2019; deletion: Petsiuk et al., BMVC 2018; the benchmark: \
             Casper et al., SaTML 2024",
        ),
        Pane::Trojans => (
            &["success(t) = frac{1}{N} sum{n=1}{N} [arg max_{k} sum{s≤t}{} o_{n,k}(s) = target]"],
            "N test pictures of other classes with the trigger, o the readout of class k at step s; [ ] is 1 where it is true",
            "trojans and quiz: Casper et al., SaTML 2024; intervals: Wilson 1927",
        ),
        Pane::Sweep => (
            &["s = sqrt{frac{1}{n − 1} sum{i}{} (x_{i} − m)^{2}}"],
            "x the figure of the n rows of a group, which differ in one axis alone, m its mean, s the standard deviation of the spread. \
             A row is on the Pareto front if none has a better figure at the same or a lower cost; energy with 77 fJ a SynOp and \
             12.5 pJ a MAC",
            "energy: Qiao et al., Frontiers in Neuroscience 2015",
        ),
        Pane::Train => (
            &[
                "L = CE(z, y) + λ mean{} (frac{f(x + h d) − f(x)}{h})^{2}",
                "f = σ(z_{y} − z_{r}),   density = frac{(sum{i}{} |g_{i}|)^{2}}{F sum{i}{} g_{i}^{2}}",
            ],
            "z the logits, y the label, r the runner-up, d the signs of the gradient g of f, h = 0.01, F the number of pixels",
            "sparse gradients: Liu et al., ICML 2024; surrogate gradients: Neftci et al., IEEE Signal Process. Mag. 2019",
        ),
        Pane::Draw => (
            &["p_{k} = frac{exp(o_{k} / T)}{sum{j}{} exp(o_{j} / T)}"],
            "o the readout of class k, summed over T steps; of the ANN the logit, with T = 1",
            "prepared as MNIST: LeCun et al., Proc. IEEE 1998",
        ),
    };
    About { formulas, letters, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widgets::formula::formula_to_speech;

    /// A placeholder box for a missing glyph would be worse than no formula.
    #[test]
    fn every_character_of_every_text_has_a_glyph() {
        let ctx = egui::Context::default();
        let _ = ctx.run_ui(egui::RawInput::default(), |_| {});
        let has = |text: &str| {
            let missing: Vec<char> = ctx.fonts_mut(|fonts| {
                let font = egui::FontId::proportional(14.0);
                text.chars().filter(|&c| !fonts.has_glyph(&font, c)).collect()
            });
            assert!(missing.is_empty(), "{missing:?} of {text}");
        };
        for pane in Pane::ALL {
            let about = about(pane);
            about.formulas.iter().for_each(|formula| has(&formula_to_speech(formula)));
            [about.letters, about.source].into_iter().for_each(has);
        }
        has("∑");
        for (words, meaning) in crate::ui::texts::popups::glossary::GLOSSARY {
            has(words);
            has(meaning);
        }
    }
}
