//! Texts of the train pane: what is trained, how, and where the training is.

use crate::lab::training::{AdversarialKind, TrainedKind};
use crate::train::TrainProgress;

pub const TITLE: &str = "Train";
pub const NOTHING: &str = "Nothing is trained yet. Choose data and a network, then start.";

pub const DATA: &str = "data";
pub const DATA_NAME: &str = "training data";
/// Training sets of the program with a label a sample.
pub const BUILTIN: [&str; 3] = ["builtin:digits-train", "builtin:objects-train", "builtin:events-digits-train"];
pub const ARCHITECTURE: &str = "network";
pub const ARCHITECTURES: [(&str, &str); 3] = [
    ("mlp", "Two hidden layers of 128 and 64 neurons"),
    ("cnn", "Two convolutions and a hidden layer"),
    ("resnet", "A small residual network with BatchNorm"),
];
pub const KIND: &str = "kind";
/// The kinds with their hints.
pub const KINDS: [(TrainedKind, &str, &str); 3] = [
    (TrainedKind::Snn, "spiking", "Spiking neurons, by surrogate gradients through time"),
    (TrainedKind::Ann, "ReLU", "An ANN with ReLU, to be converted"),
    (TrainedKind::Qcfs, "QCFS", "An ANN whose activations are those of a converted network, 8 levels"),
];

pub const STEPS: &str = "T";
pub const STEPS_HINT: &str = "Time steps of the spiking network";
pub const DECAY: &str = "decay";
pub const DECAY_HINT: &str = "What a step leaves of the potential: 1 for IF neurons, less for leaky ones";
pub const HARD: &str = "hard reset";
pub const HARD_HINT: &str = "A spike sets the potential to 0";
pub const SOFT: &str = "soft";
pub const SOFT_HINT: &str = "A spike subtracts the threshold";
pub const SURROGATE: &str = "slope";
pub const SURROGATE_HINT: &str = "The slope in place of a spike's, which has none";
pub const TRIANGLE: &str = "triangle";
pub const SIGMOID: &str = "sigmoid";
pub const ARCTAN: &str = "arctan";

pub const SPARSE: &str = "sparse gradient λ";
pub const SPARSE_HINT: &str = "Weight of the sparse-gradient regularizer, 0 for none; 0.002 suits the built-in digits";
pub const L1: &str = "ℓ1";
pub const L1_HINT: &str = "Penalize ‖∇f‖₁ as the paper, instead of its square as the authors' program";
pub const ADVERSARIAL: &str = "adversarial";
/// The kinds of adversarial training with their hints.
pub const ADVERSARIALS: [(AdversarialKind, &str, &str); 3] = [
    (AdversarialKind::None, "none", "Clean images"),
    (AdversarialKind::Fgsm, "FGSM", "Every image is moved one step along the sign of its gradient"),
    (AdversarialKind::Pgd, "PGD", "Every image is moved by projected gradient descent"),
];
pub const EPS: &str = "ε (255ths)";
pub const EPS_HINT: &str = "Largest change of a pixel";
pub const PGD_STEPS: &str = "steps";
pub const PGD_STEPS_HINT: &str = "Steps of PGD for every batch; the training takes about as many times longer";

pub const EPOCHS: &str = "epochs";
pub const EPOCHS_HINT: &str = "Passes over the training samples";
pub const RATE: &str = "rate";
pub const RATE_HINT: &str = "Learning rate of Adam at the start; it falls to 0 along half a cosine";
pub const PATIENCE: &str = "patience";
pub const PATIENCE_HINT: &str = "Ends after so many epochs in a row without a better held-out accuracy; 0 is never";
pub const SEED: &str = "seed";
pub const SEED_HINT: &str = "Decides first weights, held-out samples and order";

pub const START: &str = "Train";
pub const START_HINT: &str = "Train this network into a new file; the window stays usable";
pub const STOP: &str = "Stop training";
pub const STOP_HINT: &str = "Stop after this batch; the best weights so far are written";
pub const RESUME: &str = "Resume";
pub const RESUME_HINT: &str = "Go on after the last complete epoch, with the same result as without the stop";
pub const OPEN: &str = "Open what was trained";
pub const OPEN_HINT: &str = "Open the network with the test samples of its data";

pub const LOSS: &str = "loss";
pub const ACCURACY: &str = "accuracy";
pub const HELD_OUT: &str = "held-out accuracy";
pub const DENSITY: &str = "gradient density";
pub const LOSS_PLOT: &str = "Loss over the epochs";
pub const SHARES_PLOT: &str = "Accuracy and gradient density over the epochs";
pub const EPOCH_AXIS: &str = "epoch";

pub fn of_run(data: &str) -> String {
    format!("data of the run: {data}")
}

pub fn reading(data: &str) -> String {
    format!("Reading {data}.")
}

pub fn running(name: &str, at: &TrainProgress) -> String {
    let accuracy = at.accuracy.map(|accuracy| format!(", accuracy {:.1} %", 100.0 * accuracy)).unwrap_or_default();
    format!(
        "Training {name}: epoch {} of {}, batch {} of {}, loss {:.3}{accuracy}.",
        at.epoch, at.epochs, at.batch, at.batches, at.loss
    )
}

fn best(best: Option<(f32, usize)>) -> String {
    best.map(|(score, epoch)| format!(", best weights of epoch {epoch}: held-out accuracy {:.1} %", 100.0 * score))
        .unwrap_or_default()
}

pub fn finished(name: &str, found: Option<(f32, usize)>, path: &str) -> String {
    format!("Trained {name}{}. Written to {path}.", best(found))
}

pub fn stopped(name: &str, found: Option<(f32, usize)>, resumes: bool) -> String {
    let next = match resumes {
        true => " Resume goes on after the last complete epoch.",
        false => " It cannot be resumed: no epoch is complete.",
    };
    format!("Stopped {name}{}.{next}", best(found))
}

pub fn explanation(status: &str) -> String {
    format!(
        "Trains a small network and writes it to a file. {status} The gradient is that of the label's probability against \
         the runner-up, on 32 held-out samples; its density is the share of equal pixels with the same sum and length."
    )
}

pub fn description(status: &str) -> String {
    format!("Controls and curves of a training: loss, accuracy and gradient density over the epochs. {status}")
}

pub fn at_epoch(epoch: f64, value: f64, share: bool) -> String {
    if share { format!("{:.0} % in epoch {epoch}", value * 100.0) } else { format!("{value:.3} in epoch {epoch}") }
}
