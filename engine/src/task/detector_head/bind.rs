//! The outputs of a level of a head, found in a network: the order of their values, and which hold what.

use toml::Spanned;

use super::description::HeadDescription;
use super::head_text::HeadText;
use super::layout::{GridSize, Order, ValueLayout};
use super::level::{Level, Part};
use crate::Result;
use crate::error::format_shape;
use crate::network::outputs::{NetworkOutput, OutputFunction};

/// The outputs of a level.
#[derive(Clone, Debug)]
pub(super) struct BoundLevel {
    pub class: Output,
    pub boxes: Output,
    pub center: Option<Output>,
    pub grids: Vec<Grid>,
}

/// An output, or a part of one, and the function at its end, which a readout omits.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub layout: ValueLayout,
    /// The first of the values of a place that belong to it.
    pub first: usize,
    pub end: Option<OutputFunction>,
}

/// The cells of one stride.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub size: GridSize,
    pub stride: f32,
    /// Width and height of each anchor in pixels.
    pub priors: Vec<[f32; 2]>,
}

/// Finds the outputs of `level` among `outputs`; `size` is width and height of the input in pixels.
///
/// # Errors
/// [`crate::Error::File`] with the line for outputs that are not there, of another shape, or not in the stated layout.
pub(super) fn bind(
    head: &HeadDescription,
    level: &Level,
    text: &HeadText,
    outputs: &[NetworkOutput],
    size: [usize; 2],
) -> Result<BoundLevel> {
    let named = |name: &Spanned<String>, columns: usize| {
        let found = outputs.iter().find(|output| output.name == *name.get_ref());
        let found = found.ok_or_else(|| {
            let known: Vec<String> = outputs.iter().map(|output| format!("'{}'", output.name)).collect();
            let reason = format!("the network has no output '{}'; it has {}", name.get_ref(), known.join(", "));
            text.error(name.span(), reason)
        })?;
        Ok(NamedOutput { found, at: name.span(), columns })
    };
    if let Some(output) = &level.output {
        return bind_combined(head, level, text, named(output, 0)?, size);
    }
    let missing = || text.error(level.place(), "an output of this level was not found");
    let class = named(level.class.as_ref().ok_or_else(missing)?, head.columns())?;
    let candidates = candidate_grids(level, &class, size);
    let Some(grids) = candidates.iter().find(|grids| !class.possible(grids).is_empty()) else {
        return Err(class.misfit(text, &candidates[0]));
    };
    // In the order in which they settle the layout of the others.
    let mut all = vec![class, named(level.boxes.as_ref().ok_or_else(missing)?, 4)?];
    all.extend(level.center.as_ref().map(|name| named(name, 1)).transpose()?);
    let possible: Vec<Vec<ValueLayout>> = all.iter().map(|output| output.possible(grids)).collect();
    if let Some(misfit) = all.iter().zip(&possible).find(|(_, possible)| possible.is_empty()) {
        return Err(misfit.0.misfit(text, &candidates[0]));
    }
    let stated = level.layout.as_ref().map(|order| *order.get_ref());
    let fits = |possible: &[ValueLayout], order| possible.iter().any(|layout| layout.order() == order);
    if let Some(order) = &level.layout
        && !possible.iter().any(|possible| fits(possible, *order.get_ref()))
    {
        let shapes: Vec<String> = all.iter().map(|output| format_shape(&output.found.shape)).collect();
        let reason = format!("no output of this level can have this layout; their shapes are {}", shapes.join(", "));
        return Err(text.error(order.span(), reason));
    }
    let settled: Vec<Order> = possible
        .iter()
        .filter_map(|possible| if let [only] = possible.as_slice() { Some(only.order()) } else { None })
        .collect();
    let mut bound = all.iter().zip(&possible).filter_map(|(output, possible)| {
        let order = stated.iter().chain(&settled).copied().find(|order| fits(possible, *order));
        let layout = possible.iter().find(|layout| order.is_none_or(|order| layout.order() == order))?;
        Some(Output { layout: layout.clone(), first: 0, end: output.found.end })
    });
    let class = bound.next().ok_or_else(missing)?;
    let boxes = bound.next().ok_or_else(missing)?;
    let center = bound.next();
    drop(bound);
    Ok(BoundLevel { class, boxes, center, grids: grids.clone() })
}

