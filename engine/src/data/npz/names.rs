//! Array names of archives: which one holds the samples of a part, and which one their labels.
//!
//! Names are read as the packages write them: `x_test`, `X`, `testImages`, `test_labels`, `arr_0`.

use crate::data::Note;
use crate::data::options::{Part, ReadOptions};

const SAMPLES: [&str; 15] = [
    "x", "images", "data", "inputs", "samples", "features", "image", "input", "sample", "feature", "imgs", "img",
    "pixels", "arr0", "",
];
const LABELS: [&str; 8] = ["y", "labels", "targets", "label", "target", "classes", "class", "arr1"];
const PARTS: [(&str, Part); 8] = [
    ("training", Part::Train),
    ("train", Part::Train),
    ("validation", Part::Validation),
    ("valid", Part::Validation),
    ("val", Part::Validation),
    ("dev", Part::Validation),
    ("testing", Part::Test),
    ("test", Part::Test),
];
/// The value of `y=` for no labels.
const NO_LABELS: &str = "none";

/// The arrays of an archive that are read.
#[derive(Debug)]
pub(super) struct Chosen {
    pub samples: String,
    pub labels: Option<String>,
    pub notes: Vec<Note>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Samples or labels, with the place of the name in its list.
    Samples(usize),
    Labels(usize),
}

/// Role and part of the array `name`; `None` for other names.
fn role(name: &str) -> Option<(Role, Option<Part>)> {
    let compact: String = name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let bare = |word: &str| {
        let samples = SAMPLES.iter().position(|known| *known == word).map(Role::Samples);
        samples.or_else(|| LABELS.iter().position(|known| *known == word).map(Role::Labels))
    };
    if let Some(role) = bare(&compact).filter(|_| !compact.is_empty()) {
        return Some((role, None));
    }
    PARTS.iter().find_map(|(word, part)| {
        let rest = compact.strip_prefix(word).or_else(|| compact.strip_suffix(word))?;
        Some((bare(rest)?, Some(*part)))
    })
}

/// Chooses among the array names of an archive (without `.npy`).
///
/// # Errors
/// The reason, with the names of the archive.
pub(super) fn choose(names: &[String], options: &ReadOptions) -> Result<Chosen, String> {
    let listed = || names.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
    let named = |wanted: &str, key: &str| {
        let found = names.iter().find(|name| *name == wanted);
        found.cloned().ok_or_else(|| format!("contains no array '{wanted}' ({key}={wanted}); it contains {}", listed()))
    };
    let roles: Vec<(&String, Role, Option<Part>)> =
        names.iter().filter_map(|name| role(name).map(|(role, part)| (name, role, part))).collect();
    // Exact words before others, such as `x` before `X`.
    let best = |part: Option<Part>, wants_labels: bool| {
        let fitting =
            roles.iter().filter(|(_, role, of)| *of == part && matches!(role, Role::Labels(_)) == wants_labels);
        fitting.min_by_key(|(name, role, _)| match role {
            Role::Samples(place) | Role::Labels(place) => (*place, name.chars().any(char::is_uppercase)),
        })
    };
    let mut notes = Vec::new();
    let orders = [None, Some(Part::Test), Some(Part::Validation), Some(Part::Train)];
    let (samples, part) = match (&options.x, options.split) {
        (Some(name), _) => (named(name, "x")?, role(name).and_then(|(_, part)| part).or(options.split)),
        (None, Some(part)) => {
            let found = best(Some(part), false).map(|(name, ..)| (*name).clone());
            let reason = || format!("contains no samples of split={}; it contains {}", part.as_str(), listed());
            (found.ok_or_else(reason)?, Some(part))
        }
        (None, None) => {
            let found = orders.iter().find_map(|&part| best(part, false).map(|(name, ..)| ((*name).clone(), part)));
            let (samples, part) = found.ok_or_else(|| {
                format!(
                    "contains no array of a known name such as x, x_test, images, data or arr_0; it contains {}. \
                         Name one with x=NAME.",
                    listed()
                )
            })?;
            let others: Vec<&(&String, Role, Option<Part>)> =
                roles.iter().filter(|(name, role, _)| **name != samples && matches!(role, Role::Samples(_))).collect();
            if let Some((other, _, of)) = others.first() {
                let all = others.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", ");
                let note = Note::new(format!("the samples are those of {samples}; the file also contains {all}"));
                notes.push(match of {
                    Some(of) => note.or_option("split", of.as_str()),
                    None => note.or_option("x", other),
                });
            }
            (samples, part)
        }
    };
    let labels = match options.y.as_deref() {
        Some(NO_LABELS) => None,
        Some(name) => Some(named(name, "y")?),
        None => {
            let of_part = best(part, true).or_else(|| best(None, true));
            // The only labels of the file belong to samples without a part.
            let only = || orders.iter().filter_map(|&part| best(part, true)).next().filter(|_| part.is_none());
            let found = of_part.or_else(only).filter(|(name, ..)| **name != samples);
            let others = || {
                let same = |(name, role, of): &&(&String, Role, Option<Part>)| {
                    matches!(role, Role::Labels(_))
                        && Some(of) == found.map(|(_, _, of)| of)
                        && Some(name) != found.map(|f| &f.0)
                };
                roles.iter().filter(same).map(|(name, ..)| name.as_str()).filter(|name| *name != samples)
            };
            if let (Some((name, ..)), Some(other)) = (found, others().next()) {
                let all = others().collect::<Vec<_>>().join(", ");
                let text = format!("the labels are those of {name}; the file also contains {all}");
                notes.push(Note::new(text).or_option("y", other));
            }
            found.map(|(name, ..)| (*name).clone())
        }
    };
    Ok(Chosen { samples, labels, notes })
}

