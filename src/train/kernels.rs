//! Loops of training over plain slices, each in its own function so that it vectorizes.
//!
//! Uses no tensors.

/// Values processed side by side.
const LANES: usize = 16;

/// Sum of `f` over all pairs of values, accumulated in lanes.
#[inline(always)]
fn sum_of(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) -> f64 {
    let mut lanes = [0.0f32; LANES];
    let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in xs.iter().zip(ys) {
        for k in 0..LANES {
            lanes[k] += f(x[k], y[k]);
        }
    }
    let rest: f32 = x_rest.iter().zip(y_rest).map(|(&x, &y)| f(x, y)).sum();
    f64::from(lanes.iter().sum::<f32>() + rest)
}

/// `to = f(to, from)`, element by element.
#[inline(always)]
fn update_each(to: &mut [f32], from: &[f32], f: impl Fn(f32, f32) -> f32) {
    let ((tos, to_rest), (froms, from_rest)) = (to.as_chunks_mut::<LANES>(), from.as_chunks::<LANES>());
    for (to, from) in tos.iter_mut().zip(froms) {
        // By value, so that the compiler need not check for aliasing.
        let (old, new) = (*to, *from);
        *to = std::array::from_fn(|k| f(old[k], new[k]));
    }
    to_rest.iter_mut().zip(from_rest).for_each(|(to, &from)| *to = f(*to, from));
}

/// The staircase or ramp of one threshold, `λ·clip(q(z/λ), 0, 1)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub lambda: f32,
    /// L and shift of QCFS; `None` for the plain clip.
    pub quantized: Option<(f32, f32)>,
}

impl Steps {
    /// The step of `z` on the staircase, 0 to L, and whether the gradient passes: [`super::activation`] has the table.
    #[inline(always)]
    fn level(z: f32, per_level: f32, shift: f32, levels: f32) -> (f32, bool) {
        let x = z * per_level + shift;
        // For positive values the integer part is the floor; NaN stays NaN.
        let floor = x.max(0.0).min(levels) as i32 as f32;
        (if x.is_nan() { x } else { floor }, x >= 0.0 && x < levels + 1.0)
    }

    /// The activation of each `z`.
    #[inline(never)]
    pub fn apply(self, out: &mut [f32], z: &[f32]) {
        let lambda = self.lambda;
        match self.quantized {
            None => update_each(out, z, |_, z| z.clamp(0.0, lambda)),
            Some((levels, shift)) => {
                let (per_level, height) = (levels / lambda, lambda / levels);
                update_each(out, z, |_, z| Self::level(z, per_level, shift, levels).0 * height);
            }
        }
    }

    /// Replaces the gradient of the activation by that of `z`; returns that of λ.
    #[inline(never)]
    pub fn backward(self, gradient: &mut [f32], z: &[f32]) -> f64 {
        let (lambda, unit) = (self.lambda, 1.0 / self.lambda);
        match self.quantized {
            None => {
                let above = sum_of(gradient, z, |g, z| if z > lambda { g } else { 0.0 });
                update_each(gradient, z, |g, z| if (0.0..=lambda).contains(&z) { g } else { 0.0 });
                above
            }
            Some((levels, shift)) => {
                let (per_level, share) = (levels / lambda, 1.0 / levels);
                let of_lambda = sum_of(gradient, z, |g, z| {
                    let (level, passes) = Self::level(z, per_level, shift, levels);
                    g * (level * share - if passes { z * unit } else { 0.0 })
                });
                update_each(gradient, z, |g, z| if Self::level(z, per_level, shift, levels).1 { g } else { 0.0 });
                of_lambda
            }
        }
    }
}

/// `to = a·to + k·from + b`.
#[inline(never)]
pub(super) fn combine(to: &mut [f32], from: &[f32], [a, k, b]: [f32; 3]) {
    update_each(to, from, |to, from| a * to + k * from + b);
}

/// `to = (from − mean)·scale + offset`.
#[inline(never)]
pub(super) fn center_and_scale(to: &mut [f32], from: &[f32], [mean, scale, offset]: [f32; 3]) {
    update_each(to, from, |_, from| (from - mean) * scale + offset);
}

/// Σ x
#[inline(never)]
pub(super) fn sum(x: &[f32]) -> f64 {
    sum_of(x, x, |x, _| x)
}

/// Σ (x − center)²
#[inline(never)]
pub(super) fn sum_of_squares(x: &[f32], center: f32) -> f64 {
    sum_of(x, x, |x, _| (x - center) * (x - center))
}

/// Σ g·(x − center)
#[inline(never)]
pub(super) fn sum_of_products(g: &[f32], x: &[f32], center: f32) -> f64 {
    sum_of(g, x, |g, x| g * (x - center))
}
