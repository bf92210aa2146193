//! Feature visualization: whole pictures that excite a neuron or a logit, as waves or by a drawing network.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::drawing::Drawing;
use super::insert::{Insertion, add_total_variation};
use super::mlp::Adam;
use super::subject::{Goal, Subject};
use crate::Result;
use crate::attack::Target;
use crate::data::scenes::objects::sticker::Place;
use crate::progress::JobControl;

/// What is excited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excited {
    /// Neurons of the last hidden layer: picture k shows the one that speaks for the target k-th most.
    Inner,
    /// The logit of the target.
    Target,
}

/// How a picture is written as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A spectrum.
    Fourier,
    /// A drawing network.
    Cppn,
}

/// Steps of the optimization.
const STEPS: usize = 160;
/// Randomly moved copies of a picture in one step.
const COPIES: usize = 4;
/// Weight of the total variation.
const VARIATION: f32 = 1.0;

/// `count` pictures `[count, F]`, moved, turned and scaled a little at every step so that no single pixel matters.
pub(super) fn visualize(
    subject: &Subject,
    of: Excited,
    form: Form,
    goal: Goal,
    count: usize,
    seed: u64,
    control: &JobControl,
) -> Result<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let make = |seed: u64| match form {
        Form::Fourier => Drawing::fourier(subject.shape, seed),
        Form::Cppn => Drawing::cppn(subject.shape, seed),
    };
    let rate = if form == Form::Fourier { 0.05 } else { 0.01 };
    let mut drawings: Vec<Drawing> = (0..count as u64).map(|k| make(seed.wrapping_mul(1000) + k)).collect();
    let mut optimizers: Vec<Adam> = drawings.iter_mut().map(|d| Adam::new(rate, d.params().len())).collect();
    let units = subject.units_for(goal.target);
    let excited = |picture: usize| match of {
        Excited::Inner => units[picture % units.len()],
        Excited::Target => usize::from(goal.target),
    };
    let [height, width] = subject.size();
    let side = height.max(width);
    let len = subject.len();
    for _ in 0..STEPS {
        control.check()?;
        let rendered: Vec<_> = drawings.iter().map(Drawing::render).collect();
        let (mut moved, mut moves) = (Vec::new(), Vec::new());
        for rendered in &rendered {
            let square = to_square(&rendered.picture, subject.shape, side);
            for _ in 0..COPIES {
                let mut place = Place::random(&mut rng, [1.0, 2.0], [height, width]);
                place.radius = 0.5 * side as f32 * rng.random_range(0.9..1.15);
                let shift = |middle: usize, rng: &mut ChaCha8Rng| 0.5 * middle as f32 + rng.random_range(-2.5..2.5);
                place.center = [shift(width, &mut rng), shift(height, &mut rng)];
                let insertion = Insertion::new(side, &place, [height, width], 1.0);
                let mut picture = vec![0.5; len];
                insertion.paste(&square, &mut picture);
                moved.extend(picture);
                moves.push(insertion);
            }
        }
        let slope = |row: usize, outputs: &[f32], out: &mut [f32]| {
            out.fill(0.0);
            out[excited(row / COPIES)] = -1.0 / COPIES as f32;
            // A neuron that is silent has no gradient: all of them are excited a little.
            if of == Excited::Inner && outputs[excited(row / COPIES)] <= 0.0 {
                out.iter_mut().for_each(|slope| *slope -= 0.01);
            }
        };
        let slopes = match of {
            Excited::Inner => subject.hidden().gradient_of(&moved, &slope, control)?,
            Excited::Target => subject.network().gradient_of(&moved, &slope, control)?,
        };
        for (k, (drawing, optimizer)) in drawings.iter_mut().zip(&mut optimizers).enumerate() {
            let mut gradient = vec![0.0; subject.shape[0] * side * side];
            let own = slopes.gradient.chunks_exact(len).zip(&moves).skip(k * COPIES).take(COPIES);
            own.for_each(|(slope, moved)| moved.pull(slope, &mut gradient));
            let mut gradient = from_square(&gradient, subject.shape, side);
            add_total_variation(&rendered[k].picture, [height, width], VARIATION, &mut gradient);
            let own = drawing.pull(&rendered[k], &gradient);
            optimizer.step(drawing.params(), &own);
        }
    }
    Ok(drawings.iter().flat_map(|drawing| drawing.render().picture).collect())
}

/// A picture `[C, H, W]` in the upper left of a square one, its edge repeated.
fn to_square(picture: &[f32], [channels, height, width]: [usize; 3], side: usize) -> Vec<f32> {
    let value = |k: usize| {
        let (channel, at) = (k / (side * side), k % (side * side));
        let (y, x) = ((at / side).min(height - 1), (at % side).min(width - 1));
        picture[(channel * height + y) * width + x]
    };
    (0..channels * side * side).map(value).collect()
}

/// The transpose of [`to_square`].
fn from_square(square: &[f32], [channels, height, width]: [usize; 3], side: usize) -> Vec<f32> {
    let mut picture = vec![0.0; channels * height * width];
    for (k, value) in square.iter().enumerate() {
        let (channel, at) = (k / (side * side), k % (side * side));
        let (y, x) = ((at / side).min(height - 1), (at % side).min(width - 1));
        picture[(channel * height + y) * width + x] += value;
    }
    picture
}
