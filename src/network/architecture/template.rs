//! An architecture file to begin with, for weights that belong to no family: every layer that has weights, in the order of
//! the file, with its shape beside it. What weights do not say (activations, pools, padding) is put where it fits the shapes,
//! and marked as a guess.

use std::fmt::Write;

use super::family::usual_image;
use crate::error::format_shape;
use crate::network::Weights;
use crate::network::state_dict::StateDict;

/// A layer that has weights.
enum Known {
    /// Outputs, kernel `[h, w]`.
    Conv(usize, [usize; 2]),
    /// Outputs and inputs.
    Linear(usize, usize),
    Norm(usize),
}

/// Padding and pools that lead from the image to what the first fully connected layer reads.
#[derive(Clone, Copy, PartialEq)]
struct Guess {
    same: bool,
    pools: bool,
}

/// The text of an architecture file for `state`.
pub(super) fn architecture_template(state: &StateDict) -> String {
    let layers = layers(state);
    let first_conv = state.iter().map(|(_, weights)| weights).find(|weights| weights.shape.len() == 4);
    let classes = state.iter().filter(|(_, weights)| weights.shape.len() == 2).last().map_or(0, |(_, w)| w.shape[0]);
    let first = layers.iter().find_map(|(_, known)| match known {
        Known::Linear(_, inputs) => Some(*inputs),
        _ => None,
    });
    let image = match (first_conv, first) {
        (None, Some(inputs)) => vec![inputs],
        (conv, _) => usual_image(conv, classes),
    };
    let guess = first.filter(|_| first_conv.is_some()).and_then(|inputs| {
        let all = [(false, false), (true, true), (false, true), (true, false)];
        let guesses = all.map(|(same, pools)| Guess { same, pools });
        guesses.into_iter().find(|guess| guess.features(&layers, &image) == Some(inputs))
    });
    let mut out = String::from(
        "# A template: the layers that have weights, in the order of the file. Weights do not define activations, \
         pools, padding\n# and input: take them from the training program, and complete what is marked with (?).\n",
    );
    // Writing to a string cannot fail.
    let _ = writeln!(out, "input = {image:?}          # (?) channels, height, width");
    out.push_str("# scaling = \"mean=0.1307;std=0.3081\"   # input scaling of images, if not 0..1\n\nlayers = [\n");
    let last = layers.iter().rposition(|(_, known)| !matches!(known, Known::Norm(_)));
    let (mut flat, mut waiting) = (first_conv.is_none(), false);
    for (index, (key, known)) in layers.iter().enumerate() {
        let end = last.is_some_and(|last| index >= last);
        // A norm stands between a layer and its activation, as most networks have it.
        if waiting && !matches!(known, Known::Norm(_)) {
            activation(&mut out, !flat && guess.is_some_and(|guess| guess.pools));
            waiting = false;
        }
        match known {
            Known::Conv(_, kernel) => {
                let padding = guess.filter(|guess| guess.same).map_or(String::new(), |_| match kernel {
                    [h, w] if h == w => format!(", padding = {}", h / 2),
                    [h, w] => format!(", padding = [{}, {}]", h / 2, w / 2),
                });
                entry(&mut out, state, &format!("{{ op = \"conv\", key = {key:?}{padding} }},"), key);
                waiting = !end;
            }
            Known::Linear(_, inputs) => {
                if !std::mem::replace(&mut flat, true) {
                    let _ = match guess {
                        Some(_) => writeln!(out, "  \"flatten\","),
                        None => writeln!(
                            out,
                            "  # (?) {inputs} values are read next: strides, padding and pools above must give this \
                             number\n  \"flatten\","
                        ),
                    };
                }
                entry(&mut out, state, &format!("{{ op = \"linear\", key = {key:?} }},"), key);
                waiting = !end;
            }
            Known::Norm(_) => {
                entry(&mut out, state, &format!("{{ op = \"norm\", key = {key:?} }},"), key);
            }
        }
    }
    out.push_str("]\n");
    let placed = |key: &str| {
        layers.iter().any(|(layer, _)| key.strip_prefix(layer.as_str()).is_some_and(|k| k.starts_with('.')))
    };
    let rest: Vec<String> = state
        .iter()
        .filter(|(key, _)| !placed(key))
        .map(|(key, w)| format!("{key} {}", format_shape(&w.shape)))
        .collect();
    if !rest.is_empty() {
        let _ = writeln!(out, "# (?) Not used yet: {}", rest.join(", "));
    }
    out
}

/// A layer with the shape of its weights beside it.
fn entry(out: &mut String, state: &StateDict, text: &str, key: &str) {
    let shape = state.get(&format!("{key}.weight")).map_or(String::new(), |weights| format_shape(&weights.shape));
    let _ = writeln!(out, "  {text:<56}# {shape}");
}

fn activation(out: &mut String, pool: bool) {
    out.push_str("  \"relu\",                                                  # (?)\n");
    if pool {
        out.push_str("  { op = \"max-pool\", kernel = 2 },                          # (?) or avg-pool\n");
    }
}

/// The layers with weights, in the order of the file, but each norm behind the last layer before it that has as many outputs,
/// or else the first one that does: programs often define them elsewhere.
fn layers(state: &StateDict) -> Vec<(String, Known)> {
    let name = |key: &str| key.strip_suffix(".weight").map(str::to_owned);
    let read = |(key, weights): (&str, &Weights)| {
        let key = name(key)?;
        Some(match weights.shape[..] {
            [out, _, h, w] => (key, Known::Conv(out, [h, w])),
            [out, inputs] => (key, Known::Linear(out, inputs)),
            [channels] if state.has(&format!("{key}.running_mean")) => (key, Known::Norm(channels)),
            _ => return None,
        })
    };
    let mut placed: Vec<(String, Known)> = Vec::new();
    let mut early = Vec::new();
    for (key, known) in state.iter().filter_map(read) {
        let Known::Norm(channels) = known else {
            placed.push((key, known));
            continue;
        };
        match behind(&placed, channels) {
            Some(at) => placed.insert(at, (key, known)),
            None => early.push((key, channels)),
        }
    }
    for (key, channels) in early {
        let at = behind(&placed, channels).unwrap_or(placed.len());
        placed.insert(at, (key, Known::Norm(channels)));
    }
    placed
}

/// Where a norm of `channels` goes: behind the last layer with so many outputs that has none yet.
fn behind(placed: &[(String, Known)], channels: usize) -> Option<usize> {
    let fits = |(at, (_, known)): (usize, &(String, Known))| {
        let free = !matches!(placed.get(at + 1), Some((_, Known::Norm(_))));
        let out = match known {
            Known::Conv(out, _) | Known::Linear(out, _) => *out,
            Known::Norm(_) => return None,
        };
        (free && out == channels).then_some(at + 1)
    };
    placed.iter().enumerate().rev().find_map(fits)
}

impl Guess {
    /// How many values the convolutions leave of `image`; `None` where they do not fit into it.
    fn features(self, layers: &[(String, Known)], image: &[usize]) -> Option<usize> {
        let &[channels, height, width] = image else { return None };
        let (mut out, mut sides) = (channels, [height, width]);
        for (_, known) in layers {
            let Known::Conv(channels, kernel) = known else { continue };
            out = *channels;
            for axis in [0, 1] {
                let padding = if self.same { kernel[axis] / 2 * 2 } else { 0 };
                sides[axis] = (sides[axis] + padding + 1).checked_sub(kernel[axis])?;
                if self.pools {
                    sides[axis] /= 2;
                }
            }
        }
        Some(out * sides[0] * sides[1]).filter(|&features| features > 0)
    }
}
