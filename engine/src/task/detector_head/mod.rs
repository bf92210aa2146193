//! Description of a detector's outputs in a small TOML text, and decoding of boxes by it.
//!
//! `description.rs` reads the text, `layout.rs` finds the values of a place in an output, `decode.rs` turns values into
//! boxes, `bundled.rs` has the texts of bundled networks. The format stands in docs/detector-heads.md.

mod bundled;
mod decode;
mod description;
mod layout;

pub use bundled::bundled_head;
pub use decode::HeadDecoder;
pub use description::{HeadDescription, HeadText, beside};
