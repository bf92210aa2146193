//! Architecture: imports between the files of `src/` point down and form no cycle; folders are small and in ARCHITECTURE.md.
//!
//! Every `use` line and every path outside tests counts, followed through re-exports to the file that defines the item:
//!
//! 1. A floor (a top-level entry of `src/`, in the order of `rules::FLOORS`) imports only floors below it.
//! 2. The entries of a folder, files or folders, import each other in no cycle. A file `x.rs` and its folder `x/` are one
//!    entry from outside; inside `x/` the file is the entry `x.rs (parent)`. A `mod.rs` that only declares modules and
//!    re-exports items is no entry. A re-export of an own child is no import, unless code beside it uses the name.
//!
//! Method calls are not seen, only paths. `SPIKESCOPE_ARCHITECTURE_ROOT` names another source folder and
//! `SPIKESCOPE_ARCHITECTURE_FLOORS` another order, as in `rules::FLOORS`.

mod examples;
mod folders;
mod imports;
mod model;
mod rules;
mod syntax;
mod variables;

use std::env;
use std::path::PathBuf;

fn root() -> PathBuf {
    let own = || concat!(env!("CARGO_MANIFEST_DIR"), "/src").into();
    env::var_os("SPIKESCOPE_ARCHITECTURE_ROOT").map_or_else(own, PathBuf::from)
}

#[test]
fn imports_point_down_and_form_no_cycle() {
    let floors = env::var("SPIKESCOPE_ARCHITECTURE_FLOORS").unwrap_or_else(|_| rules::FLOORS.into());
    let report = rules::check(&folders::read_sources(&root()), &floors).unwrap_or_else(|error| panic!("{error}"));
    println!("{}", report.summary());
    assert!(report.edges.len() > 10, "imports were found in {} folders only; is the source read?", report.edges.len());
    assert!(report.is_clean(), "{report}");
}

#[test]
fn folders_are_small_and_in_the_map() {
    let faults = folders::check_folders(&root());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
