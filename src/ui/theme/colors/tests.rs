//! Tests of the theme: contrast and color distance for every kind of color vision.

use egui::{CentralPanel, RawInput};

use super::*;

/// Linear RGB transforms for color vision deficiencies (Machado, Oliveira and Fernandes, IEEE Trans. Vis. Comput.
/// Graph. 2009, severity 1), and the identity for normal vision.
const COLOR_VISIONS: [(&str, [[f64; 3]; 3]); 4] = [
    ("all cones", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    ("protanopia", [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    (
        "deuteranopia",
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ),
    ("tritanopia", [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
];
/// sRGB to XYZ over the white of D65.
const XYZ: [[f64; 3]; 3] = [
    [0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505],
    [0.2126, 0.7152, 0.0722],
    [0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089],
];
/// Minimum color difference. A difference of 2 is just visible side by side (CIE 1976 L*a*b*); small patches and thin
/// lines need far more.
const MIN_DIFFERENCE: f64 = 15.0;

fn times(matrix: [[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum::<f64>())
}

fn lab(color: Color32, eye: [[f64; 3]; 3]) -> [f64; 3] {
    let linear = [color.r(), color.g(), color.b()].map(|byte| {
        let c = f64::from(byte) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    let perceived = times(eye, linear).map(|c| c.clamp(0.0, 1.0));
    let [x, y, z] = times(XYZ, perceived).map(|t| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[test]
fn adjacent_colors_are_distinguishable_with_every_color_vision() {
    for dark in [true, false] {
        let ctx = Context::default();
        let mut found = None;
        let _ = ctx.run_ui(RawInput::default(), |ui| {
            apply_theme(ui.ctx(), dark);
            CentralPanel::default().show(ui, |ui| found = Some(ui_colors(ui)));
        });
        let UiColors { ann, snn, parts, .. } = found.unwrap();
        let mut pairs = vec![("ANN and SNN".to_owned(), ann, snn)];
        for a in 0..4 {
            pairs.extend((a + 1..4).map(|b| (format!("parts {a} and {b}"), parts[a], parts[b])));
        }
        for (eye, matrix) in COLOR_VISIONS {
            for (pair, a, b) in &pairs {
                let (a, b) = (lab(*a, matrix), lab(*b, matrix));
                let difference = a.iter().zip(b).map(|(p, q)| (p - q).powi(2)).sum::<f64>().sqrt();
                assert!(difference >= MIN_DIFFERENCE, "{pair} with {eye}, dark {dark}: {difference:.1}");
            }
        }
    }
}
