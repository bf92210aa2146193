//! Scenes: pictures with a class for every pixel or with boxes, read or generated.
//!
//! `masks.rs` (its files by `mask_listing.rs` and `label_mask.rs`), `voc.rs`, `coco_samples.rs` and `yolo/` read data sets; `pictures.rs` and `placement.rs` fit pictures to samples, and
//! masks and boxes with them; `generator/` draws scenes.

mod boxes;
pub mod coco;
pub mod coco_samples;
pub mod generator;
mod label_mask;
mod label_png;
mod mask_listing;
mod mask_meaning;
mod mask_numbers;
pub mod masks;
pub mod objects;
mod parts;
mod pictures;
mod placement;
pub mod voc;
mod voc_listing;
mod voc_xml;
pub mod yolo;
