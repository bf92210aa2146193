//! The two rules of imports: a floor imports only floors below it, and the entries of a folder import each other in no cycle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{self, Display, Formatter};

use super::imports::{Import, find_imports};
use super::model::{ModuleTree, Sources};

/// What breaks the rules.
pub struct Report {
    /// Imports of a floor above.
    pub upward: Vec<String>,
    /// Entries of `src/` on no floor, and a `lib.rs` with items of its own.
    pub misplaced: Vec<String>,
    pub cycles: Vec<Cycle>,
    /// All imports between entries by folder, each with one import that makes it.
    pub edges: BTreeMap<String, Edges>,
}

/// First import by importing and imported entry.
pub type Edges = BTreeMap<String, BTreeMap<String, Import>>;

/// Entries of a folder that reach each other.
pub struct Cycle {
    pub folder: String,
    pub entries: Vec<String>,
    /// A shortest cycle among them.
    pub steps: Vec<Import>,
}

/// Applies both rules to a source tree; `floors` are the entries of the source folder from top to bottom.
pub fn check(sources: &Sources, floors: &str) -> Result<Report, String> {
    let tree = ModuleTree::new(sources)?;
    let floors: BTreeMap<&str, usize> = floors
        .split(',')
        .enumerate()
        .flat_map(|(floor, entries)| entries.split('+').map(move |entry| (entry.trim(), floor)))
        .collect();
    let places = Places::new(&tree);
    let mut misplaced: Vec<String> = Vec::new();
    if !places.listings.contains("lib.rs") {
        misplaced.push("src/lib.rs defines items; it may only declare modules and re-export items".into());
    }
    for entry in places.of.values().map(|place| top_entry(place)).collect::<BTreeSet<_>>() {
        if entry != "lib" && !floors.contains_key(entry) {
            misplaced.push(format!("src/{entry} stands on no floor; add it to the order of floors"));
        }
    }
    let mut upward = Vec::new();
    let mut edges: BTreeMap<String, Edges> = BTreeMap::new();
    for import in find_imports(&tree).into_iter().filter(|import| import.from != "lib.rs") {
        let [above, below] = [&import.from, &import.to].map(|file| top_entry(&places.of[file]));
        if let (Some(from), Some(to)) = (floors.get(above), floors.get(below))
            && to < from
        {
            upward.push(format!("{}: {above} lies below {below}", describe(&import)));
        }
        if let Some((folder, from, to)) = places.edge(&import) {
            edges.entry(folder).or_default().entry(from).or_default().entry(to).or_insert(import);
        }
    }
    let cycles = edges.iter().flat_map(|(folder, edges)| find_cycles(folder, edges)).collect();
    Ok(Report { upward, misplaced, cycles, edges })
}

/// "src/a.rs:3 imports b::Item (src/b.rs)".
fn describe(import: &Import) -> String {
    format!("src/{}:{} imports {} (src/{})", import.from, import.line, import.item, import.to)
}

/// Name of the entry of `src/` that holds a place, without its ending.
fn top_entry(place: &[String]) -> &str {
    place[0].trim_end_matches('/').trim_end_matches(".rs")
}

/// Where files count as entries.
struct Places {
    /// Folders and entry of each file; folders end in `/`.
    of: BTreeMap<String, Vec<String>>,
    /// Files that only declare modules and re-export items.
    listings: BTreeSet<String>,
}

impl Places {
    fn new(tree: &ModuleTree) -> Self {
        let files: BTreeSet<&String> = tree.modules.iter().map(|module| &module.file).collect();
        let stem = |file: &str| format!("{}/", file.trim_end_matches(".rs"));
        let has_folder = |file: &str| files.iter().any(|other| other.starts_with(&stem(file)));
        let place = |file: &String| {
            let mut parts: Vec<String> = file.split_inclusive('/').map(Into::into).collect();
            if let Some(name) = parts.pop_if(|_| has_folder(file)) {
                parts.extend([stem(&name), format!("{name} (parent)")]);
            }
            (file.clone(), parts)
        };
        let has_items: BTreeSet<&String> =
            tree.modules.iter().filter(|module| module.defines_items).map(|module| &module.file).collect();
        let is_listing = |file: &&&String| {
            let is_parent = ["mod.rs", "lib.rs"].contains(&file.rsplit('/').next().unwrap_or(file)) || has_folder(file);
            is_parent && !has_items.contains(*file)
        };
        let listings = files.iter().filter(is_listing).map(|file| file.to_string()).collect();
        Self { of: files.iter().map(|file| place(file)).collect(), listings }
    }

