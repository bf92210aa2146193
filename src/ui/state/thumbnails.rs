//! Thumbnail cache: textures of sample images on the GPU.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use egui::{TextureHandle, TextureOptions};

use crate::data::{Samples, thumbnail_rgba};

/// Number of cached images beyond the visible ones.
const MAX_CACHED: usize = 256;

/// Textures of one data set.
#[derive(Default)]
pub struct Thumbnails {
    pub(crate) of: Option<Arc<Samples>>,
    pub(crate) textures: HashMap<usize, TextureHandle>,
}

impl Thumbnails {
    /// The texture of sample `index`, created on first use.
    pub(crate) fn get(
        &mut self,
        ctx: &egui::Context,
        samples: &Arc<Samples>,
        index: usize,
    ) -> Option<&mut TextureHandle> {
        if !self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, samples)) {
            self.textures.clear();
            self.of = Some(samples.clone());
        }
        if self.textures.len() > MAX_CACHED && !self.textures.contains_key(&index) {
            self.textures.clear();
        }
        match self.textures.entry(index) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(free) => {
                let (width, height, rgba) = thumbnail_rgba(samples, index);
                if width == 0 || height == 0 || rgba.len() != width * height * 4 {
                    return None;
                }
                let image = egui::ColorImage::from_rgba_unmultiplied([width, height], &rgba);
                let texture = ctx.load_texture(format!("sample {index}"), image, TextureOptions::NEAREST);
                Some(free.insert(texture))
            }
        }
    }
}
