//! Description of a detector's outputs in a small TOML text, and decoding of boxes by it.
//!
//! `description.rs` reads the text (`head_text.rs`, `level.rs`, `box_coding.rs`), `layout.rs` finds the values of a place in an output, `bind.rs` the outputs of a network and
//! their layout, `decode.rs` turns values into boxes, `bundled.rs` has the texts of bundled networks, `ignored.rs` tells
//! outputs that were left out of the network. The format stands in docs/detector-heads.md.

mod bind;
mod box_coding;
mod bundled;
mod decode;
mod description;
mod head_text;
mod ignored;
mod layout;
mod level;

pub use bundled::bundled_head;
pub use decode::HeadDecoder;
pub use description::{HeadDescription, beside};
pub use head_text::HeadText;
pub use ignored::check_ignored;
