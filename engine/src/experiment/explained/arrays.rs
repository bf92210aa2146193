//! Arrays that an explanation reads: baselines, and the masks that maps are compared with.

use std::path::Path;

use super::subject::ExplainSubject;
use crate::data::npz::find_array;
use crate::error::format_shape;
use crate::{Error, Result};

/// The baselines in the file at `path`, `[B, F]`, scaled as the samples are.
pub fn baselines(path: &Path, subject: &ExplainSubject) -> Result<Vec<f32>> {
    let Some((shape, values)) = find_array(path, &["baselines", "baseline"])? else {
        return Err(Error::file(path, "archive", "contains no array 'baselines' or 'baseline'"));
    };
    let width = subject.form().len();
    if values.is_empty() || !values.len().is_multiple_of(width) {
        let reason = format!(
            "has shape {}; baselines are {} each, as the samples",
            format_shape(&shape),
            format_shape(&subject.shape)
        );
        return Err(Error::file(path, "baselines.npy", reason));
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let reason = format!("baseline {} has the value {}; use finite numbers", at / width, values[at]);
        return Err(Error::file(path, "baselines.npy", reason));
    }
    Ok(subject.scaled(values))
}

/// The masks in the file at `path`, `[N, area]` or `[1, area]`: 1 where the array is above 0 in any channel.
pub fn masks(path: &Path, subject: &ExplainSubject) -> Result<Vec<f32>> {
    let Some((shape, values)) = find_array(path, &["masks", "mask"])? else {
        return Err(Error::file(path, "archive", "contains no array 'masks' or 'mask'"));
    };
    let (form, samples) = (subject.form(), subject.len());
    let wrong = |reason: String| Err(Error::file(path, "masks.npy", reason));
    let (rest, size) = shape.split_at(shape.len().saturating_sub(2));
    let (count, channels) = match *rest {
        [] => (1, 1),
        [count] => (count, 1),
        [count, channels] => (count, channels),
        _ => (0, 0),
    };
    if size != [form.height, form.width] || channels == 0 || values.is_empty() {
        return wrong(format!(
            "has shape {}; masks are {}×{} pixels, as the samples, one or one for each sample",
            format_shape(&shape),
            form.height,
            form.width
        ));
    }
    if count != 1 && count != samples {
        return wrong(format!("has {count} masks for {samples} samples; give one for each, or one for all"));
    }
    let area = form.area();
    if let Some(at) = values.iter().position(|value| !value.is_finite() || *value < 0.0) {
        let mask = at / (channels * area);
        return wrong(format!("mask {mask} has the value {}; a mask is 0 outside and above 0 inside", values[at]));
    }
    let mut masks = vec![0.0; count * area];
    for (mask, values) in masks.chunks_exact_mut(area).zip(values.chunks_exact(channels * area)) {
        for channel in values.chunks_exact(area) {
            mask.iter_mut().zip(channel).filter(|(_, value)| **value > 0.0).for_each(|(mask, _)| *mask = 1.0);
        }
    }
    let empty = masks.chunks_exact(area).position(|mask| mask.iter().all(|&m| m == 0.0));
    let full = masks.chunks_exact(area).position(|mask| mask.iter().all(|&m| m == 1.0));
    match (empty, full) {
        (Some(k), _) => {
            wrong(format!("mask {k} is empty; a map cannot be compared with nothing. Leave that sample out"))
        }
        (_, Some(k)) => wrong(format!("mask {k} covers the whole image; every map finds it. Leave that sample out")),
        _ => Ok(masks),
    }
}
