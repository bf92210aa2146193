//! State of the command palette while it is open.

/// Typed text and chosen row of the open palette.
#[derive(Clone, Debug, Default)]
pub struct CommandPalette {
    pub(crate) text: String,
    pub(crate) chosen: usize,
}
