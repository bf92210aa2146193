//! Pools: maximum, average and power mean over sliding windows or over whole planes.

use super::data_type::DataType;
use super::index::{count, unravel};
use super::operator::{Built, Kind, Operator, Site};
use super::window::{Window, pixels, taps, windows};

/// The windows of a pool, and its output shape.
fn geometry(site: &Site) -> Result<(Vec<Window>, Vec<usize>), String> {
    let shape = site.shape(0)?;
    let Some((outer, spatial)) = shape.split_at_checked(2).filter(|(_, spatial)| !spatial.is_empty()) else {
        return Err("its input has fewer than three dimensions".into());
    };
    let kernel = pixels(site, "kernel_shape", spatial.len(), 1, 0)?;
    if kernel.contains(&0) {
        return Err("kernel_shape is missing".into());
    }
    let kernel: Vec<usize> = kernel.iter().map(|&k| k as usize).collect();
    let windows = windows(site, spatial, &kernel, site.flag("ceil_mode", false))?;
    let mut output = outer.to_vec();
    output.extend(windows.iter().map(|window| window.output));
    Ok((windows, output))
}

/// The first element of the plane of output `index`, and the position in the plane.
fn plane_of(index: usize, output: &[usize], plane: usize) -> (usize, Vec<usize>) {
    let position = unravel(index, &output[2..]);
    (index / count(&output[2..]).max(1) * plane, position)
}

/// `MaxPool`, with the indices of the maxima as second output.
pub fn max_pool(site: &Site) -> Built {
    let (windows, shape) = geometry(site)?;
    let column_major = site.flag("storage_order", false);
    let spatial = site.shape(0)?[2..].to_vec();
    let plane = count(&spatial);
    // The maximum of a window that lies in the padding.
    let lowest = site.data_type(0)?.limits().0;
    let outputs = vec![
        Kind { data_type: site.data_type(0)?, shape: shape.clone() },
        Kind { data_type: DataType::I64, shape: shape.clone() },
    ];
    Operator::several(outputs, move |output, index, fetch| {
        let (first, at) = plane_of(index, &shape, plane);
        let mut best = (lowest, None);
        for (_, i) in taps(&windows, &at) {
            let x = fetch.input(0, first + i);
            if x > best.0 || best.1.is_none() {
                best = (x, Some(i));
            }
        }
        if output == 0 {
            return best.0;
        }
        let at = best.1.unwrap_or(0);
        let at = if column_major {
            unravel(at, &spatial).iter().zip(&spatial).rev().fold(0, |index, (&p, &dim)| index * dim + p)
        } else {
            at
        };
        (first + at) as f64
    })
}

/// `AveragePool`.
pub fn average_pool(site: &Site) -> Built {
    let (windows, shape) = geometry(site)?;
    let counts_padding = site.flag("count_include_pad", false);
    let plane = count(&site.shape(0)?[2..]);
    let of = shape.clone();
    Operator::one(site.require_float(0)?, shape, move |index, fetch| {
        let (first, at) = plane_of(index, &of, plane);
        let taps = taps(&windows, &at);
        let sum: f64 = taps.iter().map(|&(_, i)| fetch.input(0, first + i)).sum();
        let padded = || windows.iter().zip(&at).map(|(window, &at)| window.padded_count(at)).product();
        let divisor: usize = if counts_padding { padded() } else { taps.len() };
        sum / divisor as f64
    })
}

/// `LpPool`.
pub fn lp_pool(site: &Site) -> Built {
    let (windows, shape) = geometry(site)?;
    let power = site.int("p", 2) as f64;
    let plane = count(&site.shape(0)?[2..]);
    let of = shape.clone();
    Operator::one(site.require_float(0)?, shape, move |index, fetch| {
        let (first, at) = plane_of(index, &of, plane);
        let taps = taps(&windows, &at);
        taps.iter().map(|&(_, i)| fetch.input(0, first + i).abs().powf(power)).sum::<f64>().powf(1.0 / power)
    })
}

/// `GlobalAveragePool`, `GlobalMaxPool`, `GlobalLpPool`.
pub fn global_pool(site: &Site) -> Built {
    let power = site.int("p", 2) as f64;
    let shape = site.shape(0)?;
    let Some((outer, spatial)) = shape.split_at_checked(2) else {
        return Err("its input has fewer than two dimensions".into());
    };
    let plane = count(spatial);
    let output = outer.iter().copied().chain(spatial.iter().map(|_| 1)).collect();
    let mode = site.node.op_type.clone();
    Operator::one(site.require_float(0)?, output, move |index, fetch| {
        let numbers = (index * plane..(index + 1) * plane).map(|i| fetch.input(0, i));
        match mode.as_str() {
            "GlobalMaxPool" => numbers.fold(f64::NEG_INFINITY, f64::max),
            "GlobalAveragePool" => numbers.sum::<f64>() / plane as f64,
            _ => numbers.map(|x| x.abs().powf(power)).sum::<f64>().powf(1.0 / power),
        }
    })
}
