//! Linear layers: convolutions and transposed convolutions of any number of dimensions, products of matrices.

use super::index::{View, broadcast, count, is_bounded, ravel, strides, unravel};
use super::operator::{Built, Operator, Site};
use super::window::{AutoPad, Window, pixels, taps, windows};

/// Sizes of a convolution: `x` is `[N, C, …]`.
struct Sizes {
    batch: usize,
    /// Input channels, and those of one group.
    channels: usize,
    group_channels: usize,
    groups: usize,
    spatial: Vec<usize>,
    kernel: Vec<usize>,
}

/// Checks the shapes of the inputs. `channel_axis` is the axis of the weights that counts the channels of the input.
fn sizes(site: &Site, channel_axis: usize) -> Result<Sizes, String> {
    site.require_float(0)?;
    let (x, w) = (site.shape(0)?, site.shape(1)?);
    let (Some((&[batch, channels], spatial)), Some((outer, kernel))) = (x.split_first_chunk(), w.split_at_checked(2))
    else {
        return Err("its input or its weights have fewer than two dimensions".into());
    };
    let groups = usize::try_from(site.int("group", 1)).ok().filter(|&g| g > 0).ok_or("group should be at least 1")?;
    let fits = channels % groups == 0
        && w[0] % groups == 0
        && outer[channel_axis] == if channel_axis == 0 { channels } else { channels / groups };
    if spatial.is_empty() || spatial.len() != kernel.len() || !fits || kernel.contains(&0) {
        let [x, w] = [x, w].map(crate::error::format_shape);
        return Err(format!("weights {w} do not fit an input {x} in {groups} groups"));
    }
    let stated = pixels(site, "kernel_shape", kernel.len(), 1, 0)?;
    if stated.iter().zip(kernel).any(|(&stated, &dim)| stated != 0 && stated != dim as i64) {
        return Err(format!("kernel_shape {stated:?} is not that of the weights"));
    }
    let (spatial, kernel) = (spatial.to_vec(), kernel.to_vec());
    Ok(Sizes { batch, channels, group_channels: channels / groups, groups, spatial, kernel })
}

/// `Conv`: weights `[M, C / group, …]`.
pub fn conv(site: &Site) -> Built {
    let Sizes { batch, channels, group_channels, groups, spatial, kernel } = sizes(site, 1)?;
    let windows = windows(site, &spatial, &kernel, false)?;
    let features = site.shape(1)?[0];
    site.require_count(2, features)?;
    let has_bias = site.optional(2).is_some();
    let mut shape = vec![batch, features];
    shape.extend(windows.iter().map(|window| window.output));
    let (plane, kernel) = (count(&spatial), count(&kernel));
    let of = shape.clone();
    Operator::one(site.data_type(0)?, shape, move |index, fetch| {
        let position = unravel(index, &of);
        let (sample, feature) = (position[0], position[1]);
        let first = sample * channels + feature / (features / groups) * group_channels;
        let taps = taps(&windows, &position[2..]);
        let mut sum = 0.0;
        for c in 0..group_channels {
            let (x, w) = ((first + c) * plane, (feature * group_channels + c) * kernel);
            for &(k, i) in &taps {
                sum += fetch.input(0, x + i) * fetch.input(1, w + k);
            }
        }
        if has_bias { sum + fetch.input(2, feature) } else { sum }
    })
}

/// `ConvTranspose`: weights `[C, M / group, …]`.
pub fn conv_transpose(site: &Site) -> Built {
    let Sizes { batch, channels, group_channels, groups, spatial, kernel } = sizes(site, 0)?;
    let windows = transposed_windows(site, &spatial, &kernel)?;
    let group_features = site.shape(1)?[1];
    let features = groups * group_features;
    site.require_count(2, features)?;
    let has_bias = site.optional(2).is_some();
    let mut shape = vec![batch, features];
    shape.extend(windows.iter().map(|window| window.output));
    let plane = count(&spatial);
    let of = shape.clone();
    Operator::one(site.data_type(0)?, shape, move |index, fetch| {
        let position = unravel(index, &of);
        let (sample, feature) = (position[0], position[1]);
        let first = feature / group_features * group_channels;
        let sources = sources(&windows, &position[2..]);
        let mut sum = 0.0;
        for c in first..first + group_channels {
            let (x, w) = ((sample * channels + c) * plane, c * group_features + feature % group_features);
            for (k, i) in &sources {
                sum += fetch.input(0, x + ravel(i, &spatial)) * fetch.input(1, w * count(&kernel) + ravel(k, &kernel));
            }
        }
        if has_bias { sum + fetch.input(2, feature) } else { sum }
    })
}

