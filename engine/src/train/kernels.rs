//! Loops of BatchNorm and Adam over plain slices, in vectors of sixteen values.
//!
//! Uses no tensors. Sums are taken in a fixed order, the same for every instruction set and any number of threads.

use crate::compute::gradient::rule::{Activate, Rule, with_rule};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};

/// Planes that are summed in `f32`; their sums are added in `f64`.
const PLANES: usize = 16;

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
    fn planes(self) -> impl Iterator<Item = &'a [f32]> {
        self.values.chunks_exact(self.columns).map(move |row| &row[self.first..self.first + self.plane])
    }
}

/// Sums of `N` quantities: sixteen lanes of `f32` for some planes, `f64` beyond.
struct Sums<I: Isa, const N: usize> {
    lanes: [I::V; N],
    planes: usize,
    total: [f64; N],
}

impl<I: Isa, const N: usize> Sums<I, N> {
    #[inline(always)]
    fn new() -> Self {
        Self { lanes: [I::splat(0.0); N], planes: 0, total: [0.0; N] }
    }

    #[inline(always)]
    fn end_plane(&mut self) {
        self.planes += 1;
        if self.planes == PLANES {
            self.collect();
        }
    }

    #[inline(always)]
    fn collect(&mut self) {
        for (lanes, total) in self.lanes.iter_mut().zip(&mut self.total) {
            let mut values = Lanes::ZERO;
            I::store(*lanes, &mut values);
            *total += f64::from(values.0.iter().sum::<f32>());
            *lanes = I::splat(0.0);
        }
        self.planes = 0;
    }

    #[inline(always)]
    fn finish(mut self) -> [f64; N] {
        self.collect();
        self.total
    }
}

/// Mean and biased variance of a channel.
pub(super) fn moments(x: Channel<'_>) -> (f32, f32) {
    dispatch(Moments(x))
}

struct Moments<'a>(Channel<'a>);

impl Kernel for Moments<'_> {
    type Output = (f32, f32);
    #[inline(always)]
    fn run<I: Isa>(self) -> (f32, f32) {
        let Self(x) = self;
        let values = (x.values.len() / x.columns * x.plane) as f64;
        let mut sums = Sums::<I, 1>::new();
        for x in x.planes() {
            for x in x.chunks(LANES) {
                sums.lanes[0] = I::add(sums.lanes[0], I::load_part(x));
            }
            sums.end_plane();
        }
        let mean = (sums.finish()[0] / values) as f32;
        let center = I::splat(mean);
        let mut sums = Sums::<I, 1>::new();
        for x in x.planes() {
            for part in x.chunks(LANES) {
                let centered = I::sub(I::load_part(part), center);
                let centered = I::select(mask(part.len()), centered, I::splat(0.0));
                sums.lanes[0] = I::mul_then_add(centered, centered, sums.lanes[0]);
            }
            sums.end_plane();
        }
        (mean, (sums.finish()[0] / values) as f32)
    }
}

/// Bits of the first `count` lanes.
#[inline(always)]
fn mask(count: usize) -> u16 {
    if count >= LANES { u16::MAX } else { (1 << count) - 1 }
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

    /// x − mean and z of some values.
    #[inline(always)]
    fn z<I: Isa, const ADD: bool>(self, x: &[f32], addend: &[f32]) -> (I::V, I::V) {
        let centered = I::sub(I::load_part(x), I::splat(self.mean));
        let z = I::mul_then_add(centered, I::splat(self.scale), I::splat(self.offset));
        (centered, if ADD { I::add(z, I::load_part(addend)) } else { z })
    }
}

struct Apply<'a, 'b, 'c>(Normalized<'a>, &'b mut [&'c mut [f32]]);

impl Kernel for Apply<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self(of, out) = self;
        with_rule!(of.rule, rule => match of.addend {
            Some(addend) => apply::<I, true>(of, addend, out, rule),
            None => apply::<I, false>(of, of.x, out, rule),
        });
    }
}

