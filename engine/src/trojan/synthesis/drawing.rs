//! Ways to write a picture as free numbers: a spectrum (Fourier) and a drawing network (CPPN).

use super::mlp::Mlp;

/// Numbers that draw a picture `[C, H, W]` of values 0 to 1.
pub(super) enum Drawing {
    Fourier(Fourier),
    Cppn(Cppn),
}

/// Coefficients of real waves, smaller frequencies stronger (Olah et al. 2017), through a sigmoid.
pub(super) struct Fourier {
    shape: [usize; 3],
    rows: Vec<f32>,
    columns: Vec<f32>,
    /// Strength of every coefficient, `[H, W]`.
    scale: Vec<f32>,
    params: Vec<f32>,
}

/// A small network from place to color (Stanley 2007), through a sigmoid.
pub(super) struct Cppn {
    shape: [usize; 3],
    places: Vec<f32>,
    mlp: Mlp,
}

/// What [`Drawing::render`] keeps for [`Drawing::pull`].
pub(super) struct Rendered {
    pub picture: Vec<f32>,
    layers: Vec<Vec<f32>>,
}

impl Drawing {
    /// Random waves.
    pub(super) fn fourier(shape: [usize; 3], seed: u64) -> Self {
        let [channels, height, width] = shape;
        let (rows, columns) = (waves(height), waves(width));
        let frequency = |k: usize| k.div_ceil(2) as f32;
        let scale = (0..height * width).map(|at| {
            let (fy, fx) = (frequency(at / width) / height as f32, frequency(at % width) / width as f32);
            1.0 / (fy * fy + fx * fx).sqrt().max(1.0 / height.max(width) as f32)
        });
        let scale: Vec<f32> = scale.collect();
        let draw = Mlp::new(&[1, channels * height * width], 0.01, seed).params;
        let params = draw[..channels * height * width].to_vec();
        Self::Fourier(Fourier { shape, rows, columns, scale, params })
    }

    /// A random drawing network.
    pub(super) fn cppn(shape: [usize; 3], seed: u64) -> Self {
        let [channels, height, width] = shape;
        let at = |k: usize, side: usize| ((2 * k + 1) as f32 / side as f32 - 1.0) * 1.7;
        let place = |k: usize| {
            let (v, u) = (at(k / width, height), at(k % width, width));
            [u, v, (u * u + v * v).sqrt() - 1.2]
        };
        let places = (0..height * width).flat_map(place).collect();
        Self::Cppn(Cppn { shape, places, mlp: Mlp::new(&[3, 20, 20, 20, channels], 1.7, seed) })
    }

    pub(super) fn params(&mut self) -> &mut Vec<f32> {
        match self {
            Self::Fourier(fourier) => &mut fourier.params,
            Self::Cppn(cppn) => &mut cppn.mlp.params,
        }
    }

    pub(super) fn render(&self) -> Rendered {
        match self {
            Self::Fourier(fourier) => {
                let [_, height, width] = fourier.shape;
                let planes = fourier.params.chunks_exact(height * width).flat_map(|plane| {
                    let scaled: Vec<f32> = plane.iter().zip(&fourier.scale).map(|(z, s)| z * s).collect();
                    transform(&scaled, &fourier.rows, &fourier.columns, [height, width], false)
                });
                Rendered { picture: planes.map(sigmoid).collect(), layers: Vec::new() }
            }
            Self::Cppn(cppn) => {
                let layers = cppn.mlp.forward(&cppn.places);
                let [channels, height, width] = cppn.shape;
                let output = layers.last().map_or(&[][..], Vec::as_slice);
                let plane = height * width;
                let value = |k: usize| sigmoid(output[(k % plane) * channels + k / plane]);
                Rendered { picture: (0..channels * plane).map(value).collect(), layers }
            }
        }
    }

