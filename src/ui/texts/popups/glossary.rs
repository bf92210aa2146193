//! Glossary: terms of the field, each defined in one sentence.

use std::ops::Range;

/// Terms and definitions. Where several terms match a text, the longest applies.
pub const GLOSSARY: [(&str, &str); 37] = [
    ("spike", "A pulse of one time-step, the only output of a spiking neuron. Its amplitude is the threshold θ."),
    (
        "threshold",
        "θ: the potential at which a neuron fires, and the amplitude of a spike. θ is therefore also the largest mean \
         output.",
    ),
    ("membrane potential", "v: the accumulated input of a neuron, minus what its spikes removed."),
    ("potential", "v: the accumulated input of a neuron, minus what its spikes removed."),
    (
        "initial potential",
        "v(0): the potential before the first step. With θ/2, spike counts round to nearest instead of down.",
    ),
    ("residual potential", "The potential after the last step; below zero the neuron has fired too often."),
    ("rate coding", "A value is represented by a firing rate: θ times the spikes, divided by the steps."),
    ("firing rate", "Spikes per time-step."),
    ("time-steps", "T: the number of simulation steps. More steps give finer outputs and cost time and energy."),
    ("steps", "T: the number of simulation steps. More steps give finer outputs and cost time and energy."),
    (
        "readout",
        "The output layer does not fire; it sums its input over the steps, and the largest sum is the predicted class.",
    ),
    ("activation", "The output of an ANN neuron: its pre-activation after ReLU, clip or QCFS."),
    ("pre-activation", "z: the weighted input of an ANN neuron with its bias, before the activation function."),
    ("ReLU", "The activation function max(0, z)."),
    (
        "QCFS",
        "Quantization, clip, floor and shift: an activation function with L levels up to a learned λ. It equals the \
         output of a spiking neuron with constant input.",
    ),
    ("clipping", "The error of activations above θ, the largest output of a neuron (one spike per step)."),
    ("quantization", "The error of integer spike counts: outputs are multiples of θ/T."),
    (
        "unevenness",
        "The error of spike timing: the same total input gives another spike count when it arrives unevenly.",
    ),
    ("propagated", "The error of earlier layers that reaches this layer through its input."),
    (
        "error ledger",
        "The split of the error into propagated, clipping, quantization, unevenness and pooling error; the five add up exactly.",
    ),
    ("expected spikes", "q: the spike count that a mean input gives when it arrives evenly over the steps."),
    ("offset spikes", "ψ: expected spikes (ANN) minus emitted spikes. Above zero the neuron fires too rarely."),
    ("mismatch", "The mean difference between SNN and ANN activations, divided by the mean ANN activation."),
    ("calibration", "Samples whose activations set the thresholds; preferably not the samples that are measured."),
    ("percentile", "The value that p % of the activations stay below; robust against outliers."),
    ("SRP", "After τ pre-steps, neurons whose residual potential is negative are silenced (Hao et al., AAAI 2023)."),
    ("COS", "Each neuron's v(0) is shifted to remove or add one spike in the first ρ steps (Hao et al., ICLR 2023)."),
    ("OPI", "v(0) = θ/2: the initial potential with the least expected squared error (Bu et al., AAAI 2022)."),
    (
        "LIPooling",
        "Max pooling for spikes: passes on the increase of the largest accumulated output (Li & Zeng, IJCAI 2022).",
    ),
    ("soft reset", "Reset by subtraction: a spike subtracts θ from the potential; the remainder stays."),
    ("hard reset", "Reset to zero: a spike sets the potential to zero; the remainder is lost."),
    ("latency", "Steps until the prediction: the pre-steps of a correction plus T."),
    ("SynOps", "Synaptic operations: additions of a weight caused by a spike. A silent neuron causes none."),
    ("MACs", "Multiply-accumulate operations of an ANN, one for every use of a weight."),
    ("fan-out", "Number of neurons that one spike reaches."),
    ("agreement", "Share of samples on which SNN and ANN give the same prediction, correct or not."),
    ("burst", "Several spikes of one neuron in one step."),
];

/// The definition of `word`, if it is a glossary term.
pub fn definition(word: &str) -> Option<&'static str> {
    GLOSSARY.iter().find(|(known, _)| known.eq_ignore_ascii_case(word.trim())).map(|(_, meaning)| *meaning)
}

/// Splits `text` into pieces. Glossary terms carry their definition, each term once.
pub fn split(text: &str) -> Vec<(Range<usize>, Option<&'static str>)> {
    let lower = text.to_ascii_lowercase();
    let whole = |range: &Range<usize>| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !letter(text[..range.start].chars().next_back()) && !letter(text[range.end..].chars().next())
    };
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    let mut words: Vec<_> = GLOSSARY.iter().collect();
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    for (word, meaning) in words {
        let word = word.to_ascii_lowercase();
        let places = lower.match_indices(&word).map(|(at, same)| at..at + same.len());
        let free =
            |range: &Range<usize>| found.iter().all(|(other, _)| range.end <= other.start || other.end <= range.start);
        if let Some(range) = places.filter(whole).find(free)
            && found.iter().all(|(_, known)| known != meaning)
        {
            found.push((range, meaning));
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    let mut pieces = Vec::new();
    let mut at = 0;
    for (range, meaning) in found {
        pieces.push((at..range.start, None));
        at = range.end;
        pieces.push((range, Some(meaning)));
    }
    pieces.push((at..text.len(), None));
    pieces.retain(|(range, _)| !range.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glossary_matches_whole_words_once_and_prefers_the_longest() {
        let text = "The threshold θ and the residual potential: a threshold again, thresholds not.";
        let known: Vec<_> = split(text).into_iter().filter(|(_, m)| m.is_some()).map(|(r, _)| &text[r]).collect();
        assert_eq!(known, ["threshold", "residual potential"]);
        let all: String = split(text).into_iter().map(|(r, _)| &text[r]).collect();
        assert_eq!(all, text);
        assert!(split("").is_empty());
        assert!(definition("Clipping").is_some() && definition("clip").is_none());
    }
}