#[inline(always)]
fn apply<I: Isa, const ADD: bool>(
    of: Normalized<'_>,
    addend: Channel<'_>,
    out: &mut [&mut [f32]],
    rule: impl Activate,
) {
    for ((out, x), addend) in out.iter_mut().zip(of.x.planes()).zip(addend.planes()) {
        for ((out, x), addend) in out.chunks_mut(LANES).zip(x.chunks(LANES)).zip(addend.chunks(LANES)) {
            let (_, z) = of.z::<I, ADD>(x, addend);
            I::store_part(rule.value::<I>(z), out);
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
            Some(addend) => to_normalized::<I, true>(of, addend, gradient, rule),
            None => to_normalized::<I, false>(of, of.x, gradient, rule),
        })
    }
}

#[inline(always)]
fn to_normalized<I: Isa, const ADD: bool>(
    of: Normalized<'_>,
    addend: Channel<'_>,
    gradient: &mut [&mut [f32]],
    rule: impl Activate,
) -> [f64; 3] {
    let mut sums = Sums::<I, 3>::new();
    for ((gradient, x), addend) in gradient.iter_mut().zip(of.x.planes()).zip(addend.planes()) {
        for ((gradient, x), addend) in gradient.chunks_mut(LANES).zip(x.chunks(LANES)).zip(addend.chunks(LANES)) {
            let (centered, z) = of.z::<I, ADD>(x, addend);
            let (passes, of_lambda) = rule.slopes::<I>(z);
            // Beyond the last value the gradient is zero, and so are all products with it.
            let g = I::load_part(gradient);
            let passed = I::select(passes, g, I::splat(0.0));
            sums.lanes[0] = I::add(sums.lanes[0], passed);
            sums.lanes[1] = I::mul_then_add(passed, centered, sums.lanes[1]);
            sums.lanes[2] = I::mul_then_add(g, of_lambda, sums.lanes[2]);
            I::store_part(passed, gradient);
        }
        sums.end_plane();
    }
    sums.finish()
}

/// `to = a·to + k·x + b` in the planes of `to`.
pub(super) fn combine(to: &mut [&mut [f32]], x: Channel<'_>, line: [f32; 3]) {
    dispatch(Combine { to, x, line });
}

struct Combine<'a, 'b, 'c> {
    to: &'b mut [&'c mut [f32]],
    x: Channel<'a>,
    line: [f32; 3],
}

impl Kernel for Combine<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (to, x) in self.to.iter_mut().zip(self.x.planes()) {
            for (to, x) in to.chunks_mut(LANES).zip(x.chunks(LANES)) {
                I::store_part(line::<I>(self.line, to, x), to);
            }
        }
    }
}

/// `to = a·from + k·x + b` in the planes of `to`.
pub(super) fn combine_into(to: &mut [&mut [f32]], from: &[&mut [f32]], x: Channel<'_>, line: [f32; 3]) {
    dispatch(CombineInto { to, from, x, line });
}

struct CombineInto<'a, 'b, 'c, 'd> {
    to: &'b mut [&'c mut [f32]],
    from: &'b [&'d mut [f32]],
    x: Channel<'a>,
    line: [f32; 3],
}

impl Kernel for CombineInto<'_, '_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for ((to, from), x) in self.to.iter_mut().zip(self.from).zip(self.x.planes()) {
            for ((to, from), x) in to.chunks_mut(LANES).zip(from.chunks(LANES)).zip(x.chunks(LANES)) {
                I::store_part(line::<I>(self.line, from, x), to);
            }
        }
    }
}

/// `a·g + k·x + b`
#[inline(always)]
fn line<I: Isa>([a, k, b]: [f32; 3], g: &[f32], x: &[f32]) -> I::V {
    let slope = I::mul_then_add(I::load_part(x), I::splat(k), I::splat(b));
    I::mul_then_add(I::load_part(g), I::splat(a), slope)
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
