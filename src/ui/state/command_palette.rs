//! State of the open command palette.

/// What was typed and chosen in the open palette.
#[derive(Clone, Debug, Default)]
pub struct CommandPalette {
    pub(crate) text: String,
    pub(crate) chosen: usize,
}
