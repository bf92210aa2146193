//! How the input columns of one row, its kernel columns and its outputs belong together.

use super::synapse_plan::PackedWeights;

/// How input columns and outputs of one row belong together.
#[derive(Clone, Copy, Debug)]
pub struct RowGeometry<'a> {
    /// Columns of the input and of the output.
    pub inputs: usize,
    pub outputs: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
    /// Kernel columns of each group, see [`PackedWeights::columns`].
    pub columns: &'a [Vec<usize>],
}

impl<'a> RowGeometry<'a> {
    /// The geometry of `map` for rows of `outputs` outputs.
    pub fn new(map: &'a PackedWeights, outputs: usize) -> Self {
        let windows = &map.windows;
        Self {
            inputs: map.input.width,
            outputs,
            stride: windows.stride[1],
            padding: windows.padding[1],
            dilation: windows.dilation[1],
            columns: &map.columns,
        }
    }

    /// Whether outputs are completed in registers: 3 kernel columns at stride 1 or 2, or 1 at any stride.
    pub fn rolls(&self) -> bool {
        self.form() != Form::Scattered
    }

    #[inline(always)]
    pub(super) fn form(&self) -> Form {
        match (self.columns, self.stride, self.dilation) {
            ([columns], 1, 1) if columns == &[0, 1, 2] => Form::Three,
            ([outer, inner], 2, 1) if outer == &[0, 2] && inner == &[1] => Form::ThreeByTwo,
            ([columns], ..) if columns == &[0] => Form::Single,
            _ => Form::Scattered,
        }
    }

    /// The input column under virtual column `column`, which counts from the left padding on.
    #[inline(always)]
    pub(super) fn input(&self, column: usize) -> Option<usize> {
        column.checked_sub(self.padding).filter(|&x| x < self.inputs)
    }
}

/// How outputs are completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Three,
    ThreeByTwo,
    Single,
    Scattered,
}

/// The kernel columns that [`RowGeometry::columns`] puts together: those that read the same input columns, up to three,
/// or each alone if there is one column of outputs, or with `alone`.
pub fn column_groups(kernel: usize, stride: usize, dilation: usize, alone: bool) -> Vec<Vec<usize>> {
    if alone {
        return (0..kernel).map(|column| vec![column]).collect();
    }
    let reading = |residue: usize| (0..kernel).filter(move |column| column * dilation % stride == residue);
    let groups = (0..stride).flat_map(|residue| {
        let columns: Vec<usize> = reading(residue).collect();
        columns.chunks(3).map(<[usize]>::to_vec).collect::<Vec<_>>()
    });
    groups.collect()
}