    /// The gradient of the numbers for `slope`, that of the rendered picture.
    pub(super) fn pull(&self, rendered: &Rendered, slope: &[f32]) -> Vec<f32> {
        let slope: Vec<f32> = slope.iter().zip(&rendered.picture).map(|(g, y)| g * y * (1.0 - y)).collect();
        match self {
            Self::Fourier(fourier) => {
                let [_, height, width] = fourier.shape;
                let plane = |plane: &[f32]| {
                    let back = transform(plane, &fourier.rows, &fourier.columns, [height, width], true);
                    back.into_iter().zip(&fourier.scale).map(|(g, s)| g * s).collect::<Vec<f32>>()
                };
                slope.chunks_exact(height * width).flat_map(plane).collect()
            }
            Self::Cppn(cppn) => {
                let [channels, height, width] = cppn.shape;
                let plane = height * width;
                let turned: Vec<f32> =
                    (0..channels * plane).map(|k| slope[(k % channels) * plane + k / channels]).collect();
                cppn.mlp.backward(&rendered.layers, &turned)
            }
        }
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// An orthonormal basis of waves, `[n, n]`: a constant, then cosine and sine of every frequency.
fn waves(n: usize) -> Vec<f32> {
    let mut basis = vec![0.0; n * n];
    for (k, row) in basis.chunks_exact_mut(n).enumerate() {
        let frequency = k.div_ceil(2) as f64;
        let whole = k == 0 || 2 * k.div_ceil(2) == n;
        let norm = (if whole { 1.0 } else { 2.0 } / n as f64).sqrt();
        for (x, value) in row.iter_mut().enumerate() {
            let angle = std::f64::consts::TAU * frequency * x as f64 / n as f64;
            *value = (norm * if k % 2 == 1 || k == 0 { angle.cos() } else { angle.sin() }) as f32;
        }
    }
    basis
}

/// `rowsᵀ · plane · columns`, or `rows · plane · columnsᵀ` if `back`.
fn transform(plane: &[f32], rows: &[f32], columns: &[f32], [h, w]: [usize; 2], back: bool) -> Vec<f32> {
    let weight = |basis: &[f32], n: usize, to: usize, from: usize| match back {
        true => basis[to * n + from],
        false => basis[from * n + to],
    };
    let mut half = vec![0.0; h * w];
    for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
        half[y * w + x] = (0..w).map(|k| plane[y * w + k] * weight(columns, w, x, k)).sum();
    }
    let mut out = vec![0.0; h * w];
    for (y, from) in (0..h).flat_map(|y| (0..h).map(move |from| (y, from))) {
        let share = weight(rows, h, y, from);
        let (out, half) = (&mut out[y * w..(y + 1) * w], &half[from * w..(from + 1) * w]);
        out.iter_mut().zip(half).for_each(|(out, half)| *out += share * half);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_of_drawings_are_those_of_differences() {
        for mut drawing in [Drawing::fourier([3, 8, 6], 4), Drawing::cppn([3, 6, 8], 4)] {
            let weights: Vec<f32> = (0..144).map(|k| (k * 29 % 17) as f32 / 8.0 - 1.0).collect();
            let value = |drawing: &Drawing| {
                drawing.render().picture.iter().zip(&weights).map(|(a, b)| f64::from(a * b)).sum::<f64>()
            };
            let exact = drawing.pull(&drawing.render(), &weights);
            for k in (0..exact.len()).step_by(7) {
                let before = drawing.params()[k];
                drawing.params()[k] = before + 1e-2;
                let up = value(&drawing);
                drawing.params()[k] = before - 1e-2;
                let down = value(&drawing);
                drawing.params()[k] = before;
                let measured = ((up - down) / 2e-2) as f32;
                assert!((measured - exact[k]).abs() < 0.03 * exact[k].abs().max(0.3), "{measured} {}", exact[k]);
            }
        }
    }

    #[test]
    fn waves_are_orthonormal() {
        for n in [6, 7, 32] {
            let basis = waves(n);
            for (a, b) in (0..n).flat_map(|a| (0..n).map(move |b| (a, b))) {
                let dot: f32 = (0..n).map(|x| basis[a * n + x] * basis[b * n + x]).sum();
                assert!((dot - f32::from(u8::from(a == b))).abs() < 1e-4, "{n} {a} {b} {dot}");
            }
        }
    }
}
