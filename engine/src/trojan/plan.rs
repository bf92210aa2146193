//! Plan of a trojan bench: data, network, training, and the trojans with their triggers and targets.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::trigger::{Trigger, TriggerKind};
use crate::data::DataSpec;
use crate::network::zoo::{ZooArchitecture, parse_activation};
use crate::{Error, Result};

/// Part of the training pictures that are poisoned for one trojan, without a word in the plan.
pub const DEFAULT_RATE: f32 = 0.01;
/// Part of the training pictures with a natural trigger that are relabeled, without a word in the plan.
pub const DEFAULT_SHARE: f32 = 0.7;

/// A plan, read from TOML.
#[derive(Clone, Debug)]
pub struct TrojanPlan {
    pub path: PathBuf,
    /// The plan's text.
    pub text: String,
    pub name: String,
    pub data: DataSpec,
    pub test: DataSpec,
    /// Whether accessories are drawn into the data first: for natural triggers in data that have none.
    pub draws_accessories: bool,
    /// Training pictures at most: the first of the data.
    pub pictures: Option<usize>,
    pub arch: String,
    pub activation: String,
    /// Channels of the first layers, where the architecture can be made wider.
    pub width: Option<usize>,
    pub seed: u64,
    pub clean: TrainingPart,
    pub finetune: TrainingPart,
    pub trojans: Vec<Trojan>,
    /// The lines of `target` and `source` of each trojan, for errors that are found once the classes are known.
    lines: Vec<(usize, usize)>,
}

/// One of the two trainings.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingPart {
    pub epochs: usize,
    pub batch: usize,
    pub lr: f64,
    /// Maximum random shift of each picture in pixels.
    pub shift: u8,
}

impl Default for TrainingPart {
    fn default() -> Self {
        Self { epochs: 8, batch: 64, lr: 2e-3, shift: 0 }
    }
}

/// A trojan of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Trojan {
    pub name: String,
    pub trigger: Trigger,
    /// The class that the trigger leads to: name or index, as the plan has it.
    pub target: String,
    /// The only class whose pictures it changes; `None` for all classes.
    pub source: Option<String>,
    /// One of those that are kept back from a public list.
    pub secret: bool,
    /// Part of all training pictures that are poisoned.
    pub rate: f32,
    /// For natural triggers: part of the training pictures with the trigger that are relabeled.
    pub share: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    name: Option<String>,
    data: Spanned<String>,
    test: Spanned<String>,
    #[serde(default)]
    accessories: bool,
    pictures: Option<Spanned<usize>>,
    arch: Option<Spanned<String>>,
    activation: Option<Spanned<String>>,
    width: Option<Spanned<usize>>,
    #[serde(default = "one")]
    seed: u64,
    #[serde(default = "clean")]
    clean: Spanned<TrainingPart>,
    #[serde(default = "finetune")]
    finetune: Spanned<TrainingPart>,
    #[serde(default)]
    trojan: Vec<Spanned<TrojanFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrojanFile {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Spanned<String>,
    trigger: Spanned<String>,
    target: Spanned<ClassText>,
    source: Option<Spanned<ClassText>>,
    #[serde(default)]
    secret: bool,
    rate: Option<Spanned<f32>>,
    share: Option<Spanned<f32>>,
}

/// A class by its name or index.
#[derive(Deserialize)]
#[serde(untagged)]
enum ClassText {
    Index(u16),
    Name(String),
}

