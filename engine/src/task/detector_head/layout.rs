//! Place of a value in an output of scores or boxes: maps of channels, rows or columns.

use std::ops::Range;

use serde::Deserialize;

/// Order of the values of an output, by its dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// `[anchors · columns, rows, width]`, as a convolution gives them.
    Map,
    /// `[cells · anchors, columns]`.
    Rows,
    /// `[columns, cells · anchors]`.
    Columns,
    /// `[rows, width, anchors · columns]`: a map with the values of a cell last.
    Cells,
    /// `[anchors, rows, width, columns]`: a map of each anchor.
    Anchors,
}

/// The values of one output, for every place (an anchor of a cell).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueLayout {
    /// Range in the network's output.
    pub range: Range<usize>,
    columns: usize,
    order: Order,
    /// Number of cells, and of the anchors of all.
    cells: usize,
    places: usize,
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
    /// The layouts that an output of `shape` at `range` can have, with `columns` values for each place of `grids`; the first
    /// is the most usual. None if the shape is another.
    pub fn possible(shape: &[usize], range: &Range<usize>, columns: usize, grids: &[GridSize]) -> Vec<Self> {
        let places: usize = grids.iter().map(GridSize::places).sum();
        // Dimensions of 1 at the beginning have no meaning, except where they are the only channel.
        let mut shape = shape;
        while shape.len() > 2 && shape[0] == 1 && !(shape.len() == 3 && columns == 1) {
            shape = &shape[1..];
        }
        if let (&[a, b, c, d], [grid]) = (shape, grids) {
            let fits = (a, b, c, d) == (grid.anchors, grid.rows, grid.columns, columns);
            let (order, cells) = (Order::Anchors, grid.rows * grid.columns);
            return Vec::from_iter(fits.then(|| Self { range: range.clone(), columns, order, cells, places }));
        }
        let orders = match (shape, grids) {
            (&[a, b, c], [grid]) => {
                let (sides, values) = ((grid.rows, grid.columns), grid.anchors * columns);
                [(Order::Map, (b, c) == sides && a == values), (Order::Cells, (a, b) == sides && c == values)]
            }
            (&[a, b], _) => [(Order::Rows, (a, b) == (places, columns)), (Order::Columns, (a, b) == (columns, places))],
            // One value a place is the same in rows and in columns.
            (&[len], _) => [Order::Rows, Order::Columns].map(|order| (order, columns == 1 && len == places)),
            _ => return Vec::new(),
        };
        let fitting = orders.into_iter().filter(|(_, fits)| *fits);
        let cells = grids.iter().map(|grid| grid.rows * grid.columns).sum();
        fitting.map(|(order, _)| Self { range: range.clone(), columns, order, cells, places }).collect()
    }

    /// The order of the values.
    pub fn order(&self) -> Order {
        self.order
    }

    /// Index of value `column` of anchor `anchor` of cell `cell`, in the network's output. `place` is the number of the
    /// anchor among those of all grids.
    pub fn index(&self, cell: usize, anchor: usize, place: usize, column: usize) -> usize {
        self.range.start
            + match self.order {
                Order::Map => (anchor * self.columns + column) * self.cells + cell,
                Order::Rows | Order::Cells => place * self.columns + column,
                Order::Anchors => (anchor * self.cells + cell) * self.columns + column,
                Order::Columns => column * self.places + place,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_every_order() {
        let grid = GridSize { rows: 2, columns: 3, anchors: 2 };
        let possible = |shape: &[usize], columns| ValueLayout::possible(shape, &(10..1000), columns, &[grid]);
        let find = |shape: &[usize], columns| possible(shape, columns).into_iter().next();
        let map = find(&[8, 2, 3], 4).unwrap();
        assert_eq!(map.index(5, 1, 11, 2), 10 + 6 * 6 + 5);
        let rows = find(&[1, 12, 4], 4).unwrap();
        assert_eq!(rows.index(5, 1, 11, 2), 10 + 11 * 4 + 2);
        let columns = find(&[4, 12], 4).unwrap();
        assert_eq!(columns.index(5, 1, 11, 2), 10 + 2 * 12 + 11);
        assert_eq!(find(&[2, 3, 8], 4).unwrap().index(5, 1, 11, 2), 10 + 11 * 4 + 2);
        assert_eq!(find(&[2, 2, 3], 1).unwrap().index(5, 1, 11, 0), 10 + 6 + 5);
        assert_eq!(find(&[1, 2, 2, 3, 4], 4).unwrap().index(5, 1, 11, 2), 10 + (6 + 5) * 4 + 2);
        assert_eq!(find(&[2, 3, 2, 4], 4), None);
        assert_eq!((find(&[7, 2, 3], 4), find(&[13, 4], 4)), (None, None));
        let one = GridSize { anchors: 1, ..grid };
        assert!(!ValueLayout::possible(&[1, 2, 3], &(0..6), 1, &[one]).is_empty());
        assert!(!ValueLayout::possible(&[6], &(0..6), 1, &[one]).is_empty());
    }

    #[test]
    fn a_shape_may_fit_two_orders() {
        let square = GridSize { rows: 4, columns: 4, anchors: 1 };
        let orders = |shape: &[usize], grid| -> Vec<Order> {
            ValueLayout::possible(shape, &(0..64), 4, &[grid]).iter().map(ValueLayout::order).collect()
        };
        assert_eq!(orders(&[4, 4, 4], square), [Order::Map, Order::Cells]);
        assert_eq!(orders(&[4, 4], GridSize { rows: 2, columns: 2, anchors: 1 }), [Order::Rows, Order::Columns]);
        assert_eq!(orders(&[4, 16], square), [Order::Columns]);
    }
}
