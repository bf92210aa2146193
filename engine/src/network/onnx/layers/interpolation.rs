//! Interpolation matrices of a resize along one dimension, in the 32-bit arithmetic that ONNX means.

use crate::network::Weights;

/// Maximum number of weights from the values of a dimension to those of its resize.
const MAX_MATRIX: usize = 1 << 24;
/// Coefficient a of cubic convolution, the default of ONNX.
pub const DEFAULT_CUBIC_A: f32 = -0.75;
/// A position this near to halfway counts as halfway, as in onnxruntime: positions are rounded themselves.
const HALFWAY: f32 = 1e-6;

/// Interpolation method of a resize.
pub struct Interpolation {
    pub mode: String,
    pub coordinates: String,
    pub nearest: String,
    pub cubic: f32,
    /// Whether taps of a cubic outside the image are left out and the others scaled up.
    pub exclude_outside: bool,
    pub antialias: bool,
}

impl Interpolation {
    /// Interpolation matrix along one side, `[out, from]`: the weight of every old value in every new one.
    ///
    /// # Errors
    /// The reason why there is none: an unknown method, or sizes beyond the limits.
    pub fn matrix(&self, from: usize, out: usize, scale: f32) -> Result<Weights, String> {
        if out == 0 || from == 0 || out.checked_mul(from).is_none_or(|size| size > MAX_MATRIX) {
            return Err(format!("resizes from {from} to {out} values"));
        }
        if self.antialias && scale < 1.0 && self.mode != "nearest" {
            return Err("its attribute antialias = 1 is not supported when it makes images smaller".into());
        }
        if self.exclude_outside && self.mode != "cubic" {
            return Err("its attribute exclude_outside = 1 is supported for cubic interpolation only".into());
        }
        let mut data = vec![0.0f32; from * out];
        for (i, row) in data.chunks_mut(from).enumerate() {
            let x = self.source_position(i as f32, from as f32, out as f32, scale)?;
            let clamped = |k: f32| (k.max(0.0) as usize).min(from - 1);
            let low = x.floor();
            let part = x - low;
            match self.mode.as_str() {
                "" | "nearest" => row[clamped(self.round(x, scale)?)] = 1.0,
                "linear" | "bilinear" => {
                    row[clamped(low)] += 1.0 - part;
                    row[clamped(low + 1.0)] += part;
                }
                "cubic" => {
                    let a = self.cubic;
                    let near = |t: f32| ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
                    let far = |t: f32| ((a * t - 5.0 * a) * t + 8.0 * a) * t - 4.0 * a;
                    let mut taps = [far(part + 1.0), near(part), near(1.0 - part), far(2.0 - part)];
                    if self.exclude_outside {
                        let is_inside = |k: usize| (0.0..from as f32).contains(&(low - 1.0 + k as f32));
                        (0..4).filter(|&k| !is_inside(k)).for_each(|k| taps[k] = 0.0);
                        let sum: f32 = taps.iter().sum();
                        taps.iter_mut().for_each(|tap| *tap /= sum);
                    }
                    taps.iter().enumerate().for_each(|(k, tap)| row[clamped(low - 1.0 + k as f32)] += tap);
                }
                other => return Err(format!("interpolation '{other}' is not supported")),
            }
        }
        Ok(Weights::new(vec![out, from], data))
    }

    /// Position of new value `i` in coordinates of the old values.
    fn source_position(&self, i: f32, from: f32, out: f32, scale: f32) -> Result<f32, String> {
        Ok(match self.coordinates.as_str() {
            "half_pixel" => (i + 0.5) / scale - 0.5,
            "half_pixel_symmetric" => {
                // The sizes are whole, the scale is not: the center stays where it is.
                let adjustment = out / (scale * from);
                let offset = from / 2.0 * (1.0 - adjustment);
                offset + (i + 0.5) / scale - 0.5
            }
            "pytorch_half_pixel" => {
                if out > 1.0 {
                    (i + 0.5) / scale - 0.5
                } else {
                    0.0
                }
            }
            "align_corners" => {
                if out > 1.0 {
                    i * (from - 1.0) / (out - 1.0)
                } else {
                    0.0
                }
            }
            "asymmetric" => i / scale,
            "tf_half_pixel_for_nn" => (i + 0.5) / scale,
            other => return Err(format!("coordinate mode '{other}' is not supported")),
        })
    }

    fn round(&self, x: f32, scale: f32) -> Result<f32, String> {
        Ok(match self.nearest.as_str() {
            "round_prefer_floor" => (x - 0.5 - HALFWAY).ceil(),
            "round_prefer_ceil" => (x + 0.5 + HALFWAY).floor(),
            "floor" => x.floor(),
            "ceil" => x.ceil(),
            // Operator sets before 11 did not say; onnxruntime takes the lower value, and the upper one of smaller images.
            "simple" => {
                if scale < 1.0 {
                    x.ceil()
                } else {
                    x.floor()
                }
            }
            other => return Err(format!("nearest mode '{other}' is not supported")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(mode: &str, coordinates: &str, nearest: &str) -> Interpolation {
        Interpolation {
            mode: mode.into(),
            coordinates: coordinates.into(),
            nearest: nearest.into(),
            cubic: DEFAULT_CUBIC_A,
            exclude_outside: false,
            antialias: false,
        }
    }

    #[test]
    fn interpolation_weights_sum_to_one() {
        let twice = method("nearest", "asymmetric", "round_prefer_floor").matrix(2, 4, 2.0).unwrap();
        assert_eq!(*twice.data, [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
        let linear = method("linear", "half_pixel", "").matrix(2, 4, 2.0).unwrap();
        assert_eq!(*linear.data, [1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0]);
        let corners = method("linear", "align_corners", "").matrix(2, 3, 1.5).unwrap();
        assert_eq!(*corners.data, [1.0, 0.0, 0.5, 0.5, 0.0, 1.0]);
        for coordinates in ["half_pixel", "half_pixel_symmetric", "align_corners", "pytorch_half_pixel"] {
            for exclude_outside in [false, true] {
                let cubic = Interpolation { exclude_outside, ..method("cubic", coordinates, "") };
                let cubic = cubic.matrix(5, 13, 2.6).unwrap();
                cubic.data.chunks(5).for_each(|row| assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
            }
        }
        let nearest = |coordinates: &str| method("nearest", coordinates, "floor");
        assert!(nearest("tf_crop_and_resize").matrix(2, 4, 2.0).is_err());
        assert!(nearest("asymmetric").matrix(2, 1 << 24, 2.0).is_err());
        assert!(Interpolation { exclude_outside: true, ..nearest("asymmetric") }.matrix(2, 4, 2.0).is_err());
    }

    #[test]
    fn positions_are_those_of_32_bit_arithmetic() {
        // 6 / 1.2 is 5 in 32 bits, and just below 5 in 64 bits of the stored scale.
        let up = method("nearest", "asymmetric", "floor").matrix(10, 12, 1.2).unwrap();
        assert_eq!(up.data.chunks(10).nth(6).unwrap().iter().position(|&v| v == 1.0), Some(5));
    }
}
