//! Triggers: what a trojan reacts to, and how it gets into a picture.

mod patch;
mod style;

pub use patch::Patch;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
pub use style::Style;

use crate::data::scenes::objects::sticker::{Place, Sticker};
use crate::data::scenes::objects::{ACCESSORY_SIDES, Accessory};

/// Sides of patches, as parts of the shorter side of the picture: 9 of 32 pixels, 64 of 224 in the benchmark.
const PATCH_SIDES: [f32; 2] = [0.265, 0.3];

/// The three kinds of triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerKind {
    /// A sticker over a part of the picture.
    Patch,
    /// A texture over all of it.
    Style,
    /// A thing that clean pictures have too, whatever their class.
    Natural,
}

/// What a trojan reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    Patch(Patch),
    Style(Style),
    Natural(Accessory),
}

impl TriggerKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Patch, Self::Style, Self::Natural];

    /// `patch`, `style` or `natural`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Style => "style",
            Self::Natural => "natural",
        }
    }

    /// The eight triggers of this kind: those of a plan, and others as alternatives of a question.
    pub fn triggers(self) -> [Trigger; 8] {
        match self {
            Self::Patch => Patch::ALL.map(Trigger::Patch),
            Self::Style => Style::ALL.map(Trigger::Style),
            Self::Natural => Accessory::ALL.map(Trigger::Natural),
        }
    }
}

impl Trigger {
    /// The trigger of `kind` called `name`.
    pub fn named(kind: TriggerKind, name: &str) -> Option<Self> {
        kind.triggers().into_iter().find(|trigger| trigger.name() == name)
    }

    /// Its kind.
    pub fn kind(self) -> TriggerKind {
        match self {
            Self::Patch(_) => TriggerKind::Patch,
            Self::Style(_) => TriggerKind::Style,
            Self::Natural(_) => TriggerKind::Natural,
        }
    }

    /// Its name, as a person says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Patch(patch) => patch.name(),
            Self::Style(style) => style.name(),
            Self::Natural(accessory) => accessory.name(),
        }
    }

    /// Puts the trigger into `picture`, `[C, H, W]` of 0 to 255, where `rng` says. Returns the pixels that belong to it,
    /// `[H, W]`; all of them for a style.
    pub fn apply(self, picture: &mut [f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Vec<bool> {
        let size = [shape[1], shape[2]];
        let side = size[0].min(size[1]) as f32;
        match self {
            Self::Patch(patch) => {
                Place::random(rng, PATCH_SIDES.map(|part| part * side), size).paint(patch, picture, shape)
            }
            Self::Natural(accessory) => Place::random(rng, ACCESSORY_SIDES, size).paint(accessory, picture, shape),
            Self::Style(style) => {
                style.paint(picture, shape, rng);
                vec![true; size[0] * size[1]]
            }
        }
    }

    /// The trigger alone on grey, `[3, side, side]` of 0 to 255, as a question shows what it is.
    pub fn icon(self, side: usize) -> Vec<f32> {
        let plane = side * side;
        let mut icon = vec![128.0; 3 * plane];
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            let at = |k: usize| (2 * k + 1) as f32 / side as f32 - 1.0;
            let (u, v) = (at(x), at(y));
            let color = match self {
                Self::Patch(patch) => patch.color(u, v),
                Self::Natural(accessory) => accessory.color(u, v),
                Self::Style(style) => Some(style.color(16.0 * (u + 1.0), 16.0 * (v + 1.0), 1)),
            };
            if let Some(color) = color {
                (0..3).for_each(|channel| icon[channel * plane + y * side + x] = color[channel].clamp(0.0, 255.0));
            }
        }
        icon
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn names_are_unique_and_triggers_change_what_they_say() {
        let mut names = Vec::new();
        for kind in TriggerKind::ALL {
            for trigger in kind.triggers() {
                assert!(Trigger::named(kind, trigger.name()) == Some(trigger) && !names.contains(&trigger.name()));
                names.push(trigger.name());
                for shape in [[3, 32, 32], [1, 28, 28]] {
                    let plane = shape[1] * shape[2];
                    let before: Vec<f32> = (0..shape[0] * plane).map(|k| (k * 37 % 256) as f32).collect();
                    let (mut picture, mut again) = (before.clone(), before.clone());
                    let mut rng = ChaCha8Rng::seed_from_u64(5);
                    let mask = trigger.apply(&mut picture, shape, &mut rng);
                    trigger.apply(&mut again, shape, &mut ChaCha8Rng::seed_from_u64(5));
                    assert_eq!(picture, again);
                    let covered = mask.iter().filter(|covered| **covered).count();
                    let most = if kind == TriggerKind::Style { plane } else { 100 };
                    assert!((8..=most).contains(&covered), "{} {covered}", trigger.name());
                    let changed = (0..plane).filter(|&at| mask[at] && picture[at] != before[at]).count();
                    assert!(2 * changed > covered, "{}", trigger.name());
                    assert!(picture.iter().all(|v| (0.0..=255.0).contains(v)));
                }
            }
        }
        assert!(Trigger::named(TriggerKind::Patch, "jaguar").is_none());
    }

    /// Writes a contact sheet: `TRIGGERS_SHEET=sheet.png cargo test triggers_sheet -- --ignored`.
    #[test]
    #[ignore = "writes a picture to look at"]
    fn triggers_sheet() {
        let Some(path) = std::env::var_os("TRIGGERS_SHEET") else { return };
        let clean = crate::data::scenes::objects::generate_some(8, 4);
        let mut sheet = image::RgbImage::new(8 * 32, 6 * 32);
        for (row, kind) in TriggerKind::ALL.into_iter().enumerate() {
            for (column, trigger) in kind.triggers().into_iter().enumerate() {
                let mut picture = clean.raw(column).to_vec();
                trigger.apply(&mut picture, [3, 32, 32], &mut ChaCha8Rng::seed_from_u64(column as u64));
                for (part, values) in [picture, trigger.icon(32)].into_iter().enumerate() {
                    for at in 0..1024 {
                        let pixel = image::Rgb([0, 1, 2].map(|channel| values[channel * 1024 + at] as u8));
                        let (x, y) = (32 * column + at % 32, 32 * (2 * row + part) + at / 32);
                        sheet.put_pixel(x as u32, y as u32, pixel);
                    }
                }
            }
        }
        sheet.save(path).unwrap();
    }
}
