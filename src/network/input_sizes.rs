//! Shapes of a sample that sizes left open in a network's file can take.

/// Shapes of a sample, in the order of the file, to open a network with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputSizes {
    /// The first that the network can be opened with is used; empty if the file states all sizes.
    pub shapes: Vec<Vec<usize>>,
    /// The sizes in the file, and the data that the shapes are from; `None` if the user states the shape.
    pub assumed: Option<(String, String)>,
}
