//! Sizes that a network's file leaves open: stated by the user, or those of the data.

use super::cache::Cache;
use super::settings::Settings;
use crate::data::DataSpec;
use crate::data::spec::Source;
use crate::error::format_shape;
use crate::network::left_open::InputSizes;
use crate::network::onnx;
use crate::network::open::{channels_of_any_size, split_source};
use crate::progress::JobControl;
use crate::{Error, Result};

/// The shapes to open the network of `settings` with.
///
/// # Errors
/// Those of reading the data, [`Error::File`] for data that do not fit, and [`Error::Cancelled`].
pub(super) fn input_sizes(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<InputSizes> {
    if let Some(stated) = &settings.input {
        return Ok(InputSizes { shapes: vec![stated.clone()], assumed: None });
    }
    let data = sizing_data(settings);
    let key = (settings.model.clone(), data.to_owned());
    if let Some(known) = cache.sizes.get(&key) {
        return Ok(known);
    }
    let (model, spec) = key.clone();
    let sizes = cache.sizing.get_or_start(&key, control, move || sizes_of_data(&model, &spec))?;
    cache.sizes.insert(key, sizes.clone());
    Ok(sizes)
}

/// The shapes to open the network `model` with, whose file states the sizes `open`, for samples of `shape`.
///
/// # Errors
/// [`Error::File`] for a shape that does not fit.
fn sizes_for(model: &str, open: &[Option<usize>], shape: &[usize], data: &str, is_image: bool) -> Result<InputSizes> {
    let path = split_source(model).0;
    let shapes = fitting(open, shape, is_image);
    let sides: Vec<String> = open.iter().map(|d| d.map_or_else(|| "?".into(), |d| d.to_string())).collect();
    let sides = sides.join("x");
    if shapes.is_empty() && !is_onnx(model) {
        // The usual size of the family.
        return Ok(InputSizes::default());
    }
    if shapes.is_empty() {
        let reason = format!(
            "its shape is {sides} with open sizes, which samples of {} ({data}) do not fit. State the sizes with \
             --input, as in --input {}, or open other data",
            format_shape(shape),
            format_shape(&open.iter().map(|d| d.unwrap_or(224)).collect::<Vec<_>>())
        );
        return Err(Error::file(path, "the input", reason));
    }
    Ok(InputSizes { shapes, assumed: Some((sides, format!("{} ({data})", format_shape(shape)))) })
}

/// The sizes in the file of `model`, `None` where they are open; `None` if none is.
fn open_sizes(model: &str) -> Result<Option<Vec<Option<usize>>>> {
    if is_onnx(model) {
        return onnx::open_sizes(split_source(model).0);
    }
    let channels = channels_of_any_size(model)?;
    Ok(channels.map(|channels| vec![Some(channels), None, None]))
}

fn is_onnx(model: &str) -> bool {
    split_source(model).0.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

/// The data whose sizes count: a drawing has the size of the data before it.
fn sizing_data(settings: &Settings) -> &str {
    let is_drawn = matches!(DataSpec::parse(&settings.data), Ok(DataSpec { source: Source::Drawn(_), .. }));
    match &settings.calibration_data {
        Some(calibration) if is_drawn => calibration,
        _ => &settings.data,
    }
}

/// The shapes to open the network `model` with for the samples of `spec`.
pub(super) fn sizes_of_data(model: &str, spec: &str) -> Result<InputSizes> {
    // Without data the reader says which sizes to state.
    if spec.is_empty() {
        return Ok(InputSizes::default());
    }
    let Some(open) = open_sizes(model)? else { return Ok(InputSizes::default()) };
    let spec = DataSpec::parse(spec)?;
    let is_image = matches!(
        spec.source,
        Source::Images(_) | Source::Masks(_) | Source::Voc(_) | Source::Yolo(_) | Source::Coco { .. }
    );
    sizes_for(model, &open, &spec.first_shape()?, &spec.to_string(), is_image)
}

/// Shapes with the sizes of `data` that fit `open`: as they are, turned to the other order of channels, with or without a
/// dimension of one channel, and for images with other channels.
fn fitting(open: &[Option<usize>], data: &[usize], is_image: bool) -> Vec<Vec<usize>> {
    let turned = |shape: &[usize]| match *shape {
        [a, b, c] => vec![vec![a, b, c], vec![c, a, b], vec![b, c, a]],
        [a, b] => vec![vec![a, b], vec![1, a, b], vec![a, b, 1]],
        _ => vec![shape.to_vec()],
    };
    let mut shapes = turned(data);
    if let (true, &[_, height, width]) = (is_image, data) {
        shapes.extend([1, 3].into_iter().flat_map(|channels| turned(&[channels, height, width])));
    }
    let without_ones: Vec<usize> = data.iter().copied().filter(|&d| d != 1).collect();
    shapes.extend([without_ones, vec![data.iter().product()]]);
    let fits = |shape: &Vec<usize>| {
        shape.len() == open.len() && open.iter().zip(shape).all(|(known, &size)| known.is_none_or(|d| d == size))
    };
    let mut fitting: Vec<Vec<usize>> = Vec::new();
    for shape in shapes.into_iter().filter(fits) {
        if !fitting.contains(&shape) {
            fitting.push(shape);
        }
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_data_fill_open_sizes() {
        let fit = |open: &[usize], data: &[usize], is_image| {
            let open: Vec<Option<usize>> = open.iter().map(|&d| (d > 0).then_some(d)).collect();
            fitting(&open, data, is_image)
        };
        assert_eq!(fit(&[3, 0, 0], &[3, 32, 24], false), [[3, 32, 24]]);
        assert_eq!(fit(&[3, 0, 0], &[32, 24, 3], false), [[3, 32, 24]]);
        assert_eq!(fit(&[0, 0, 3], &[3, 32, 24], false), [[32, 24, 3]]);
        assert_eq!(fit(&[1, 0, 0], &[28, 28], false), [[1, 28, 28]]);
        assert_eq!(fit(&[0, 0], &[1, 28, 28], false), [[28, 28]]);
        assert_eq!(fit(&[0], &[1, 28, 28], false), [[784]]);
        assert_eq!(fit(&[3, 0, 0], &[1, 28, 28], false), [[0; 3]; 0]);
        assert_eq!(fit(&[3, 0, 0], &[1, 28, 30], true), [[3, 28, 30]], "images are converted");
        assert_eq!(fit(&[0, 0, 0], &[8, 9, 3], false)[..2], [[8, 9, 3], [3, 8, 9]], "the graph decides");
    }
}