/// The windows of a transposed convolution: `output` is the length of its output.
fn transposed_windows(site: &Site, spatial: &[usize], kernel: &[usize]) -> Result<Vec<Window>, String> {
    let rank = spatial.len();
    let strides = pixels(site, "strides", rank, 1, 1)?;
    let dilations = pixels(site, "dilations", rank, 1, 1)?;
    let pads = pixels(site, "pads", 2 * rank, 0, 0)?;
    let longer = pixels(site, "output_padding", rank, 0, 0)?;
    let auto = AutoPad::of(site)?;
    // Batch and channels may be stated too.
    let stated = site.ints("output_shape").filter(|list| !list.is_empty()).map(|list| {
        let list = list.get(list.len().saturating_sub(rank)..).unwrap_or_default();
        if list.len() == rank && list.iter().all(|v| (0..=1 << 30).contains(v)) {
            Ok(list)
        } else {
            Err("output_shape")
        }
    });
    let stated = stated.transpose().map_err(|name| format!("{name} does not fit"))?;
    let mut windows = Vec::with_capacity(rank);
    for axis in 0..rank {
        let extent = (kernel[axis] as i64 - 1) * dilations[axis] + 1;
        let full = strides[axis] * (spatial[axis] as i64 - 1) + longer[axis] + extent;
        let wanted = match (stated, auto) {
            (Some(stated), _) => Some(stated[axis]),
            (None, AutoPad::SameUpper | AutoPad::SameLower) => Some(spatial[axis] as i64 * strides[axis]),
            _ => None,
        };
        let (begin, output) = match wanted {
            Some(output) => {
                let total = full - output;
                // The standard pads the output, onnxruntime does not.
                if total < 0 && stated.is_none() {
                    return Err("this SAME padding is not defined".into());
                }
                // Missing values are added at the end.
                let total = total.max(0);
                let half = total / 2;
                (if auto == AutoPad::SameUpper { half } else { total - half }, output)
            }
            None if auto == AutoPad::Valid => (0, full),
            None => (pads[axis], full - pads[axis] - pads[rank + axis]),
        };
        windows.push(Window {
            input: spatial[axis],
            kernel: kernel[axis],
            stride: strides[axis] as usize,
            dilation: dilations[axis] as usize,
            begin,
            end: 0,
            output: usize::try_from(output).map_err(|_| "its padding is larger than its output")?,
        });
    }
    Ok(windows)
}

/// What adds to the output at `at`: positions in the kernel and in the input.
fn sources(windows: &[Window], at: &[usize]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut all = vec![(Vec::new(), Vec::new())];
    for (window, &at) in windows.iter().zip(at) {
        let along: Vec<(usize, usize)> = (0..window.kernel)
            .filter_map(|k| {
                let shifted = at as i64 + window.begin - k as i64 * window.dilation as i64;
                let source = usize::try_from(shifted).ok().filter(|s| s % window.stride == 0)? / window.stride;
                (source < window.input).then_some((k, source))
            })
            .collect();
        let extend = |list: &Vec<usize>, value: usize| list.iter().copied().chain([value]).collect::<Vec<usize>>();
        all = all
            .iter()
            .flat_map(|(ks, is)| along.iter().map(|&(k, i)| (extend(ks, k), extend(is, i))).collect::<Vec<_>>())
            .collect();
    }
    all
}

/// `Gemm`: alpha A B + beta C.
pub fn gemm(site: &Site) -> Built {
    let data_type = site.require_float(0)?;
    let (alpha, beta) = (site.float("alpha", 1.0), site.float("beta", 1.0));
    let [turned_a, turned_b] = ["transA", "transB"].map(|name| site.flag(name, false));
    let (&[a0, a1], &[b0, b1]) = (site.shape(0)?, site.shape(1)?) else {
        return Err("its factors are no matrices".into());
    };
    let ((rows, inner), (inner_b, columns)) =
        (if turned_a { (a1, a0) } else { (a0, a1) }, if turned_b { (b1, b0) } else { (b0, b1) });
    if inner != inner_b {
        return Err(format!("matrices with {inner} and {inner_b} inner values do not multiply"));
    }
    let shape = vec![rows, columns];
    let bias = site.optional(2).map(|c| View::broadcast(&c.shape, &shape)).transpose()?;
    Operator::one(data_type, shape, move |index, fetch| {
        let (row, column) = (index / columns, index % columns);
        let mut sum = 0.0;
        for k in 0..inner {
            let a = if turned_a { k * rows + row } else { row * inner + k };
            let b = if turned_b { column * inner + k } else { k * columns + column };
            sum += fetch.input(0, a) * fetch.input(1, b);
        }
        let bias = bias.as_ref().map_or(0.0, |view| beta * fetch.input(2, view.index(index)));
        alpha * sum + bias
    })
}

