//! FGSM, R-FGSM and PGD: steps along the gradient, projected to the ball.
//!
//! Rules of torchattacks 3.5.1 (`FGSM`, `RFGSM`, `PGD`, `PGDL2`), with the [direction](Target::direction) of each image alone.

use super::images::Images;
use super::norm::{Norm, clamp_pixels, distance, length, project, sign};
use super::options::{Attack, AttackKind};
use super::target::Target;
use crate::Result;
use crate::progress::JobControl;

/// Moves `a` `[N, F]` from its start to the last iterate. `goal` are labels to move toward instead of away from.
///
/// # Errors
/// Those of the target.
pub fn steps(
    attack: &Attack,
    images: &Images<'_>,
    goal: Option<&[u16]>,
    target: &dyn Target,
    a: &mut [f32],
    control: &JobControl,
) -> Result<()> {
    let (width, limit) = (images.width, images.form.limit());
    let (count, length_of_step) = match attack.kind {
        AttackKind::Fgsm => (1, attack.eps),
        _ => (attack.steps, attack.alpha),
    };
    for _ in 0..count {
        let mut slopes = target.direction(a, goal.unwrap_or(images.labels), control)?;
        if goal.is_some() {
            slopes.gradient.iter_mut().for_each(|g| *g = -*g);
        }
        let rows = a.chunks_exact_mut(width).zip(images.pixels.chunks_exact(width));
        for ((a, x), g) in rows.zip(slopes.gradient.chunks_exact(width)) {
            match (attack.kind, attack.norm) {
                (AttackKind::Fgsm, Norm::Linf) => {
                    a.iter_mut().zip(g).for_each(|(a, g)| *a += attack.eps * sign(*g));
                    project(Norm::Linf, a, x, attack.eps, limit);
                }
                (_, Norm::Linf) => {
                    for ((a, x), g) in a.iter_mut().zip(x).zip(g) {
                        let moved = *a + length_of_step * sign(*g) - x;
                        *a = (x + moved.clamp(-attack.eps, attack.eps)).clamp(0.0, limit);
                    }
                }
                (_, Norm::L2) => {
                    let by = length(g) + 1e-10;
                    a.iter_mut().zip(g).for_each(|(a, g)| *a += length_of_step * (g / by));
                    let shrink = (attack.eps / distance(a, x)).min(1.0);
                    a.iter_mut().zip(x).for_each(|(a, x)| *a = x + (*a - x) * shrink);
                    clamp_pixels(a, limit);
                }
            }
        }
    }
    Ok(())
}
