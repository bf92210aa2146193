//! Classes of named labels: maps class folders and labels in words to the classes of a network.

use std::sync::Arc;

use super::cache::Cache;
use super::settings::Settings;
use crate::data::digits::Drawing;
use crate::data::options::ClassOrder;
use crate::data::{LabelSource, Note, OtherLabels, Samples};
use crate::{Error, Result};

/// Names that are listed in the note on the mapping.
const MAX_LISTED: usize = 4;
const TEXT_ORDER: &str = "in the order of text";

/// Class indices by name, `[names]`, and their meaning.
struct Mapping {
    classes: Vec<usize>,
    /// Whether the indices are those of the network's class names or the numbers of the names.
    is_of_network: bool,
    order: &'static str,
}

/// Maps named labels to the classes of a network with `count` classes of the names `known` (which may be unknown). The
/// network's names come first, then `stated`, then numbers in names.
///
/// # Errors
/// [`Error::Invalid`] for names that are stated to be numbers and are none.
pub(super) fn with_classes(
    mut samples: Samples,
    known: &[String],
    count: usize,
    stated: Option<ClassOrder>,
) -> Result<Samples> {
    let names = samples.class_names.clone();
    if names.is_empty() {
        return Ok(from_zero(samples, count));
    }
    let of_network = || {
        let class = |name: &String| known.iter().position(|class| class == name);
        let classes = names.iter().map(class).collect::<Option<Vec<_>>>()?;
        Some(Mapping { classes, is_of_network: true, order: "by the network's class names" })
    };
    let text = || Mapping { classes: (0..names.len()).collect(), is_of_network: false, order: TEXT_ORDER };
    let numbers = by_number(&names, count);
    let (mapping, other) = match (stated, of_network(), numbers) {
        (None, Some(mapping), _) => (mapping, None),
        (Some(ClassOrder::Number), _, None) => {
            return Err(Error::Invalid(format!(
                "Cannot read {} with classes=number: not all class names are numbers. Omit the option.",
                samples.source
            )));
        }
        (Some(ClassOrder::Text), _, numbers) => (text(), numbers),
        (Some(ClassOrder::Number), _, Some(numbers)) => (numbers, Some(text())),
        // Numbers are classes, unless they begin with 1.
        (None, None, Some(numbers)) if numbers.is_of_network => (numbers, Some(text())),
        (None, None, numbers) => (text(), numbers),
    };
    let other = other.filter(|other| other.classes != mapping.classes);
    let before = samples.labels.clone();
    let mapped = |mapping: &Mapping| {
        let class = |label: &u16| mapping.classes.get(usize::from(*label)).and_then(|&class| u16::try_from(class).ok());
        Arc::new(before.iter().map(|label| class(label).unwrap_or(*label)).collect::<Vec<u16>>())
    };
    samples.labels = mapped(&mapping);
    if mapping.is_of_network {
        let numbered = || (0..count).map(|class| class.to_string()).collect();
        samples.class_names = if known.is_empty() { numbered() } else { known.to_vec() };
    } else if mapping.order != TEXT_ORDER {
        let mut sorted: Vec<(usize, String)> = mapping.classes.iter().copied().zip(names.iter().cloned()).collect();
        sorted.sort();
        samples.class_names = sorted.into_iter().map(|(_, name)| name).collect();
    }
    if samples.label_source == LabelSource::Names {
        let is_foreign = !known.is_empty() && !mapping.is_of_network;
        samples.notes.push(note(&names, &mapping, other.as_ref(), is_foreign && stated.is_none()));
        samples.other_labels = other.map(|other| OtherLabels {
            labels: mapped(&other),
            option: ("classes", option_word(&other)),
            order: other.order,
        });
    }
    Ok(samples)
}

/// Class names of labels, masks or boxes, if the data set has any.
pub(super) fn class_names_of(samples: &Samples) -> Option<&[String]> {
    let targets = &samples.targets;
    let of_targets =
        targets.masks().map(|masks| &masks.class_names).or(targets.boxes().map(|boxes| &boxes.class_names));
    [Some(&samples.class_names), of_targets].into_iter().flatten().find(|names| !names.is_empty()).map(Vec::as_slice)
}

/// `samples` of `settings`; a drawing gets the class names of the data that it replaces.
pub(super) fn with_names_of_replaced_data(
    samples: Arc<Samples>,
    settings: &Settings,
    cache: &mut Cache,
) -> Arc<Samples> {
    let replaced = settings.calibration_data.as_ref().filter(|_| Drawing::is_drawing_spec(&settings.data));
    match replaced.and_then(|data| cache.class_names.get(data)).filter(|_| samples.class_names.is_empty()) {
        Some(class_names) => Arc::new(Samples { class_names, ..Samples::clone(&samples) }),
        None => samples,
    }
}

/// Labels from 1 to the number of classes, as class indices from 0 on; other labels stay.
fn from_zero(mut samples: Samples, count: usize) -> Samples {
    let range = samples.labels.iter().min().copied().zip(samples.labels.iter().max().copied());
    if let Some((1.., last)) = range
        && count > 1
        && usize::from(last) == count
    {
        samples.labels = Arc::new(samples.labels.iter().map(|label| label - 1).collect());
        samples.notes.push(Note::new(format!("labels up to {count} are taken as classes 0 to {}", count - 1)));
    }
    samples
}