/// `MatMul`, as numpy: vectors are rows or columns, outer dimensions are broadcast.
pub fn matmul(site: &Site) -> Built {
    let (a, b) = (site.shape(0)?, site.shape(1)?);
    let is_row = a.len() == 1;
    let is_column = b.len() == 1;
    let full_a: Vec<usize> = if is_row { [&[1], a].concat() } else { a.to_vec() };
    let full_b: Vec<usize> = if is_column { [b, &[1]].concat() } else { b.to_vec() };
    let (Some((outer_a, &[rows, inner])), Some((outer_b, &[inner_b, columns]))) =
        (full_a.split_last_chunk(), full_b.split_last_chunk())
    else {
        return Err("a factor has no dimension".into());
    };
    if inner != inner_b {
        return Err(format!("matrices with {inner} and {inner_b} inner values do not multiply"));
    }
    let outer = broadcast(&[outer_a, outer_b])?;
    let views = [View::broadcast(outer_a, &outer)?, View::broadcast(outer_b, &outer)?];
    let mut shape = outer;
    if !is_row {
        shape.push(rows);
    }
    if !is_column {
        shape.push(columns);
    }
    Operator::one(site.data_type(0)?, shape, move |index, fetch| {
        let (matrix, row, column) = (index / (rows * columns), index / columns % rows, index % columns);
        let a = views[0].index(matrix) * rows * inner + row * inner;
        let b = views[1].index(matrix) * inner * columns + column;
        (0..inner).map(|k| fetch.input(0, a + k) * fetch.input(1, b + k * columns)).sum()
    })
}

/// `Einsum`, without ellipses.
pub fn einsum(site: &Site) -> Built {
    let equation: String = site.text("equation").chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left, Some(right.to_owned())),
        None => (equation.as_str(), None),
    };
    let terms: Vec<Vec<char>> = left.split(',').map(|term| term.chars().collect()).collect();
    // Without an arrow the output has the letters that occur once, in alphabetical order.
    let once = |letter: char| left.chars().filter(|&c| c == letter).count() == 1;
    let mut implicit: Vec<char> = left.chars().filter(|&c| c != ',' && once(c)).collect();
    implicit.sort_unstable();
    let output: Vec<char> = right.map_or(implicit, |right| right.chars().collect());
    if terms.len() != site.count() || !terms.iter().flatten().chain(&output).all(char::is_ascii_alphabetic) {
        return Err(format!("equation '{equation}' is not known"));
    }
    // The letters: those of the output first, then those that are summed.
    let mut letters: Vec<char> = Vec::new();
    for &letter in output.iter().chain(terms.iter().flatten()) {
        if !letters.contains(&letter) {
            letters.push(letter);
        }
    }
    let mut lengths = vec![None; letters.len()];
    let mut views = Vec::new();
    for (k, term) in terms.iter().enumerate() {
        let shape = site.shape(k)?;
        if shape.len() != term.len() {
            return Err(format!("equation '{equation}' does not fit input {k}"));
        }
        let mut moves = vec![0isize; letters.len()];
        for ((letter, &dim), &step) in term.iter().zip(shape).zip(&strides(shape)) {
            let at = letters.iter().position(|other| other == letter).unwrap_or(0);
            if *lengths[at].get_or_insert(dim) != dim {
                return Err(format!("'{letter}' has different lengths"));
            }
            moves[at] += step as isize;
        }
        views.push(moves);
    }
    let lengths: Option<Vec<usize>> = lengths.into_iter().collect();
    let lengths = lengths.filter(|_| letters.starts_with(&output)).ok_or("its output has unknown letters")?;
    let (outer, summed) = lengths.split_at(output.len());
    if !is_bounded(&lengths) {
        return Err("its sum is too long".into());
    }
    let views: Vec<View> = views.iter().map(|moves| View::new(&lengths, moves, 0)).collect();
    let (shape, terms) = (outer.to_vec(), count(summed));
    Operator::one(site.data_type(0)?, shape, move |index, fetch| {
        let product =
            |at: usize| views.iter().enumerate().map(|(k, view)| fetch.input(k, view.index(at))).product::<f64>();
        (index * terms..(index + 1) * terms).map(product).sum()
    })
}