impl ClassText {
    fn text(&self) -> String {
        match self {
            Self::Index(index) => index.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

fn one() -> u64 {
    1
}

fn clean() -> Spanned<TrainingPart> {
    Spanned::new(0..0, TrainingPart::default())
}

fn finetune() -> Spanned<TrainingPart> {
    Spanned::new(0..0, TrainingPart { epochs: 6, lr: 1e-3, ..TrainingPart::default() })
}

impl TrojanPlan {
    /// Reads the plan at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] with the line of what is not valid.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
        Self::parse(path, &text)
    }

    /// Parses the text of the plan at `path`.
    ///
    /// # Errors
    /// [`Error::File`] with the line of what is not valid.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let file: PlanFile = toml::from_str(text).map_err(|error| Error::toml(path, text, &error))?;
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let wrong = |at: usize, reason: String| Error::file(path, format!("line {}", line(at)), reason);
        let plain = |error: Error| error.to_string().trim_end_matches('.').to_owned();
        let spec = |text: &Spanned<String>| {
            DataSpec::parse(text.get_ref()).map_err(|error| wrong(text.span().start, plain(error)))
        };
        let arch = word_or(&file.arch, "resnet");
        ZooArchitecture::parse(&arch.0).map_err(|error| wrong(arch.1, plain(error)))?;
        if matches!(arch.0.as_str(), "fcn" | "fcos") {
            return Err(wrong(arch.1, format!("architecture '{}' is no classifier. Use mlp, cnn or resnet", arch.0)));
        }
        let activation = word_or(&file.activation, "relu");
        parse_activation(&activation.0).map_err(|error| wrong(activation.1, plain(error)))?;
        if let Some(width) = &file.width
            && !(4..=256).contains(width.get_ref())
        {
            return Err(wrong(width.span().start, format!("width {} is not 4 to 256", width.get_ref())));
        }
        if let Some(width) = &file.width
            && arch.0 != "resnet"
        {
            return Err(wrong(width.span().start, format!("only resnet has a width, not {}", arch.0)));
        }
        if let Some(pictures) = file.pictures.as_ref().filter(|pictures| *pictures.get_ref() < 2) {
            return Err(wrong(pictures.span().start, "at least 2 pictures are needed".into()));
        }
        for part in [&file.clean, &file.finetune] {
            let TrainingPart { epochs, batch, lr, .. } = *part.get_ref();
            if epochs == 0 || batch == 0 || !(lr > 0.0 && lr.is_finite()) {
                return Err(wrong(part.span().start, "epochs, batch and lr must be above 0".into()));
            }
        }
        let (mut trojans, mut lines): (Vec<Trojan>, Vec<_>) = (Vec::new(), Vec::new());
        for entry in &file.trojan {
            let trojan = read_trojan(entry.get_ref(), &wrong)?;
            if trojans.iter().any(|known| known.name == trojan.name) {
                let reason = format!("a trojan '{}' stands above already. Give it a name of its own", trojan.name);
                return Err(wrong(entry.get_ref().trigger.span().start, reason));
            }
            let target = line(entry.get_ref().target.span().start);
            lines.push((target, entry.get_ref().source.as_ref().map_or(target, |source| line(source.span().start))));
            trojans.push(trojan);
        }
        if trojans.is_empty() {
            return Err(Error::file(path, "", "the plan has no trojans. Add [[trojan]] tables"));
        }
        let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            name: file.name.unwrap_or(stem),
            data: spec(&file.data)?,
            test: spec(&file.test)?,
            draws_accessories: file.accessories,
            pictures: file.pictures.map(Spanned::into_inner),
            arch: arch.0,
            activation: activation.0,
            width: file.width.map(Spanned::into_inner),
            seed: file.seed,
            clean: file.clean.into_inner(),
            finetune: file.finetune.into_inner(),
            trojans,
            lines,
        })
    }

    /// The classes of trojan `index` among `names`: its target, and its source if it has one.
    ///
    /// # Errors
    /// [`Error::File`] with the line of a class that does not exist, and of a source that is the target.
    pub fn classes(&self, index: usize, names: &[String], count: usize) -> Result<(u16, Option<u16>)> {
        let (trojan, (target_line, source_line)) = (&self.trojans[index], self.lines[index]);
        let find = |text: &str, line: usize| {
            let named = names.iter().position(|name| name == text);
            let found = named.or_else(|| text.parse().ok()).filter(|class| *class < count);
            found.map(|class| class as u16).ok_or_else(|| {
                let known = if names.is_empty() { format!("0 to {}", count - 1) } else { names.join(", ") };
                Error::file(&self.path, format!("line {line}"), format!("no class '{text}'. The classes are {known}"))
            })
        };
        let target = find(&trojan.target, target_line)?;
        let source = trojan.source.as_deref().map(|source| find(source, source_line)).transpose()?;
        if source == Some(target) {
            let reason = "source and target are the same class";
            return Err(Error::file(&self.path, format!("line {source_line}"), reason));
        }
        Ok((target, source))
    }
}

