//! Events of the thread that makes attribution maps.

use std::sync::Arc;

use crate::Result;
use crate::experiment::explained::{PagePart, ShownPicture};
use crate::trojan::live::SuccessCurve;

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
