//! Drawings as text, their preparation as MNIST images, and their fit to a network's input.

use super::*;
use crate::data::DataSpec;

fn stroke(points: &[[f32; 2]]) -> Drawing {
    let mut drawing = Drawing::default();
    drawing.begin_stroke(points[0]);
    points[1..].iter().for_each(|point| _ = drawing.line_to(*point));
    drawing
}

#[test]
fn text_form_round_trips_and_invalid_text_is_refused() {
    let mut drawing = stroke(&[[3.0, 4.0], [10.5, 20.1], [28.0, 0.0]]);
    drawing.begin_stroke([1.0, 1.0]);
    drawing.under = Some((0..784).map(|i| i as u8).collect());
    let text = drawing.to_string();
    assert!(Drawing::is_drawing_spec(&text));
    assert_eq!(Drawing::parse(text.strip_prefix("drawn:").unwrap()).unwrap(), drawing);
    assert_eq!(DataSpec::parse(&text).unwrap().to_string(), text);
    assert_eq!(DataSpec::parse(&Drawing::default().to_string()).unwrap().load().unwrap().len(), 1);
    for bad in ["", "1.3", "1.3|", "9|  |", "x||1,1", "1.3||1", "1.3||1,999", "1.3|00|1,1", "1.3||-1,2"] {
        assert!(Drawing::parse(bad).is_err(), "{bad}");
    }
}

/// The bounding box of bright pixels, `[left, right, top, bottom]`, and their center of mass.
fn measure(image: &[f32]) -> ([usize; 4], [f32; 2]) {
    let bright: Vec<usize> = (0..SIDE * SIDE).filter(|i| image[*i] > 64.0).collect();
    let ends = |at: fn(usize) -> usize| {
        (bright.iter().map(|i| at(*i)).min().unwrap(), bright.iter().map(|i| at(*i)).max().unwrap())
    };
    let ((left, right), (top, bottom)) = (ends(|i| i % SIDE), ends(|i| i / SIDE));
    ([left, right, top, bottom], center_of_mass(image, SIDE).map(Option::unwrap))
}

#[test]
fn small_drawing_in_a_corner_is_centered_and_scaled_to_20_pixels() {
    let seven = stroke(&[[1.0, 1.0], [8.0, 1.0], [5.0, 11.0]]);
    let ([left, right, top, bottom], mass) = measure(&seven.rasterize());
    assert!((19..=21).contains(&(bottom - top + 1)), "{top} to {bottom}");
    assert!(right - left < 20);
    assert!(mass.iter().all(|at| (at - 14.0).abs() < 0.6), "{mass:?}");
    // Position and size of the drawing make no difference.
    let elsewhere = stroke(&[[10.0, 12.0], [17.0, 12.0], [14.0, 22.0]]);
    let differ = seven.rasterize().iter().zip(elsewhere.rasterize()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(differ <= 2.0, "{differ}");
}

#[test]
fn dark_strokes_on_bright_background_are_inverted_cropped_and_centered() {
    let paper =
        GrayImage::from_fn(90, 60, |x, y| Luma([if (10..20).contains(&x) && (5..45).contains(&y) { 30 } else { 220 }]));
    let drawing = Drawing::from_picture(&paper).unwrap();
    let ([left, right, top, bottom], mass) = measure(&drawing.rasterize());
    assert_eq!((right - left + 1, bottom - top + 1), (5, 20));
    assert!(mass.iter().all(|at| (at - 14.0).abs() <= 0.5), "{mass:?}");
    assert!(Drawing::from_picture(&GrayImage::from_pixel(30, 30, Luma([200]))).is_err());
}

#[test]
fn drawing_is_resized_to_the_networks_input() {
    let drawing = stroke(&[[5.0, 5.0], [20.0, 20.0]]);
    assert_eq!(drawing.samples(Some(&[1, 28, 28])).shape, [1, 28, 28]);
    assert_eq!(drawing.samples(Some(&[784])).values.len(), 784);
    let color = drawing.samples(Some(&[3, 32, 32]));
    assert_eq!((color.len(), color.values[..1024].to_vec()), (1, color.values[2048..].to_vec()));
    assert!(color.values.iter().any(|v| *v > 200.0));
    assert_eq!(drawing.samples(Some(&[10])).shape, [1, 28, 28], "what does not fit is refused by whoever opens it");
}