/// The name of the labels in an archive of labels alone; `arr_0` counts.
pub(super) fn labels_of(names: &[String]) -> Option<String> {
    let place = |name: &String| match role(name)?.0 {
        Role::Labels(place) => Some(place),
        Role::Samples(_) => None,
    };
    let labels = names.iter().filter_map(|name| Some((place(name)?, name))).min_by_key(|(place, _)| *place);
    labels.map(|(_, name)| name.clone()).or_else(|| names.iter().find(|name| *name == "arr_0").cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::OtherChoice;

    fn chosen(names: &[&str], options: &ReadOptions) -> Result<Chosen, String> {
        choose(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), options)
    }

    fn pair(names: &[&str]) -> (String, String) {
        let chosen = chosen(names, &ReadOptions::default()).unwrap();
        (chosen.samples, chosen.labels.unwrap_or_default())
    }

    #[test]
    fn names_of_usual_packages() {
        for (names, samples, labels) in [
            (&["x", "y"][..], "x", "y"),
            (&["y", "X"], "X", "y"),
            (&["data", "target"], "data", "target"),
            (&["arr_0", "arr_1"], "arr_0", "arr_1"),
            (&["x_train", "y_train", "x_test", "y_test"], "x_test", "y_test"),
            (
                &["train_images", "val_images", "test_images", "train_labels", "val_labels", "test_labels"],
                "test_images",
                "test_labels",
            ),
            (&["testX", "testY"], "testX", "testY"),
            (&["x_test", "y"], "x_test", "y"),
            (&["images"], "images", ""),
            (&["train", "train_labels"], "train", "train_labels"),
            (&["Inputs", "Targets"], "Inputs", "Targets"),
        ] {
            assert_eq!(pair(names), (samples.to_owned(), labels.to_owned()), "{names:?}");
        }
    }

    #[test]
    fn other_parts_are_told_and_can_be_chosen() {
        let names = ["train_images", "test_images", "train_labels", "test_labels"];
        let notes = chosen(&names, &ReadOptions::default()).unwrap().notes;
        assert_eq!(notes[0].other, Some(OtherChoice::Option { key: "split", value: "train".into() }));
        let train = chosen(&names, &ReadOptions { split: Some(Part::Train), ..ReadOptions::default() }).unwrap();
        assert_eq!((train.samples.as_str(), train.labels.as_deref()), ("train_images", Some("train_labels")));
        assert!(train.notes.is_empty());
        let two = chosen(&["x", "y", "labels"], &ReadOptions::default()).unwrap();
        assert_eq!(two.labels.as_deref(), Some("y"));
        assert_eq!(two.notes[0].other, Some(OtherChoice::Option { key: "y", value: "labels".into() }));
        let stated = ReadOptions { x: Some("z".into()), y: Some("none".into()), ..ReadOptions::default() };
        let stated = chosen(&["z", "y"], &stated).unwrap();
        assert_eq!((stated.samples.as_str(), stated.labels), ("z", None));
        let absent = ReadOptions { split: Some(Part::Validation), ..ReadOptions::default() };
        assert!(chosen(&names, &absent).unwrap_err().contains("split=val"));
        assert!(chosen(&["z"], &ReadOptions::default()).unwrap_err().contains("contains z"));
    }
}