    /// The folder in which the files of an import part, and the entry of each there. A file that only lists its folder is no
    /// entry of it.
    fn edge(&self, import: &Import) -> Option<(String, String, String)> {
        let (from, to) = (&self.of[&import.from], &self.of[&import.to]);
        let depth = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let is_entry = |file: &str, place: &[String]| depth + 1 < place.len() || !self.listings.contains(file);
        (is_entry(&import.from, from) && is_entry(&import.to, to))
            .then(|| (from[..depth].concat(), from[depth].clone(), to[depth].clone()))
    }
}

/// The groups of entries that reach each other, the largest first.
fn find_cycles(folder: &str, edges: &Edges) -> Vec<Cycle> {
    let reach: BTreeMap<&String, BTreeSet<&String>> =
        edges.keys().map(|entry| (entry, shortest_paths(edges, entry).into_keys().collect())).collect();
    let mut seen = BTreeSet::new();
    let mut cycles = Vec::new();
    for (&entry, reached) in &reach {
        if !reached.contains(entry) || seen.contains(entry) {
            continue;
        }
        let entries: Vec<&String> = reached
            .iter()
            .copied()
            .filter(|other| reach.get(*other).is_some_and(|back| back.contains(entry)))
            .collect();
        seen.extend(entries.iter().copied());
        let shortest = entries.iter().map(|entry| shortest_cycle(edges, entry)).min_by_key(Vec::len);
        let entries = entries.into_iter().cloned().collect();
        cycles.push(Cycle { folder: folder.into(), entries, steps: shortest.unwrap_or_default() });
    }
    cycles.sort_by_key(|cycle| std::cmp::Reverse(cycle.entries.len()));
    cycles
}

/// The entries that `start` reaches in one step or more, each with the entry before it.
fn shortest_paths<'a>(edges: &'a Edges, start: &'a String) -> BTreeMap<&'a String, &'a String> {
    let mut before = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(entry) = queue.pop_front() {
        for next in edges.get(entry).into_iter().flat_map(BTreeMap::keys) {
            if !before.contains_key(next) {
                before.insert(next, entry);
                queue.push_back(next);
            }
        }
    }
    before
}

fn shortest_cycle(edges: &Edges, start: &String) -> Vec<Import> {
    let before = shortest_paths(edges, start);
    let mut steps = Vec::new();
    let mut entry = start;
    while let Some(&previous) = before.get(entry) {
        steps.push(edges[previous][entry].clone());
        entry = previous;
        if entry == start {
            break;
        }
    }
    steps.reverse();
    steps
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.upward.is_empty() && self.misplaced.is_empty() && self.cycles.is_empty()
    }

    /// One line of numbers: upward imports, cycles, and the number of entries in each cycle by folder.
    pub fn summary(&self) -> String {
        let mut by_folder: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for cycle in &self.cycles {
            by_folder.entry(&cycle.folder).or_default().push(cycle.entries.len());
        }
        let folders: Vec<String> = by_folder
            .iter()
            .map(|(folder, sizes)| {
                let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
                format!("src/{folder}: {} entries", sizes.join(" + "))
            })
            .collect();
        let folders = if folders.is_empty() { String::new() } else { format!(" ({})", folders.join("; ")) };
        format!("upward imports: {}, import cycles: {}{folders}", self.upward.len(), self.cycles.len())
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary())?;
        self.misplaced.iter().chain(&self.upward).try_for_each(|line| writeln!(f, "{line}"))?;
        for cycle in &self.cycles {
            let (folder, count) = (&cycle.folder, cycle.entries.len());
            writeln!(f, "cycle in src/{folder} among {count} entries: {}", cycle.entries.join(", "))?;
            for step in &cycle.steps {
                writeln!(f, "    src/{}:{} -> src/{} ({})", step.from, step.line, step.to, step.item)?;
            }
        }
        Ok(())
    }
}
