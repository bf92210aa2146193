//! The words of the field, each in a sentence.

use std::ops::Range;

/// Words and what they mean. Where several fit, the longest is meant.
pub const GLOSSARY: [(&str, &str); 36] = [
    ("spike", "A pulse of one step: the only thing that a spiking neuron sends. It is worth the neuron's threshold θ."),
    (
        "threshold",
        "θ: the potential at which a neuron fires. A spike is worth θ, so θ is also the largest mean answer.",
    ),
    ("membrane potential", "v: what a neuron has summed up of its input and not yet sent."),
    ("potential", "v: what a neuron has summed up of its input and not yet sent."),
    (
        "initial potential",
        "v(0): the potential before the first step. θ/2 rounds to the nearest count instead of down.",
    ),
    ("residual potential", "What is left in the membrane at the end; below zero the neuron has fired too often."),
    ("rate coding", "A value is told by how often a neuron fires: θ times the spikes, divided by the steps."),
    ("firing rate", "Spikes divided by time-steps."),
    ("time-steps", "T: how long the SNN computes. More steps make finer answers and cost time and energy."),
    ("steps", "T: how long the SNN computes. More steps make finer answers and cost time and energy."),
    ("readout", "The output layer does not fire; it sums its input over the steps, and the largest sum is the answer."),
    ("activation", "What an ANN neuron answers: its pre-activation after ReLU, clip or QCFS."),
    ("pre-activation", "z: the weighted input of an ANN neuron with its bias, before the activation function."),
    ("ReLU", "The activation function max(0, z)."),
    (
        "QCFS",
        "Quantization, clip, floor and shift: an activation function with L levels up to a learned λ. It answers what an evenly fed spiking neuron answers.",
    ),
    ("clipping", "The error of inputs beyond what a neuron can send: at most one spike a step."),
    ("quantization", "The error of whole counts: answers move in steps of θ/T."),
    ("unevenness", "The error of order: the same total input, come unevenly, gives another count than come evenly."),
    ("carried in", "The error that the layers before have already made, as it arrives here."),
    (
        "error ledger",
        "The split of a neuron's error into what was carried in, clipping, quantization and unevenness; they add up exactly.",
    ),
    (
        "offset spikes",
        "ψ: spikes that the ANN asks for minus spikes that came. Above zero the neuron fires too rarely.",
    ),
    ("mismatch", "The mean distance between ANN activations and SNN answers, divided by the mean activation."),
    ("calibration", "Samples on which activations are looked at to set thresholds; best not those that are measured."),
    (
        "percentile",
        "The value that so many per cent of the activations stay below; a threshold that outliers do not move.",
    ),
    ("SRP", "After τ pre-steps, neurons whose residual potential is negative are silenced (Hao et al., AAAI 2023)."),
    (
        "COS",
        "Each neuron's v(0) is shifted by what removes or adds a spike of the first ρ steps (Hao et al., ICLR 2023).",
    ),
    ("OPI", "v(0) = θ/2: the initial potential with the least expected squared error (Bu et al., AAAI 2022)."),
    (
        "LIPooling",
        "Max pooling for spikes: hands on by how much the largest accumulated output has grown (Li & Zeng, IJCAI 2022).",
    ),
    ("soft reset", "A spike takes θ away from the potential; the rest stays."),
    ("hard reset", "A spike sets the potential to zero; the rest is lost."),
    ("latency", "The steps until the answer: those of a correction and then T."),
    ("SynOps", "Synaptic operations: additions of a weight because a spike came. A silent neuron costs none."),
    ("MACs", "Multiply-accumulates: what an ANN computes, once for every weight that is used."),
    ("fan-out", "How many neurons of the next layer a spike reaches."),
    ("agreement", "The share of samples on which SNN and ANN give the same answer, right or wrong."),
    ("burst", "Several spikes of one neuron in one step."),
];

/// What `word` means, if it is one of the field's.
pub fn definition(word: &str) -> Option<&'static str> {
    GLOSSARY.iter().find(|(known, _)| known.eq_ignore_ascii_case(word.trim())).map(|(_, meaning)| *meaning)
}

/// `text` in pieces; those that are words of the field with their meaning, each word once.
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
    fn words_are_found_whole_and_once_and_the_longest_wins() {
        let text = "The threshold θ and the residual potential: a threshold again, thresholds not.";
        let known: Vec<_> = split(text).into_iter().filter(|(_, m)| m.is_some()).map(|(r, _)| &text[r]).collect();
        assert_eq!(known, ["threshold", "residual potential"]);
        let all: String = split(text).into_iter().map(|(r, _)| &text[r]).collect();
        assert_eq!(all, text);
        assert!(split("").is_empty());
        assert!(definition("Clipping").is_some() && definition("clip").is_none());
    }
}
