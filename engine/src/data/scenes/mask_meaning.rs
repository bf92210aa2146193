//! What the numbers of label masks mean: classes, or objects on a ground.
//!
//! Guessed from how the files write them, unless the user states it; a note tells the guess.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::mask_numbers::NumberKind;
use crate::data::Note;
use crate::data::options::{MaskMeaning, ReadOptions, VoidNumber};
use crate::data::samples::targets::{MAX_MASK_CLASSES, VOID};
use crate::{Error, Result};

/// The void number of Pascal VOC and most data sets since.
const USUAL_VOID: u16 = 255;
/// Class names of masks that tell objects from their ground.
const GROUND_AND_OBJECT: [&str; 2] = ["ground", "object"];

/// The numbers of one mask.
#[derive(Clone, Debug)]
pub(super) struct MaskNumbers {
    pub kind: NumberKind,
    /// Whether the file stores them in several channels.
    pub is_repeated: bool,
    /// Those of the file.
    pub distinct: BTreeSet<u16>,
    /// In the sample, `[H, W]`; `None` beyond the picture.
    pub placed: Vec<Option<u16>>,
}

/// What the numbers of all masks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Classes {
        void: Option<u16>,
    },
    /// 255 is class 1, everything else 0.
    Binary,
    Instances {
        void: Option<u16>,
    },
}

/// What the numbers of `masks` are: as `options` state, else a guess with its note.
pub(super) fn meaning_of(masks: &[MaskNumbers], options: &ReadOptions) -> (Meaning, Option<Note>) {
    let stated_void = options.void.map(|void| match void {
        VoidNumber::None => None,
        VoidNumber::Number(number) => Some(number),
    });
    let has = |kind: NumberKind| masks.iter().any(|mask| mask.kind == kind);
    let uses = |number: u16| masks.iter().any(|mask| mask.distinct.contains(&number));
    let only_extremes = masks.iter().flat_map(|mask| &mask.distinct).all(|number| [0, USUAL_VOID].contains(number));
    let is_wide = has(NumberKind::Gray16);
    match options.meaning {
        Some(MaskMeaning::Instances) => (Meaning::Instances { void: stated_void.flatten() }, None),
        None if is_wide => {
            let text = "16-bit masks hold numbers of objects: classes are ground (0) and object (all others)";
            let note = Note::new(text).or_option("meaning", MaskMeaning::Classes.as_str());
            (Meaning::Instances { void: stated_void.flatten() }, Some(note))
        }
        meaning => {
            // Black and white pictures of one object class, as image editors write them.
            if stated_void.is_none() && only_extremes && uses(USUAL_VOID) && !has(NumberKind::Palette) {
                let text = "masks have no numbers but 0 and 255, which are taken for ground and object";
                return (Meaning::Binary, Some(Note::new(text).or_option("void", USUAL_VOID)));
            }
            let void = stated_void.unwrap_or(Some(USUAL_VOID));
            let mut words = if has(NumberKind::Palette) { "palette masks" } else { "8-bit masks" }.to_owned();
            words += " hold class indices";
            if stated_void.is_none() && uses(USUAL_VOID) {
                words += "; 255 is void, pixels that do not count";
            }
            let note = Note::new(words).or_option("meaning", MaskMeaning::Instances.as_str());
            // A palette is for classes; plain numbers may be either.
            let is_guess = meaning.is_none() && !masks.iter().all(|mask| mask.kind == NumberKind::Palette);
            let tells = is_guess || (stated_void.is_none() && uses(USUAL_VOID));
            (Meaning::Classes { void }, tells.then_some(note))
        }
    }
}

/// Classes of all pixels, `[N, H, W]`, and the names of the classes. `files` are those of `masks`, for errors.
///
/// # Errors
/// [`Error::File`] for numbers that are no classes.
pub(super) fn classes_of(
    files: &[PathBuf],
    masks: &[MaskNumbers],
    meaning: Meaning,
    names: Option<Vec<String>>,
) -> Result<(Vec<u8>, Vec<String>)> {
    let class = |number: u16| match meaning {
        Meaning::Classes { void } | Meaning::Instances { void } if void == Some(number) => Some(VOID),
        Meaning::Classes { .. } => u8::try_from(number).ok().filter(|class| usize::from(*class) < MAX_MASK_CLASSES),
        Meaning::Binary | Meaning::Instances { .. } => Some(u8::from(number > 0)),
    };
    let mut count = names.as_ref().map_or(0, Vec::len);
    if matches!(meaning, Meaning::Binary | Meaning::Instances { .. }) {
        count = count.max(GROUND_AND_OBJECT.len());
    }
    let mut highest = 0;
    for (file, mask) in files.iter().zip(masks) {
        for &number in &mask.distinct {
            let Some(class) = class(number) else {
                let reason = format!(
                    "has the number {number}; class indices are 0 to {}. If the numbers are those of objects, state \
                     meaning=instances",
                    MAX_MASK_CLASSES - 1
                );
                return Err(Error::file(file, "mask", reason));
            };
            if names.is_some() && class != VOID && usize::from(class) >= count {
                let reason = format!(
                    "has class {class}, but classes.txt names only {count} classes (0 to {})",
                    count.saturating_sub(1)
                );
                return Err(Error::file(file, "mask", reason));
            }
            highest = highest.max(if class == VOID { 0 } else { usize::from(class) + 1 });
        }
    }
    let class_names = match (names, meaning) {
        (Some(names), _) => names,
        (None, Meaning::Classes { .. }) => (0..highest.max(1)).map(|class| format!("class {class}")).collect(),
        (None, _) => GROUND_AND_OBJECT.map(str::to_owned).to_vec(),
    };
    let placed = masks.iter().flat_map(|mask| &mask.placed);
    let classes = placed.map(|number| number.map_or(VOID, |number| class(number).unwrap_or(VOID))).collect();
    Ok((classes, class_names))
}
