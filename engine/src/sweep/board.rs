//! Results of a sweep as they arrive: axes, figures and rows, read file by file for the screen.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::address::SourceDigests;
use super::figures::Figure;
use super::folder::{Names, fault_text, names, row_path};
use super::plan::Plan;
use super::row_file::RowFile;
use super::runner::addresses;
use crate::Result;
use crate::experiment::Settings;

/// Values that a folder without a plan may have on an axis; a setting with more is no axis.
const MAX_VALUES: usize = 512;

/// What is known of a sweep at a moment.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Name of the plan, or the folder.
    pub name: String,
    pub axes: Vec<BoardAxis>,
    /// Names of the figures, in alphabetical order.
    pub figures: Vec<String>,
    /// Finished rows by number.
    pub rows: Vec<BoardRow>,
    /// Rows of the plan; `None` for a folder without a plan.
    pub planned: Option<usize>,
    /// Files that are no rows of the plan, and why.
    pub others: Vec<(String, String)>,
    /// Unfinished files of processes, which run or were killed.
    pub temporary: usize,
}

/// What rows differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardAxis {
    pub key: String,
    /// In the order of the plan; in ascending order without one.
    pub values: Vec<String>,
}

/// A finished row.
#[derive(Clone, Debug)]
pub struct BoardRow {
    /// In the plan, or among the rows of the folder.
    pub number: usize,
    /// The position on each axis.
    pub at: Vec<usize>,
    /// Value of every figure; of one with a value for each step the last.
    pub figures: Arc<BTreeMap<String, f64>>,
    pub settings: Arc<Settings>,
    /// Whether the row is a run, which the lab can open; not an attack or an explanation.
    pub is_run: bool,
}

/// A row file that was read.
#[derive(Clone)]
struct Known {
    figures: Arc<BTreeMap<String, f64>>,
    settings: Arc<Settings>,
    work: Option<serde_json::Value>,
}

/// Reads a results folder again and again, every file once.
pub struct BoardReader {
    plan: Option<(Plan, Vec<Option<String>>)>,
    out: PathBuf,
    known: HashMap<String, Result<Known, String>>,
    listed: Option<Names>,
}

impl BoardReader {
    /// A reader of the results folder `out`; with a plan, of its rows.
    ///
    /// # Errors
    /// Those of the plan, and of the files that it names.
    pub fn new(plan: Option<&Path>, out: &Path) -> Result<Self> {
        let plan = match plan {
            None => None,
            Some(path) => {
                let plan = Plan::open(path)?;
                let addresses = addresses(&plan, &SourceDigests::default())?;
                Some((plan, addresses))
            }
        };
        Ok(Self { plan, out: out.to_owned(), known: HashMap::new(), listed: None })
    }

    /// What the folder holds now; `None` if that is what it held at the call before.
    ///
    /// # Errors
    /// [`crate::Error::Io`] for a folder that cannot be read.
    pub fn refresh(&mut self) -> Result<Option<Board>> {
        let listed = names(&self.out)?;
        // A file that was torn may be a row by now.
        let is_known = |address: &str| self.known.get(address).is_some_and(std::result::Result::is_ok);
        let unread: Vec<&str> = listed.rows.iter().map(String::as_str).filter(|address| !is_known(address)).collect();
        let read = |address: &str| (address.to_owned(), read(&row_path(&self.out, address), address));
        let read: Vec<_> = unread.into_par_iter().map(read).collect();
        let mut is_new = self.listed.as_ref() != Some(&listed);
        for (address, row) in read {
            let Some(row) = row else { continue };
            let same = matches!((&row, self.known.get(&address)), (Err(why), Some(Err(before))) if why == before);
            is_new |= !same;
            self.known.insert(address, row);
        }
        if !is_new {
            return Ok(None);
        }
        let present: BTreeSet<&String> = listed.rows.iter().collect();
        self.known.retain(|address, _| present.contains(address));
        let board = match &self.plan {
            Some((plan, addresses)) => self.of_plan(plan, addresses, &listed)?,
            None => self.of_folder(&listed),
        };
        self.listed = Some(listed);
        Ok(Some(board))
    }

    /// Rows of the plan, in its order.
    fn of_plan(&self, plan: &Plan, addresses: &[Option<String>], listed: &Names) -> Result<Board> {
        let axes: Vec<BoardAxis> =
            plan.axis_texts().into_iter().map(|(key, values)| BoardAxis { key, values: distinct(values) }).collect();
        let mut board = Board { name: plan.name.clone(), axes, planned: Some(plan.rows()), ..Board::default() };
        for (number, address) in addresses.iter().enumerate() {
            let Some(Ok(known)) = address.as_ref().and_then(|address| self.known.get(address)) else { continue };
            let row = plan.row(number)?;
            let position = |(axis, (_, text)): (&BoardAxis, (&str, String))| {
                axis.values.iter().position(|value| *value == text).unwrap_or(0)
            };
            let at = board.axes.iter().zip(row.varied_texts()).map(position).collect();
            board.rows.push(known.row(number, at));
        }
        let of_plan: BTreeSet<&String> = addresses.iter().flatten().collect();
        let foreign = self.known.iter().filter(|(address, row)| row.is_ok() && !of_plan.contains(address));
        board.others = foreign
            .map(|(address, _)| {
                (self.shown(address), "a row of another plan, other files or another version".to_owned())
            })
            .collect();
        Ok(self.completed(board, listed))
    }

