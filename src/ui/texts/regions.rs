//! Names of the regions of the window, for screen readers.

pub const TOP: &str = "Menus and recipe";
pub const SAMPLES: &str = "Sample strip";
pub const LAYERS: &str = "Layer strip";
pub const PANES: &str = "Area of the panes";
pub const SIDE: &str = "Side panel";
pub const TIME: &str = "Time bar";
