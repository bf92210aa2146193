//! Orders of attribution maps, and the events of their parts.

use std::sync::Arc;

use crate::Result;
use crate::experiment::explained::{PageKey, PagePart, ShownPicture, Side};
use crate::experiment::run::Run;
use crate::explain::Method;
use crate::trojan::live::SuccessCurve;

/// Maps that are missing on a page.
#[derive(Clone)]
pub struct MapOrder {
    /// Number of the request.
    pub generation: u64,
    pub run: Arc<Run>,
    pub page: PageKey,
    pub maps: Vec<(Side, Method)>,
    /// Whether the picture is missing too.
    pub picture: bool,
    /// A trojan whose success over time is missing.
    pub curve: Option<String>,
}

/// What comes of an order.
pub enum MapEvent {
    Progress {
        stage: &'static str,
        fraction: f32,
    },
    Picture(Arc<ShownPicture>),
    Part(PagePart),
    Curve(Arc<SuccessCurve>),
    /// The order is done, refused or cancelled.
    Finished(Result<()>),
}
