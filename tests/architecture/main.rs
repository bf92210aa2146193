//! Architecture: imports between the files of a package point down and form no cycle; folders are small and in ARCHITECTURE.md.
//!
//! Every `use` line and every path outside tests counts, followed through re-exports to the file that defines the item:
//!
//! 1. A floor (a top-level entry of `src/` or `engine/src/`, in the order of `PACKAGES`) imports only floors below it.
//! 2. The entries of a folder, files or folders, import each other in no cycle. A file `x.rs` and its folder `x/` are one
//!    entry from outside; inside `x/` the file is the entry `x.rs (parent)`. A `mod.rs` that only declares modules and
//!    re-exports items is no entry. A re-export of an own child is no import, unless code beside it uses the name.
//!
//! Method calls are not seen, only paths. `SPIKESCOPE_ARCHITECTURE_ROOT` names another source folder and
//! `SPIKESCOPE_ARCHITECTURE_FLOORS` another order, as in `PACKAGES`. That the engine imports nothing of the window, Cargo ensures.

mod examples;
mod folders;
mod imports;
mod model;
mod rules;
mod syntax;
mod variables;

use std::env;
use std::path::{Path, PathBuf};

/// Source folders of the packages, below the project, and the entries of each from top to bottom. Entries joined by `+` share a
/// floor and may import each other.
const PACKAGES: [(&str, &str); 2] = [
    ("src", "main,cli,ui,lesson,lab"),
    (
        "engine/src",
        "sweep,trojan,experiment,export,measure,task,train,explain,attack,simulate,convert,compute,network,data,pickle,ground",
    ),
];

/// The source folders to check, each with its floors.
fn packages() -> Vec<(PathBuf, String)> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    match env::var_os("SPIKESCOPE_ARCHITECTURE_ROOT") {
        Some(root) => vec![(root.into(), env::var("SPIKESCOPE_ARCHITECTURE_FLOORS").unwrap_or_default())],
        None => PACKAGES.map(|(root, floors)| (project.join(root), floors.to_owned())).into(),
    }
}

#[test]
fn imports_point_down_and_form_no_cycle() {
    for (root, floors) in packages() {
        let report = rules::check(&folders::read_sources(&root), &floors).unwrap_or_else(|error| panic!("{error}"));
        println!("{}: {}", root.display(), report.summary());
        assert!(
            report.edges.len() > 10,
            "imports were found in {} folders only; is the source read?",
            report.edges.len()
        );
        assert!(report.is_clean(), "{}: {report}", root.display());
    }
}

#[test]
fn folders_are_small_and_in_the_map() {
    let map = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md")).unwrap_or_default();
    let faults: Vec<String> = packages().iter().flat_map(|(root, _)| folders::check_folders(root, &map)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