/// The parts of the one output `found` of `level`. Without stated `values` the number of them tells whether there is an objectness.
fn bind_combined(
    head: &HeadDescription,
    level: &Level,
    text: &HeadText,
    found: NamedOutput<'_>,
    size: [usize; 2],
) -> Result<BoundLevel> {
    let count = |part: &Part| match part {
        Part::Box => 4,
        Part::Objectness => 1,
        Part::Class => head.columns(),
    };
    let usual = [vec![Part::Box, Part::Objectness, Part::Class], vec![Part::Box, Part::Class]];
    let orders = level.values.as_ref().map_or(usual.to_vec(), |values| vec![values.get_ref().clone()]);
    let mut fitting = Vec::new();
    for parts in &orders {
        let output = NamedOutput { columns: parts.iter().map(count).sum(), at: found.at.clone(), ..found };
        let candidates = candidate_grids(level, &output, size);
        let fits =
            |layout: &ValueLayout| level.layout.as_ref().is_none_or(|stated| *stated.get_ref() == layout.order());
        let layouts = candidates.into_iter().find_map(|grids| {
            let layout = output.possible(&grids).into_iter().find(fits)?;
            Some((parts, layout, grids))
        });
        fitting.extend(layouts);
    }
    let (parts, layout, grids) = match fitting.as_slice() {
        [] => {
            let columns: Vec<String> =
                orders.iter().map(|parts| parts.iter().map(count).sum::<usize>().to_string()).collect();
            let expected = columns.join(" or ");
            let classes = head.columns();
            let reason = format!(
                "output '{}' has the shape {}; {expected} values for each box are expected ({classes} of the classes), in the \
                 layout and for the strides and priors that are stated",
                found.found.name,
                format_shape(&found.found.shape)
            );
            return Err(text.error(found.at, reason));
        }
        [one] => one,
        _ => {
            let reason = format!(
                "output '{}' may hold an objectness or not; state values = [\"box\", \"objectness\", \"class\"] or [\"box\", \
                 \"class\"]",
                found.found.name
            );
            return Err(text.error(found.at, reason));
        }
    };
    let end = found.found.end;
    if matches!(end, Some(OutputFunction::Softmax { .. })) {
        return Err(text.error(found.at, "this output ends in a softmax over boxes and scores together"));
    }
    let part = |wanted: Part| {
        let at = parts.iter().position(|part| *part == wanted)?;
        let first = parts[..at].iter().map(count).sum();
        Some(Output { layout: layout.clone(), first, end })
    };
    let missing = || text.error(level.place(), "a part of this output was not found");
    Ok(BoundLevel {
        class: part(Part::Class).ok_or_else(missing)?,
        boxes: part(Part::Box).ok_or_else(missing)?,
        center: part(Part::Objectness),
        grids: grids.clone(),
    })
}

/// An output that a level names.
struct NamedOutput<'a> {
    found: &'a NetworkOutput,
    /// Where the text names it.
    at: std::ops::Range<usize>,
    /// Values of a place.
    columns: usize,
}

impl NamedOutput<'_> {
    fn possible(&self, grids: &[Grid]) -> Vec<ValueLayout> {
        let sizes: Vec<GridSize> = grids.iter().map(|grid| grid.size).collect();
        ValueLayout::possible(&self.found.shape, &self.found.range, self.columns, &sizes)
    }

    /// The error for an output of another shape than `grids` have.
    fn misfit(&self, text: &HeadText, grids: &[Grid]) -> crate::Error {
        let sides: Vec<String> = grids
            .iter()
            .map(|grid| format!("{}x{} cells with {} boxes each", grid.size.rows, grid.size.columns, grid.size.anchors))
            .collect();
        let reason = format!(
            "output '{}' has the shape {}; {} values for each of {} are expected",
            self.found.name,
            format_shape(&self.found.shape),
            self.columns,
            sides.join(" and ")
        );
        text.error(self.at.clone(), reason)
    }
}

/// The grids that `level` may have for an input of width and height `size`; the first is the most usual.
fn candidate_grids(level: &Level, class: &NamedOutput<'_>, size: [usize; 2]) -> [Vec<Grid>; 2] {
    let strides = level.strides();
    // Without strides the places are those of the class output.
    let unplaced = class.found.range.len() / class.columns.max(1);
    let grids_of = |side: fn(usize, usize) -> usize| -> Vec<Grid> {
        if strides.is_empty() {
            let size = GridSize { rows: 1, columns: unplaced, anchors: 1 };
            return vec![Grid { size, stride: 1.0, priors: Vec::new() }];
        }
        let grid = |(index, &stride): (usize, &usize)| {
            let priors = level.priors_of(index).to_vec();
            let size =
                GridSize { rows: side(size[1], stride), columns: side(size[0], stride), anchors: priors.len().max(1) };
            Grid { size, stride: stride as f32, priors }
        };
        strides.iter().enumerate().map(grid).collect()
    };
    // Convolutions with padding round up, those without down.
    [grids_of(usize::div_ceil), grids_of(|side, stride| (side / stride).max(1))]
}
