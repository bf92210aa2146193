//! Noise, starts of attacks, and the random perturbation of equal size beside an attack.

use rand::seq::SliceRandom;

use super::draws::{Purpose, normal, random_sign, stream, symmetric};
use super::norm::{Norm, clamp_pixels, length};
use super::options::{Attack, AttackKind};

/// Moves the image `a` of sample `sample`, with values up to `limit`, to where restart `restart` of `attack` starts; noise is
/// nothing but a start.
pub fn start(attack: &Attack, sample: usize, restart: usize, a: &mut [f32], limit: f32) {
    let mut rng = stream(attack.seed, sample, restart, Purpose::Start);
    let eps = attack.eps;
    match (attack.kind, attack.norm) {
        (AttackKind::None | AttackKind::Fgsm | AttackKind::Square, _) => {}
        (AttackKind::Uniform | AttackKind::Pgd, Norm::Linf) => {
            a.iter_mut().for_each(|a| *a += eps * symmetric(&mut rng))
        }
        (AttackKind::Gaussian, Norm::Linf) => a.iter_mut().for_each(|a| *a += eps * normal(&mut rng)),
        (AttackKind::Gaussian, Norm::L2) => {
            let sigma = eps / (a.len().max(1) as f32).sqrt();
            a.iter_mut().for_each(|a| *a += sigma * normal(&mut rng));
        }
        (AttackKind::Rfgsm, _) => a.iter_mut().for_each(|a| *a += attack.alpha * random_sign(&mut rng)),
        (AttackKind::Apgd, Norm::Linf) => {
            let t: Vec<f32> = a.iter().map(|_| symmetric(&mut rng)).collect();
            let largest = t.iter().fold(f32::MIN_POSITIVE, |most, t| most.max(t.abs()));
            a.iter_mut().zip(t).for_each(|(a, t)| *a += eps * t / largest);
        }
        (AttackKind::Uniform | AttackKind::Pgd | AttackKind::Apgd, Norm::L2) => {
            let direction: Vec<f32> = a.iter().map(|_| normal(&mut rng)).collect();
            let share = (symmetric(&mut rng) + 1.0) / 2.0;
            let radius = match attack.kind {
                // Uniform in the volume; PGD's radius is uniform.
                AttackKind::Uniform => eps * share.powf(1.0 / a.len().max(1) as f32),
                AttackKind::Pgd => eps * share,
                _ => eps,
            };
            let by = radius / (length(&direction) + 1e-12);
            a.iter_mut().zip(direction).for_each(|(a, d)| *a += by * d);
        }
    }
    clamp_pixels(a, limit);
}

/// The image `x` of sample `sample` with the changes of `adversarial` at other pixels and of random signs: of equal size
/// in every norm, until pixels leave their range.
pub fn shuffled(seed: u64, sample: usize, x: &[f32], adversarial: &[f32], limit: f32) -> Vec<f32> {
    let mut rng = stream(seed, sample, 0, Purpose::Control);
    let mut changes: Vec<f32> = adversarial.iter().zip(x).map(|(a, x)| a - x).collect();
    changes.shuffle(&mut rng);
    x.iter().zip(changes).map(|(x, d)| (x + d * random_sign(&mut rng)).clamp(0.0, limit)).collect()
}
