//! Color maps: sequential for amounts, diverging for signed differences, for any color vision.
//!
//! Both interpolate linearly between a few anchors with monotonic lightness. No value has the background color.

use egui::{Color32, Ui};

/// From zero (near black) over blue and green to one (light yellow).
const SEQUENTIAL: [[f32; 3]; 6] = [
    [16.0, 16.0, 28.0],
    [44.0, 52.0, 110.0],
    [36.0, 104.0, 142.0],
    [40.0, 150.0, 130.0],
    [130.0, 200.0, 90.0],
    [250.0, 232.0, 110.0],
];

/// The same for the light theme: from zero (near white) over green and blue to one (dark blue).
const SEQUENTIAL_LIGHT: [[f32; 3]; 6] = [
    [250.0, 250.0, 246.0],
    [206.0, 230.0, 170.0],
    [110.0, 192.0, 160.0],
    [40.0, 142.0, 168.0],
    [34.0, 90.0, 150.0],
    [20.0, 36.0, 92.0],
];

/// From too little (blue, the color of the ANN) over gray to too much (orange, the color of the SNN).
const DIVERGING: [[f32; 3]; 5] =
    [[60.0, 150.0, 245.0], [44.0, 84.0, 130.0], [38.0, 38.0, 42.0], [140.0, 82.0, 30.0], [250.0, 155.0, 60.0]];

/// The same for the light theme, over white.
const DIVERGING_LIGHT: [[f32; 3]; 5] =
    [[16.0, 84.0, 180.0], [130.0, 174.0, 226.0], [248.0, 248.0, 248.0], [240.0, 180.0, 120.0], [190.0, 88.0, 0.0]];

fn between(anchors: &[[f32; 3]], t: f32) -> Color32 {
    let last = anchors.len() - 1;
    let at = if t.is_finite() { t.clamp(0.0, 1.0) } else { 0.0 } * last as f32;
    let low = (at as usize).min(last.saturating_sub(1));
    let part = at - low as f32;
    let [r, g, b] = std::array::from_fn(|k| anchors[low][k] + (anchors[low + 1][k] - anchors[low][k]) * part);
    Color32::from_rgb(r as u8, g as u8, b as u8)
}

/// The color maps of the current theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colormap {
    dark: bool,
}

impl Colormap {
    /// The color maps for the background of `ui`.
    pub fn new(ui: &Ui) -> Self {
        Self { dark: ui.visuals().dark_mode }
    }

    /// The color of an amount `t` from 0 to 1.
    pub fn sequential(self, t: f32) -> Color32 {
        between(if self.dark { &SEQUENTIAL } else { &SEQUENTIAL_LIGHT }, t)
    }

    /// The color of a signed amount `t` from −1 to 1.
    pub fn diverging(self, t: f32) -> Color32 {
        between(if self.dark { &DIVERGING } else { &DIVERGING_LIGHT }, (t + 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lightness_moves_monotonically_away_from_the_background() {
        let light = |c: Color32| 0.3 * f32::from(c.r()) + 0.6 * f32::from(c.g()) + 0.1 * f32::from(c.b());
        for dark in [true, false] {
            let colors = Colormap { dark };
            let steps: Vec<f32> = (0..=20).map(|k| light(colors.sequential(k as f32 / 20.0))).collect();
            assert!(steps.windows(2).all(|pair| (pair[1] > pair[0]) == dark), "{steps:?}");
            assert_eq!(colors.sequential(f32::NAN), colors.sequential(0.0));
            let [little, nothing, much] = [-1.0, 0.0, 1.0].map(|t| colors.diverging(t));
            assert!(little.b() > little.r() + 100 && much.r() > much.b() + 100);
            assert_eq!(light(nothing) > light(little).max(light(much)), !dark);
        }
    }
}
