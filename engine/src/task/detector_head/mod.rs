//! Description of a detector's outputs in a small TOML text, and decoding of boxes by it.
//!
//! `description.rs` reads the text, `layout.rs` finds the values of a place in an output, `bind.rs` the outputs of a network and
//! their layout, `decode.rs` turns values into boxes, `bundled.rs` has the texts of bundled networks, `ignored.rs` tells
//! outputs that were left out of the network. The format stands in docs/detector-heads.md.

mod bind;
mod bundled;
mod decode;
mod description;
mod ignored;
mod layout;

pub use bundled::bundled_head;
pub use decode::HeadDecoder;
pub use description::{HeadDescription, HeadText, beside};
pub use ignored::check_ignored;
