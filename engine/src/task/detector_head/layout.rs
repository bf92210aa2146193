//! Place of a value in an output of scores or boxes: maps of channels, rows or columns.

use std::ops::Range;

/// Order of the values of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// `[anchors · columns, cells]`, as a convolution gives them.
    Map { cells: usize },
    /// `[cells · anchors, columns]`.
    Rows,
    /// `[columns, cells · anchors]`.
    Columns { places: usize },
}

/// The values of one output, for every place (an anchor of a cell).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueLayout {
    /// Range in the network's output.
    pub range: Range<usize>,
    columns: usize,
    order: Order,
}

/// Cells along y and x, and the anchors of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridSize {
    pub rows: usize,
    pub columns: usize,
    pub anchors: usize,
}

impl GridSize {
    /// Number of anchors of all cells.
    pub fn places(&self) -> usize {
        self.rows * self.columns * self.anchors
    }
}

impl ValueLayout {
    /// The layout of an output of `shape` at `range`, with `columns` values for each place of `grids`. `None` if the shape
    /// is another.
    pub fn find(shape: &[usize], range: Range<usize>, columns: usize, grids: &[GridSize]) -> Option<Self> {
        let places: usize = grids.iter().map(GridSize::places).sum();
        // Dimensions of 1 at the beginning have no meaning, except where they are the only channel.
        let mut shape = shape;
        while shape.len() > 2 && shape[0] == 1 && !(shape.len() == 3 && columns == 1) {
            shape = &shape[1..];
        }
        let order = match (shape, grids) {
            (&[channels, rows, width], [grid])
                if (rows, width) == (grid.rows, grid.columns) && channels == grid.anchors * columns =>
            {
                Order::Map { cells: rows * width }
            }
            (&[rows, width], _) if rows == places && width == columns => Order::Rows,
            (&[height, width], _) if height == columns && width == places => Order::Columns { places },
            // A grid of cells with the values of a place last.
            (&[rows, width, last], [grid])
                if (rows, width) == (grid.rows, grid.columns) && last == grid.anchors * columns =>
            {
                Order::Rows
            }
            (&[len], _) if len == places * columns && columns == 1 => Order::Rows,
            _ => return None,
        };
        Some(Self { range, columns, order })
    }

    /// Index of value `column` of anchor `anchor` of cell `cell`, in the network's output. `place` is the number of the
    /// anchor among those of all grids.
    pub fn index(&self, cell: usize, anchor: usize, place: usize, column: usize) -> usize {
        self.range.start
            + match self.order {
                Order::Map { cells } => (anchor * self.columns + column) * cells + cell,
                Order::Rows => place * self.columns + column,
                Order::Columns { places } => column * places + place,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_every_order() {
        let grid = GridSize { rows: 2, columns: 3, anchors: 2 };
        let find = |shape: &[usize], columns| ValueLayout::find(shape, 10..1000, columns, &[grid]);
        let map = find(&[8, 2, 3], 4).unwrap();
        assert_eq!(map.index(5, 1, 11, 2), 10 + 6 * 6 + 5);
        let rows = find(&[1, 12, 4], 4).unwrap();
        assert_eq!(rows.index(5, 1, 11, 2), 10 + 11 * 4 + 2);
        let columns = find(&[4, 12], 4).unwrap();
        assert_eq!(columns.index(5, 1, 11, 2), 10 + 2 * 12 + 11);
        assert_eq!(find(&[2, 3, 8], 4).unwrap().index(5, 1, 11, 2), 10 + 11 * 4 + 2);
        assert_eq!(find(&[2, 2, 3], 1).unwrap().index(5, 1, 11, 0), 10 + 6 + 5);
        assert_eq!((find(&[7, 2, 3], 4), find(&[13, 4], 4)), (None, None));
        let one = GridSize { anchors: 1, ..grid };
        assert!(ValueLayout::find(&[1, 2, 3], 0..6, 1, &[one]).is_some());
        assert!(ValueLayout::find(&[6], 0..6, 1, &[one]).is_some());
    }
}
