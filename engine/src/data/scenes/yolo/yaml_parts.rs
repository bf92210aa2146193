//! The part of a data set that a `data.yaml` names: folders of pictures, and files that list pictures.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::super::parts::Folders;
use super::names::DataYaml;
use crate::data::Note;
use crate::data::files::text::utf8;
use crate::{Error, Result};

/// Parts in the order in which one is read that the user does not state.
const PARTS: [&str; 3] = ["val", "test", "train"];

/// Where pictures of a part are.
pub(super) enum Source {
    Folders(Folders),
    /// Pictures that a file lists, each with its name in the list, and its labels if it has some.
    List(Vec<ListedPicture>),
}

pub(super) struct ListedPicture {
    pub path: PathBuf,
    pub name: String,
    pub labels: Option<PathBuf>,
}

/// The parts that `yaml` names.
pub(super) fn parts(yaml: &DataYaml) -> Vec<&'static str> {
    PARTS.into_iter().filter(|part| !yaml.values(part).is_empty()).collect()
}

/// Sources of a part, each with the text that names it.
type NamedSources = Vec<(String, Source)>;

/// The sources of a part of the `yaml` at `path`, each with the text that names it: of `split`, else of the first of [`PARTS`] that
/// it names, with a note on the others.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a part or a folder that is not there, and with the line for a list of pictures that are not
/// there.
pub(super) fn sources(path: &Path, yaml: &DataYaml, split: Option<&str>) -> Result<(NamedSources, Option<Note>)> {
    let named = parts(yaml);
    let part = match split {
        Some(split) => split,
        None => named.first().copied().ok_or_else(|| {
            let reason = "names no folder of pictures (val, test or train). Open the folder instead: yolo:FOLDER";
            Error::file(path, "", reason)
        })?,
    };
    let values = yaml.values(part);
    if values.is_empty() {
        let reason = format!("has no part '{part}'. Use split with one of {}", named.join(", "));
        return Err(Error::file(path, "split", reason));
    }
    let dir = path.parent().unwrap_or(Path::new(""));
    let base = yaml.value("path").map(|base| dir.join(base)).filter(|base| base.is_dir());
    // Written elsewhere, the folder may be named from where the program ran, or from one folder too high.
    let bases: Vec<&Path> = base.iter().map(PathBuf::as_path).chain([dir]).collect();
    let source = |value: String| {
        let inner: PathBuf = normal_parts(&value).iter().collect();
        let found = bases.iter().map(|base| base.join(&value)).chain(bases.iter().map(|base| base.join(&inner)));
        let found = found.into_iter().find(|path| path.is_dir() || path.is_file()).ok_or_else(|| {
            let reason = format!("'{value}' is no folder or list of pictures. Open the folder instead: yolo:FOLDER");
            Error::file(path, part, reason)
        })?;
        let source = if found.is_file() {
            Source::List(listed(&found, &bases)?)
        } else {
            let targets = labels_for(&found).filter(|path| path.is_dir()).unwrap_or_else(|| found.clone());
            Source::Folders(Folders { pictures: found, targets, note: None })
        };
        Ok((inner.to_string_lossy().replace('\\', "/"), source))
    };
    let sources = values.into_iter().map(source).collect::<Result<Vec<_>>>()?;
    let others: Vec<&str> = named.into_iter().filter(|other| *other != part).collect();
    let note = others.first().filter(|_| split.is_none()).map(|other| {
        let text = format!("the part {part} is read; the file names also {}", others.join(", "));
        Note::new(text).or_option("split", *other)
    });
    Ok((sources, note))
}

/// The pictures that the file at `list` names, one a line: from its folder, from one of `bases`, or by the end of a path of another
/// machine.
fn listed(list: &Path, bases: &[&Path]) -> Result<Vec<ListedPicture>> {
    let bytes = std::fs::read(list).map_err(|e| Error::io(list, e))?;
    let own = list.parent().unwrap_or(Path::new(""));
    let lines = utf8(list, &bytes)?.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let picture = |(line, text): (usize, &str)| {
        let parts = normal_parts(text);
        let ends = (0..parts.len()).flat_map(|skip| {
            let end: PathBuf = parts[skip..].iter().collect();
            [own].into_iter().chain(bases.iter().copied()).map(move |base| (base.join(&end), end.clone()))
        });
        let absolute = Some((PathBuf::from(text), parts.iter().collect())).filter(|(path, _)| path.is_absolute());
        let (path, end) = absolute.into_iter().chain(ends).find(|(path, _)| path.is_file()).ok_or_else(|| {
            let reason = format!("lists '{text}', which is not there. Open the folder instead: yolo:FOLDER");
            Error::file(list, format!("line {line}"), reason)
        })?;
        let beside = path.with_extension("txt");
        let labels = labels_for(&path).map(|path| path.with_extension("txt")).into_iter().chain([beside]);
        let labels = labels.into_iter().find(|path| path.is_file());
        Ok(ListedPicture { path, name: end.to_string_lossy().replace('\\', "/"), labels })
    };
    lines.filter(|(_, text)| !text.is_empty()).map(picture).collect()
}

/// The path of the labels of `pictures`, as training programs find it: the last `images` in it is `labels`.
fn labels_for(pictures: &Path) -> Option<PathBuf> {
    let parts: Vec<Component<'_>> = pictures.components().collect();
    let at = parts.iter().rposition(|part| part.as_os_str() == "images")?;
    let labels = |(k, part): (usize, &Component<'_>)| {
        if k == at { OsStr::new("labels").to_owned() } else { part.as_os_str().to_owned() }
    };
    Some(parts.iter().enumerate().map(labels).collect())
}

/// The names in a path, which may be one of Windows, without `.`, `..` and what it begins with.
fn normal_parts(path: &str) -> Vec<String> {
    let names = path.split(['/', '\\']);
    names.filter(|name| !matches!(*name, "" | "." | "..") && !name.ends_with(':')).map(str::to_owned).collect()
}
