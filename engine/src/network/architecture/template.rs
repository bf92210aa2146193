//! Template of an architecture file for weights of an unknown architecture.
//!
//! It lists every layer with weights, in file order, with its shape as a comment. Activations, pools and padding, which
//! weights do not contain, are guessed to fit the shapes and marked as guesses.

use std::fmt::Write;

use super::family::usual_image;
use crate::error::format_shape;
use crate::network::Weights;
use crate::network::state_dict::StateDict;

/// A layer with weights.
enum WeightLayer {
    /// Number of outputs, and kernel `[h, w]`.
    Conv(usize, [usize; 2]),
    /// Numbers of outputs and inputs.
    Linear(usize, usize),
    Norm(usize),
}

/// Padding and pools with which the image becomes the input of the first fully connected layer.
#[derive(Clone, Copy, PartialEq)]
struct Guess {
    same: bool,
    pools: bool,
}

/// The text of an architecture file for `state`.
pub fn architecture_template(state: &StateDict) -> String {
    let layers = layers(state);
    let first_conv = state.iter().map(|(_, weights)| weights).find(|weights| weights.shape.len() == 4);
    let classes = state.iter().filter(|(_, weights)| weights.shape.len() == 2).last().map_or(0, |(_, w)| w.shape[0]);
    let first = layers.iter().find_map(|(_, layer)| match layer {
        WeightLayer::Linear(_, inputs) => Some(*inputs),
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
    let last = layers.iter().rposition(|(_, layer)| !matches!(layer, WeightLayer::Norm(_)));
    let (mut flat, mut needs_activation) = (first_conv.is_none(), false);
    for (index, (key, layer)) in layers.iter().enumerate() {
        let end = last.is_some_and(|last| index >= last);
        // A norm is between a layer and its activation, as in most networks.
        if needs_activation && !matches!(layer, WeightLayer::Norm(_)) {
            activation(&mut out, !flat && guess.is_some_and(|guess| guess.pools));
            needs_activation = false;
        }
        match layer {
            WeightLayer::Conv(_, kernel) => {
                let padding = guess.filter(|guess| guess.same).map_or(String::new(), |_| match kernel {
                    [h, w] if h == w => format!(", padding = {}", h / 2),
                    [h, w] => format!(", padding = [{}, {}]", h / 2, w / 2),
                });
                entry(&mut out, state, &format!("{{ op = \"conv\", key = {key:?}{padding} }},"), key);
                needs_activation = !end;
            }
            WeightLayer::Linear(_, inputs) => {
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
                needs_activation = !end;
            }
            WeightLayer::Norm(_) => {
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

/// Writes a layer with the shape of its weights as a comment.
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

/// The layers with weights, in file order, but each norm after the last earlier layer with as many outputs. Without one it
/// follows the last such layer of the file: programs often define norms separately.
fn layers(state: &StateDict) -> Vec<(String, WeightLayer)> {
    let name = |key: &str| key.strip_suffix(".weight").map(str::to_owned);
    let read = |(key, weights): (&str, &Weights)| {
        let key = name(key)?;
        Some(match weights.shape[..] {
            [out, _, h, w] => (key, WeightLayer::Conv(out, [h, w])),
            [out, inputs] => (key, WeightLayer::Linear(out, inputs)),
            [channels] if state.has(&format!("{key}.running_mean")) => (key, WeightLayer::Norm(channels)),
            _ => return None,
        })
    };
    let mut placed: Vec<(String, WeightLayer)> = Vec::new();
    let mut pending_norms = Vec::new();
    for (key, layer) in state.iter().filter_map(read) {
        let WeightLayer::Norm(channels) = layer else {
            placed.push((key, layer));
            continue;
        };
        match position_after(&placed, channels) {
            Some(at) => placed.insert(at, (key, layer)),
            None => pending_norms.push((key, channels)),
        }
    }
    for (key, channels) in pending_norms {
        let at = position_after(&placed, channels).unwrap_or(placed.len());
        placed.insert(at, (key, WeightLayer::Norm(channels)));
    }
    placed
}

/// Position of a norm of `channels`: after the last layer with as many outputs that has no norm yet.
fn position_after(placed: &[(String, WeightLayer)], channels: usize) -> Option<usize> {
    let fits = |(at, (_, layer)): (usize, &(String, WeightLayer))| {
        let has_no_norm = !matches!(placed.get(at + 1), Some((_, WeightLayer::Norm(_))));
        let out = match layer {
            WeightLayer::Conv(out, _) | WeightLayer::Linear(out, _) => *out,
            WeightLayer::Norm(_) => return None,
        };
        (has_no_norm && out == channels).then_some(at + 1)
    };
    placed.iter().enumerate().rev().find_map(fits)
}

impl Guess {
    /// Number of values that the convolutions make of `image`; `None` if they do not fit into it.
    fn features(self, layers: &[(String, WeightLayer)], image: &[usize]) -> Option<usize> {
        let &[channels, height, width] = image else { return None };
        let (mut out, mut sides) = (channels, [height, width]);
        for (_, layer) in layers {
            let WeightLayer::Conv(channels, kernel) = layer else { continue };
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