/// Classes by the numbers that the names are: the number itself, or its rank if it exceeds the network's classes. `None`
/// unless all names are different numbers.
fn by_number(names: &[String], count: usize) -> Option<Mapping> {
    let numbers = names.iter().map(|name| name.parse().ok()).collect::<Option<Vec<usize>>>()?;
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() < numbers.len() {
        return None;
    }
    if numbers.iter().all(|&number| number < count) {
        return Some(Mapping { classes: numbers, is_of_network: true, order: "by their number" });
    }
    let classes = numbers.iter().map(|number| sorted.binary_search(number).unwrap_or(0)).collect();
    Some(Mapping { classes, is_of_network: false, order: "in the order of their numbers" })
}

fn option_word(mapping: &Mapping) -> &'static str {
    if mapping.order == TEXT_ORDER { ClassOrder::Text.as_str() } else { ClassOrder::Number.as_str() }
}

/// The note on the mapping. `is_foreign`: the network states other class names.
fn note(names: &[String], mapping: &Mapping, other: Option<&Mapping>, is_foreign: bool) -> Note {
    // Names whose class differs in the other order tell most.
    let differs = |at: &usize| other.is_some_and(|other| other.classes.get(*at) != mapping.classes.get(*at));
    let first = (0..names.len()).find(differs).unwrap_or(0).min(names.len().saturating_sub(MAX_LISTED));
    let listed = names.iter().zip(&mapping.classes).skip(first).take(MAX_LISTED);
    let listed: Vec<String> = listed.map(|(name, class)| format!("'{name}' is class {class}")).collect();
    let before = if first > 0 { "…, " } else { "" };
    let after = if first + MAX_LISTED < names.len() { ", …" } else { "" };
    let foreign = if is_foreign { "; they are not the network's class names" } else { "" };
    let note = Note::new(format!(
        "class names become classes {}: {before}{}{after}{foreign}",
        mapping.order,
        listed.join(", ")
    ));
    let note = if is_foreign { note.warning() } else { note };
    match other {
        Some(other) => note.or_option("classes", option_word(other)),
        None => note,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(names: &[&str]) -> Samples {
        Samples {
            source: "images:a".into(),
            values: Arc::new(vec![0.0; names.len()]),
            labels: Arc::new((0..names.len() as u16).collect()),
            class_names: names.iter().map(|name| (*name).to_owned()).collect(),
            label_source: LabelSource::Names,
            ..Samples::default()
        }
    }

    fn mapped(names: &[&str], known: &[&str], count: usize, stated: Option<ClassOrder>) -> Samples {
        let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
        with_classes(samples(names), &known, count, stated).unwrap()
    }

    #[test]
    fn folders_named_by_numbers_have_two_orders() {
        let names = ["0", "1", "10", "11", "2", "3"];
        let numbers = mapped(&names, &[], 12, None);
        assert_eq!(numbers.labels[..], [0, 1, 10, 11, 2, 3]);
        let other = numbers.other_labels.unwrap();
        assert_eq!((&other.labels[..], other.option), (&[0, 1, 2, 3, 4, 5][..], ("classes", "text")));
        assert!(numbers.notes[0].text.contains("'10' is class 10"), "{:?}", numbers.notes);
        let text = mapped(&names, &[], 12, Some(ClassOrder::Text));
        assert_eq!((text.labels[2], text.class_names[2].as_str()), (2, "10"));
        assert_eq!(text.other_labels.unwrap().labels[2], 10);
        // Numbers from 1 on are no class indices.
        let from_one = mapped(&["1", "10", "2"], &[], 3, None);
        assert_eq!(from_one.labels[..], [0, 1, 2]);
        assert_eq!(from_one.other_labels.unwrap().labels[..], [0, 2, 1]);
        assert_eq!(mapped(&["1", "10", "2"], &[], 3, Some(ClassOrder::Number)).class_names, ["1", "2", "10"]);
    }

    #[test]
    fn labels_from_one_on_are_told() {
        let numbered = |labels: &[u16]| Samples { labels: Arc::new(labels.to_vec()), ..Samples::default() };
        let shifted = with_classes(numbered(&[1, 3, 2]), &[], 3, None).unwrap();
        assert_eq!((&shifted.labels[..], shifted.notes.len()), (&[0, 2, 1][..], 1));
        for labels in [&[0, 3, 2][..], &[1, 2, 2], &[1, 4]] {
            assert_eq!(with_classes(numbered(labels), &[], 3, None).unwrap().labels[..], *labels);
        }
    }

    #[test]
    fn names_of_the_network_win() {
        let found = mapped(&["cat", "dog"], &["dog", "cat", "cow"], 3, None);
        assert_eq!((&found.labels[..], found.class_names.len()), (&[1, 0][..], 3));
        assert!(found.other_labels.is_none() && found.notes[0].text.contains("by the network's class names"));
        let foreign = mapped(&["cat", "dog"], &["a", "b"], 2, None);
        assert!(foreign.notes[0].is_warning && foreign.labels[..] == [0, 1]);
        assert!(with_classes(samples(&["a"]), &[], 2, Some(ClassOrder::Number)).is_err());
        let same = mapped(&["0", "1"], &[], 2, None);
        assert!(same.other_labels.is_none() && same.notes[0].other.is_none());
    }
}
