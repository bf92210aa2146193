//! Text form of a data specification: kind, files and options, as they are read.

use std::path::Path;

use super::{DataSpec, Source};
use crate::data::digits::{self, Drawing, drawing};
use crate::data::events::Binning;
use crate::data::events::generator::EventSplit;
use crate::data::files::path_list::{split_pair, split_paths};
use crate::data::options::{ReadOptions, split_option};
use crate::data::scenes::generator::SceneSplit;
use crate::data::scenes::objects::ObjectSplit;
use crate::{Error, Result};

/// The options that each kind of data takes, besides those of [`Binning`] for events.
fn option_keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "idx" | "cifar10" | "cifar100" | "snntoolbox" => &["layout"],
        "images" => &["classes", "background", "layout"],
        "npz" => &["layout", "split", "x", "y", "classes"],
        "npy" => &["layout", "classes"],
        "events" => &["classes"],
        "masks" => &["fit", "size", "meaning", "void", "split", "background"],
        "voc" => &["fit", "size", "origin", "split", "background"],
        "yolo" => &["fit", "size", "split", "background"],
        "coco" => &["fit", "size", "background"],
        "builtin" => &["size", "difficulty", "seed"],
        _ => &[],
    }
}

impl DataSpec {
    /// Parses the text form.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the valid forms.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            // A whole sentence on an option has advice of its own.
            if let Some(why) = why.strip_prefix("Cannot use ").filter(|why| why.ends_with('.')) {
                return Error::Invalid(format!("Cannot open data '{text}': {why}"));
            }
            Error::Invalid(format!(
                "Cannot open data '{text}': {why}. Use idx:IMAGES,LABELS, cifar10:FILE, cifar100:FILE, images:FOLDER, npz:FILE, \
                 npy:SAMPLES,LABELS, snntoolbox:FOLDER, events:FILE[,frames=N], masks:FOLDER, voc:FOLDER, \
                 coco:FILE[,FOLDER], yolo:FOLDER, builtin:digits, builtin:scenes, builtin:objects or builtin:events-digits."
            ))
        };
        let (kind, rest) = text.trim().split_once(':').ok_or_else(|| bad("no data kind before a colon"))?;
        if kind == drawing::KIND {
            let drawing = Drawing::parse(rest)?;
            return Ok(Source::Drawn(drawing.to_string()).into());
        }
        let (files, options, binning) = split_options(kind, rest).map_err(|why| bad(&why))?;
        if files.trim().is_empty() {
            return Err(bad("no file named"));
        }
        let pair = || split_pair(files).ok_or_else(|| bad("one file of samples and one of labels needed"));
        let list = || Some(split_paths(files)).filter(|paths| !paths.is_empty()).ok_or_else(|| bad("no file named"));
        let source = match kind {
            "idx" => pair().map(|(images, labels)| Source::Idx { images, labels })?,
            "npy" => pair().map(|(samples, labels)| Source::Npy { samples, labels })?,
            "cifar10" => Source::Cifar10(list()?),
            "cifar100" => Source::Cifar100(list()?),
            "images" => Source::Images(list()?),
            "events" => Source::Events { paths: list()?, binning },
            "npz" => Source::Npz(files.trim().into()),
            "snntoolbox" => Source::Toolbox(files.trim().into()),
            "masks" => Source::Masks(files.trim().into()),
            "voc" => Source::Voc(files.trim().into()),
            "yolo" => Source::Yolo(files.trim().into()),
            "coco" => pair().map(|(file, pictures)| Source::Coco { file, pictures })?,
            "builtin" => {
                let (name, digits) = (files.trim(), digits::Split::from_name(files.trim()));
                if let Some(split) = EventSplit::from_name(name) {
                    let seeded = ReadOptions { seed: options.seed, ..ReadOptions::default() };
                    if options != seeded {
                        return Err(bad("generated recordings have one size; they take frames, us, polarity and seed"));
                    }
                    return Ok(Self { source: Source::EventDigits { split, binning }, options });
                }
                if digits.is_some() && options != ReadOptions::default() {
                    return Err(bad("digits have one size and difficulty; scenes take size, difficulty and seed"));
                }
                let scenes = SceneSplit::from_name(name).map(Source::Scenes);
                let objects = ObjectSplit::from_name(name).map(Source::Objects);
                let resized = options.size.is_some() || options.difficulty.is_some();
                if objects.is_some() && resized {
                    return Err(bad("objects have one size and difficulty; scenes take both"));
                }
                digits.map(Source::Builtin).or(scenes).or(objects).ok_or_else(|| {
                    bad("not built in; digits, scenes, objects and events-digits are, each also with -train")
                })?
            }
            _ => return Err(bad("unknown data kind")),
        };
        Ok(Self { source, options })
    }

    /// The same source with option `key` set to `value`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown option.
    pub fn with_option(&self, key: &str, value: &str) -> Result<Self> {
        let mut changed = self.clone();
        let invalid = |why: String| Error::Invalid(format!("Cannot read {self} with {key}={value}: {why}."));
        let is_of_binning = match &mut changed.source {
            Source::EventDigits { binning, .. } if Binning::GENERATED_KEYS.contains(&key) => {
                binning.set_option(key, value).map_err(invalid)?
            }
            Source::Events { binning, .. } => binning.set_option(key, value).map_err(invalid)?,
            _ => false,
        };
        let is_list = key == "split" && matches!(changed.source, Source::Voc(_) | Source::Masks(_) | Source::Yolo(_));
        if is_list {
            changed.options.set_list(value).map_err(invalid)?;
        }
        let is_known = is_of_binning || is_list || changed.options.set(key, value).map_err(invalid)?;
        if is_known { Ok(changed) } else { Err(invalid("there is no such option".into())) }
    }
}

