//! Loops of training over plain slices, compiled for the widest instructions of the machine.
//!
//! Uses no tensors. Sums are taken in a fixed order, the same for every instruction set and any number of threads.

use super::rule::{Activate, Rule, with_rule};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};

/// Values processed side by side.
const LANES: usize = 16;
/// Planes that are summed in `f32`; their sums are added in `f64`.
const PLANES: usize = 8;

/// One channel of a batch: the same plane of every row.
#[derive(Clone, Copy)]
pub(super) struct Channel<'a> {
    /// `[rows, columns]`
    pub values: &'a [f32],
    pub columns: usize,
    /// The first value in a row, and the number of values.
    pub first: usize,
    pub plane: usize,
}

impl<'a> Channel<'a> {
    #[inline(always)]
    fn rows(self) -> impl Iterator<Item = &'a [f32]> {
        self.values.chunks_exact(self.columns).map(move |row| &row[self.first..self.first + self.plane])
    }
}

/// Sums of `N` quantities of pairs of values: sixteen lanes of `f32` for some planes, `f64` beyond.
struct Sums<const N: usize> {
    lanes: [[f32; LANES]; N],
    rest: [f32; N],
    planes: usize,
    total: [f64; N],
}

impl<const N: usize> Sums<N> {
    #[inline(always)]
    fn new() -> Self {
        Self { lanes: [[0.0; LANES]; N], rest: [0.0; N], planes: 0, total: [0.0; N] }
    }

    /// Ends a plane.
    #[inline(always)]
    fn end_plane(&mut self) {
        self.planes += 1;
        if self.planes == PLANES {
            self.collect();
        }
    }

    #[inline(always)]
    fn collect(&mut self) {
        for n in 0..N {
            self.total[n] += f64::from(self.lanes[n].iter().sum::<f32>() + self.rest[n]);
        }
        (self.lanes, self.rest, self.planes) = ([[0.0; LANES]; N], [0.0; N], 0);
    }

    #[inline(always)]
    fn finish(mut self) -> [f64; N] {
        self.collect();
        self.total
    }
}

/// Σ f(x) over a channel.
#[inline(always)]
fn sum_of(x: Channel<'_>, f: impl Fn(f32) -> f32) -> f64 {
    let mut sums = Sums::<1>::new();
    for x in x.rows() {
        let (xs, rest) = x.as_chunks::<LANES>();
        for x in xs {
            for k in 0..LANES {
                sums.lanes[0][k] += f(x[k]);
            }
        }
        for &x in rest {
            sums.rest[0] += f(x);
        }
        sums.end_plane();
    }
    sums.finish()[0]
}

struct Sum<'a>(Channel<'a>);

impl Kernel for Sum<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        sum_of(self.0, |x| x)
    }
}

struct SumOfSquares<'a>(Channel<'a>, f32);

impl Kernel for SumOfSquares<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        sum_of(self.0, |x| (x - self.1) * (x - self.1))
    }
}

/// Mean and biased variance of a channel.
pub(super) fn moments(x: Channel<'_>) -> (f32, f32) {
    let values = (x.values.len() / x.columns * x.plane) as f64;
    let mean = (dispatch(Sum(x)) / values) as f32;
    (mean, (dispatch(SumOfSquares(x, mean)) / values) as f32)
}

/// `z = (x − mean)·scale + offset`, plus the value of another channel, and the activation of z.
#[derive(Clone, Copy)]
pub(super) struct Normalized<'a> {
    pub x: Channel<'a>,
    pub addend: Option<Channel<'a>>,
    pub mean: f32,
    pub scale: f32,
    pub offset: f32,
    pub rule: Rule,
}

impl Normalized<'_> {
    /// The activation, into the planes of `out`.
    pub(super) fn apply(self, out: &mut [&mut [f32]]) {
        dispatch(Apply(self, out));
    }

    /// Replaces the gradient of the activation by that of z, in place; returns Σ g, Σ g·(x − mean) and the gradient of λ.
    pub(super) fn backward(self, gradient: &mut [&mut [f32]]) -> [f64; 3] {
        dispatch(ToNormalized(self, gradient))
    }

    /// z of a value.
    #[inline(always)]
    fn z<const ADD: bool>(self, x: f32, addend: f32) -> f32 {
        let z = (x - self.mean) * self.scale + self.offset;
        if ADD { z + addend } else { z }
    }
}

struct Apply<'a, 'b, 'c>(Normalized<'a>, &'b mut [&'c mut [f32]]);

impl Kernel for Apply<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self(of, out) = self;
        with_rule!(of.rule, rule => match of.addend {
            Some(addend) => apply::<true>(of, addend, out, rule),
            None => apply::<false>(of, of.x, out, rule),
        });
    }
}

#[inline(always)]
fn apply<const ADD: bool>(of: Normalized<'_>, addend: Channel<'_>, out: &mut [&mut [f32]], rule: impl Activate) {
    for ((out, x), y) in out.iter_mut().zip(of.x.rows()).zip(addend.rows()) {
        let (outs, out_rest) = out.as_chunks_mut::<LANES>();
        let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
        for ((out, x), y) in outs.iter_mut().zip(xs).zip(ys) {
            for k in 0..LANES {
                out[k] = rule.value(of.z::<ADD>(x[k], y[k]));
            }
        }
        for ((out, &x), &y) in out_rest.iter_mut().zip(x_rest).zip(y_rest) {
            *out = rule.value(of.z::<ADD>(x, y));
        }
    }
}