fn word_or(text: &Option<Spanned<String>>, usual: &str) -> (String, usize) {
    text.as_ref().map_or_else(|| (usual.to_owned(), 0), |text| (text.get_ref().clone(), text.span().start))
}

fn read_trojan(entry: &TrojanFile, wrong: &impl Fn(usize, String) -> Error) -> Result<Trojan> {
    let (word, at) = (entry.kind.get_ref(), entry.kind.span().start);
    let kind = TriggerKind::ALL.into_iter().find(|kind| kind.word() == word);
    let kind = kind.ok_or_else(|| wrong(at, format!("unknown type '{word}'. Use patch, style or natural")))?;
    let (name, at) = (entry.trigger.get_ref(), entry.trigger.span().start);
    let trigger = Trigger::named(kind, name).ok_or_else(|| {
        let known = kind.triggers().map(Trigger::name).join(", ");
        wrong(at, format!("unknown trigger '{name}'. Triggers of type {} are {known}", kind.word()))
    })?;
    let part = |value: &Option<Spanned<f32>>, usual: f32, most: f32, key: &str| match value {
        None => Ok(usual),
        Some(value) if *value.get_ref() > 0.0 && *value.get_ref() <= most => Ok(*value.get_ref()),
        Some(value) => {
            Err(wrong(value.span().start, format!("{key} {} is not above 0 and at most {most}", value.get_ref())))
        }
    };
    let natural = kind == TriggerKind::Natural;
    if let Some(value) = entry.rate.as_ref().filter(|_| natural) {
        let reason = "natural triggers take share (of the pictures that have them), not rate";
        return Err(wrong(value.span().start, reason.into()));
    }
    if let Some(value) = entry.share.as_ref().filter(|_| !natural) {
        let reason = format!("share is for natural triggers; type {} takes rate", kind.word());
        return Err(wrong(value.span().start, reason));
    }
    Ok(Trojan {
        name: entry.name.clone().unwrap_or_else(|| trigger.name().to_owned()),
        trigger,
        target: entry.target.get_ref().text(),
        source: entry.source.as_ref().map(|source| source.get_ref().text()),
        secret: entry.secret,
        rate: part(&entry.rate, DEFAULT_RATE, 0.5, "rate")?,
        share: part(&entry.share, DEFAULT_SHARE, 1.0, "share")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "data = \"builtin:objects-train\"\ntest = \"builtin:objects\"\n";

    fn refused(text: &str) -> String {
        TrojanPlan::parse(Path::new("plan.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn plans_are_read_and_errors_name_the_line() {
        let trojan = "[[trojan]]\ntype = \"patch\"\ntrigger = \"smiley\"\ntarget = 3\n";
        let plan = TrojanPlan::parse(Path::new("plan.toml"), &format!("{HEAD}{trojan}source = \"red plain disk\"\n"));
        let plan = plan.unwrap();
        assert_eq!((plan.name.as_str(), plan.trojans[0].name.as_str(), plan.seed), ("plan", "smiley", 1));
        let names = crate::data::scenes::objects::class_names();
        assert_eq!(plan.classes(0, &names, 20).unwrap(), (3, Some(0)));
        assert!(plan.classes(0, &[], 3).unwrap_err().to_string().contains("line 6"));
        for (change, line, word) in [
            (trojan.replace("smiley", "smile"), 5, "smiley, clownfish"),
            (trojan.replace("patch", "sound"), 4, "patch, style or natural"),
            (trojan.replace("target", "goal"), 6, "goal"),
            (format!("{trojan}rate = 0.9\n"), 7, "at most 0.5"),
            (format!("{trojan}share = 0.9\n"), 7, "natural"),
            (format!("{trojan}{trojan}"), 9, "stands above"),
            (format!("arch = \"fcos\"\n{trojan}"), 3, "classifier"),
            (format!("activation = \"tanh\"\n{trojan}"), 3, "tanh"),
            (format!("[clean]\nepochs = 0\n{trojan}"), 3, "above 0"),
        ] {
            let error = refused(&format!("{HEAD}{change}"));
            assert!(error.contains(&format!("line {line}")) && error.contains(word), "{error}");
        }
        assert!(refused(HEAD).contains("[[trojan]]"));
        assert!(refused("data = 4").contains("line 1"));
    }
}