/// The files of a specification without the options after them.
///
/// # Errors
/// The reason why an option is invalid, in a sentence.
fn split_options<'a>(kind: &str, rest: &'a str) -> Result<(&'a str, ReadOptions, Binning), String> {
    let (mut files, mut options, mut stated) = (rest, ReadOptions::default(), Vec::new());
    let is_generated =
        kind == "builtin" && EventSplit::from_name(rest.split(',').next().unwrap_or("").trim()).is_some();
    let (mut binning, of_binning): (Binning, &[&str]) = match kind {
        "events" => (Binning::default(), &Binning::KEYS),
        _ if is_generated => (Binning::of_digits(), &Binning::GENERATED_KEYS),
        _ => (Binning::default(), &[]),
    };
    let of_kind = if is_generated { &["seed"] } else { option_keys(kind) };
    let keys: Vec<&str> = of_kind.iter().chain(of_binning).copied().collect();
    // An existing path may look like one with options.
    while !Path::new(files.trim()).exists() {
        let (before, last) = files.rsplit_once(',').unwrap_or(("", files));
        let Some(option) = split_option(last, &keys) else { break };
        stated.insert(0, option);
        files = before;
    }
    let (_, last) = files.rsplit_once(',').unwrap_or(("", files));
    let is_word = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_');
    let is_known = |key: &str| ReadOptions::KEYS.iter().chain(&Binning::KEYS).any(|known| *known == key);
    let other = last.trim().split_once('=').filter(|(key, _)| is_known(key) || (last != files && is_word(key)));
    if let Some((key, _)) = other.filter(|_| !Path::new(files.trim()).exists() && !Path::new(last.trim()).exists()) {
        let options = match keys.as_slice() {
            [] => String::new(),
            keys => format!("; its options are {}", keys.join(", ")),
        };
        return Err(format!("{kind} takes no option {key}{options}"));
    }
    // The length of frames comes before their number.
    stated.sort_by_key(|(key, _)| *key != "us");
    for (key, value) in stated {
        if key == "split" && matches!(kind, "voc" | "masks" | "yolo") {
            options.set_list(value)?;
        } else if !(of_binning.contains(&key) && binning.set_option(key, value)?) {
            options.set(key, value)?;
        }
    }
    Ok((files, options, binning))
}