    /// All rows; what their settings differ in are the axes.
    fn of_folder(&self, listed: &Names) -> Board {
        let rows: BTreeMap<&String, &Known> =
            self.known.iter().filter_map(|(address, row)| row.as_ref().ok().map(|row| (address, row))).collect();
        let flat: Vec<BTreeMap<String, String>> = rows.values().map(|known| known.flat()).collect();
        let keys: BTreeSet<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
        let text = |row: &BTreeMap<String, String>, key: &str| row.get(key).cloned().unwrap_or_else(|| "–".into());
        let mut axes = Vec::new();
        for key in keys {
            let values: BTreeSet<String> = flat.iter().map(|row| text(row, key)).collect();
            if (2..=MAX_VALUES).contains(&values.len()) {
                let mut values: Vec<String> = values.into_iter().collect();
                values.sort_by(|a, b| natural(a, b));
                axes.push(BoardAxis { key: key.clone(), values });
            }
        }
        let name = self.out.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut board = Board { name, axes, ..Board::default() };
        for (number, (known, flat)) in rows.values().zip(&flat).enumerate() {
            let position = |axis: &BoardAxis| {
                let own = text(flat, &axis.key);
                axis.values.iter().position(|value| *value == own).unwrap_or(0)
            };
            let at = board.axes.iter().map(position).collect();
            board.rows.push(known.row(number, at));
        }
        self.completed(board, listed)
    }

    /// `board` with its figures and the files that are no rows.
    fn completed(&self, mut board: Board, listed: &Names) -> Board {
        let names: BTreeSet<&String> = board.rows.iter().flat_map(|row| row.figures.keys()).collect();
        board.figures = names.into_iter().cloned().collect();
        let faults =
            self.known.iter().filter_map(|(address, row)| Some((self.shown(address), row.as_ref().err()?.clone())));
        board.others.extend(faults);
        let unknown = listed
            .unknown
            .iter()
            .map(|path| (path.strip_prefix(&self.out).unwrap_or(path).display().to_string(), "not a row".to_owned()));
        board.others.extend(unknown);
        board.others.sort();
        board.temporary = listed.temporary;
        board
    }

    fn shown(&self, address: &str) -> String {
        let path = row_path(&self.out, address);
        path.strip_prefix(&self.out).unwrap_or(&path).display().to_string()
    }
}

/// The row in the file at `path`, or what is wrong with it; `None` if it is gone.
fn read(path: &Path, address: &str) -> Option<Result<Known, String>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Err(error.to_string())),
    };
    Some(match RowFile::read(&bytes, address) {
        Ok(row) => Ok(Known {
            figures: Arc::new(
                row.figures.0.iter().filter_map(|(name, figure)| Some((name.clone(), last(figure)?))).collect(),
            ),
            settings: Arc::new(row.settings),
            work: row.work,
        }),
        Err(fault) => Err(fault_text(&fault)),
    })
}

fn last(figure: &Figure) -> Option<f64> {
    match figure {
        Figure::Value(value) => Some(*value),
        Figure::Steps(values) => values.last().copied(),
    }
}

impl Known {
    fn row(&self, number: usize, at: Vec<usize>) -> BoardRow {
        let (figures, settings) = (self.figures.clone(), self.settings.clone());
        BoardRow { number, at, figures, settings, is_run: self.work.is_none() }
    }

    /// The settings and the work as texts by their names.
    fn flat(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        flatten("", &serde_json::to_value(&*self.settings).unwrap_or_default(), &mut all);
        // What the screen calls T stands in the recipe.
        self.work.iter().for_each(|work| flatten("", work, &mut all));
        all
    }
}

/// Puts the leaves of `value` into `all`, by the last name on the way to them that is not taken.
fn flatten(name: &str, value: &serde_json::Value, all: &mut BTreeMap<String, String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let is_leaf = !value.is_object();
                let free = is_leaf && !all.contains_key(key);
                let name = if free || name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, all);
            }
        }
        serde_json::Value::Null => {}
        serde_json::Value::String(text) => _ = all.insert(name.to_owned(), text.clone()),
        other => _ = all.insert(name.to_owned(), other.to_string()),
    }
}

/// `values` without repetitions, in their order.
fn distinct(values: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    values.into_iter().filter(|value| seen.insert(value.clone())).collect()
}

/// Numbers by size, before other texts in the order of letters.
fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        _ => a.cmp(b),
    }
}