struct ToNormalized<'a, 'b, 'c>(Normalized<'a>, &'b mut [&'c mut [f32]]);

impl Kernel for ToNormalized<'_, '_, '_> {
    type Output = [f64; 3];
    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; 3] {
        let Self(of, gradient) = self;
        with_rule!(of.rule, rule => match of.addend {
            Some(addend) => to_normalized::<true>(of, addend, gradient, rule),
            None => to_normalized::<false>(of, of.x, gradient, rule),
        })
    }
}

#[inline(always)]
fn to_normalized<const ADD: bool>(
    of: Normalized<'_>,
    addend: Channel<'_>,
    gradient: &mut [&mut [f32]],
    rule: impl Activate,
) -> [f64; 3] {
    let mut sums = Sums::<3>::new();
    let one = |g: f32, x: f32, y: f32| {
        let (passes, of_lambda) = rule.slopes(of.z::<ADD>(x, y));
        let gradient = if passes { g } else { 0.0 };
        (gradient, [gradient, gradient * (x - of.mean), g * of_lambda])
    };
    for ((g, x), y) in gradient.iter_mut().zip(of.x.rows()).zip(addend.rows()) {
        let (gs, g_rest) = g.as_chunks_mut::<LANES>();
        let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
        for ((g, x), y) in gs.iter_mut().zip(xs).zip(ys) {
            for k in 0..LANES {
                let (gradient, parts) = one(g[k], x[k], y[k]);
                g[k] = gradient;
                for n in 0..3 {
                    sums.lanes[n][k] += parts[n];
                }
            }
        }
        for ((g, &x), &y) in g_rest.iter_mut().zip(x_rest).zip(y_rest) {
            let (gradient, parts) = one(*g, x, y);
            *g = gradient;
            for n in 0..3 {
                sums.rest[n] += parts[n];
            }
        }
        sums.end_plane();
    }
    sums.finish()
}

/// `to = a·to + k·x + b` in the planes of `to`.
pub(super) fn combine(to: &mut [&mut [f32]], x: Channel<'_>, line: [f32; 3]) {
    dispatch(Combine(to, x, line));
}

struct Combine<'a, 'b, 'c>(&'b mut [&'c mut [f32]], Channel<'a>, [f32; 3]);

impl Kernel for Combine<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self(to, x, [a, k, b]) = self;
        for (to, x) in to.iter_mut().zip(x.rows()) {
            to.iter_mut().zip(x).for_each(|(to, &x)| *to = a * *to + k * x + b);
        }
    }
}

/// `to = a·from + k·x + b` in the planes of `to`.
pub(super) fn combine_into(to: &mut [&mut [f32]], from: &[&mut [f32]], x: Channel<'_>, line: [f32; 3]) {
    dispatch(CombineInto(to, from, x, line));
}

struct CombineInto<'a, 'b, 'c, 'd>(&'b mut [&'c mut [f32]], &'b [&'d mut [f32]], Channel<'a>, [f32; 3]);

impl Kernel for CombineInto<'_, '_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self(to, from, x, [a, k, b]) = self;
        for ((to, from), x) in to.iter_mut().zip(from).zip(x.rows()) {
            to.iter_mut().zip(from.iter()).zip(x).for_each(|((to, &from), &x)| *to = a * from + k * x + b);
        }
    }
}

/// The activation of each `z`.
pub(super) fn activate(rule: Rule, out: &mut [f32], z: &[f32]) {
    dispatch(Activation { rule, out, z });
}

struct Activation<'a> {
    rule: Rule,
    out: &'a mut [f32],
    z: &'a [f32],
}

impl Kernel for Activation<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { rule, out, z } = self;
        with_rule!(rule, rule => out.iter_mut().zip(z).for_each(|(out, &z)| *out = rule.value(z)));
    }
}

/// Replaces the gradient of the activation by that of `z`; returns that of λ.
pub(super) fn activation_backward(rule: Rule, gradient: &mut [f32], z: &[f32]) -> f64 {
    let x = Channel { values: z, columns: z.len(), first: 0, plane: z.len() };
    let of = Normalized { x, addend: None, mean: 0.0, scale: 1.0, offset: 0.0, rule };
    of.backward(&mut [gradient])[2]
}

/// One step of Adam over the values of one parameter.
pub(super) struct AdamStep<'a> {
    pub values: &'a mut [f32],
    pub gradient: &'a [f32],
    /// Running means of the gradient and of its square.
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
    /// β₁ and β₂.
    pub betas: [f32; 2],
    pub weight_decay: f32,
    /// The learning rate, √(1−β₂ᵗ)/(1−β₁ᵗ), and ε·√(1−β₂ᵗ).
    pub rate: f32,
    pub correction: f32,
    pub epsilon: f32,
}

impl AdamStep<'_> {
    pub(super) fn run(self) {
        dispatch(self);
    }
}

impl Kernel for AdamStep<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let [b1, b2] = self.betas;
        let (c1, c2) = (1.0 - b1, 1.0 - b2);
        let moments = self.first.iter_mut().zip(self.second);
        for ((value, &gradient), (first, second)) in self.values.iter_mut().zip(self.gradient).zip(moments) {
            let g = gradient + *value * self.weight_decay;
            *first = *first * b1 + g * c1;
            *second = *second * b2 + g * g * c2;
            *value -= *first * self.correction / (second.sqrt() + self.epsilon) * self.rate;
        }
    }
}
