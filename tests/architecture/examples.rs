//! Small source trees that break one rule each, and their counterparts that keep it.

use super::folders::find_folder_faults;
use super::rules::check;

/// Declares the modules of all examples.
const LIBRARY: &str = "pub mod top; pub mod middle; pub mod bottom; pub mod error; pub use error::Error;";

/// The report on a library with three floors, `top`, `middle` and `bottom`, and the ground; `files` adds to or replaces them.
fn report(files: &[(&str, &str)]) -> String {
    let mut sources = super::model::Sources::new();
    for (name, text) in [("lib.rs", LIBRARY), ("error.rs", "pub struct Error;")] {
        sources.insert(name.into(), text.into());
    }
    for name in ["top", "middle", "bottom"] {
        let prefix = [format!("{name}.rs"), format!("{name}/mod.rs")];
        if !files.iter().any(|(file, _)| prefix.iter().any(|own| own == file)) {
            sources.insert(format!("{name}.rs"), String::new());
        }
    }
    sources.extend(files.iter().map(|(name, text)| (name.to_string(), text.to_string())));
    check(&sources, "main,top,middle,bottom,error").unwrap().to_string()
}

#[track_caller]
fn assert_clean(files: &[(&str, &str)]) {
    assert_eq!(report(files), "upward imports: 0, import cycles: 0\n");
}

/// The report's lines after the summary are `expected`.
#[track_caller]
fn assert_faults(files: &[(&str, &str)], expected: &[&str]) {
    let report = report(files);
    assert_eq!(report.lines().skip(1).collect::<Vec<_>>(), expected, "{report}");
}

const ITEM: (&str, &str) = ("middle.rs", "pub struct Item; pub fn item() {} pub const LIMIT: u8 = 1;");
const UPWARD: &str = "src/bottom.rs:1 imports middle::Item (src/middle.rs): bottom lies below middle";

#[test]
fn an_upward_import_is_found_and_a_downward_one_is_not() {
    assert_faults(&[ITEM, ("bottom.rs", "use crate::middle::Item;")], &[UPWARD]);
    assert_faults(&[ITEM, ("bottom.rs", "use super::middle::Item as Other;")], &[UPWARD]);
    assert_clean(&[ITEM, ("top.rs", "use crate::middle::Item;"), ("bottom.rs", "use crate::{Error, bottom};")]);
    let files = [ITEM, ("bottom.rs", "use crate::middle::Item;")];
    assert!(report(&files).starts_with("upward imports: 1, import cycles: 0\n"));
}

#[test]
fn the_ground_imports_no_floor_and_the_binary_imports_all() {
    let error = ("error.rs", "pub struct Error(crate::bottom::Part);");
    let bottom = ("bottom.rs", "pub struct Part;");
    assert_faults(&[bottom, error], &["src/error.rs:1 imports bottom::Part (src/bottom.rs): error lies below bottom"]);
    assert_clean(&[ITEM, bottom, ("main.rs", "use spikescope::{Error, bottom::Part, middle}; type A = middle::Item;")]);
}

#[test]
fn paths_in_code_are_found() {
    let codes = [
        "fn f() -> crate::middle::Item { todo!() }",
        "fn f() { let _ = crate::middle::Item; }",
        "use crate::middle; fn f(_: &middle::Item) {}",
        "fn f() { use crate::middle as m; g::<m::Item>(m::Item) }",
        "fn f() { println!(\"{:?}\", crate::middle::Item::default()); }",
        "fn f() -> bool { matches!(g(), crate::middle::Item if true) }",
        "macro_rules! make { () => { $crate::middle::Item } }",
        "lines! { a => crate::middle::Item; b ~ 3 }",
        "impl From<crate::middle::Item> for u8 {}",
        "#[derive(Debug)] struct A { #[serde(with = \"crate::middle::Item\")] a: u8 }",
        "#[arg(value_parser = crate::middle::Item)] struct A;",
        "#[cfg(target_arch = \"x86_64\")] use crate::middle::Item;",
        "#[cfg(not(test))] use crate::middle::Item;",
        "mod inner { use super::super::middle::Item; }",
        "use crate::middle::Item::{self, Variant};",
        "use crate::middle::*; fn f(_: Item) {}",
    ];
    for code in codes {
        let report = report(&[ITEM, ("bottom.rs", code)]);
        assert!(report.contains(UPWARD), "{code}: {report}");
    }
    let constant = ("bottom.rs", "use crate::middle::*; fn f(n: u8) -> bool { match n { LIMIT => true, _ => false } }");
    assert!(report(&[ITEM, constant]).contains("middle::LIMIT"));
}

#[test]
fn lines_are_those_of_the_name_in_a_group() {
    let bottom = ("bottom.rs", "use crate::{\n    Error,\n    middle::{\n        Item,\n        item,\n    },\n};");
    let item = "src/bottom.rs:5 imports middle::item (src/middle.rs): bottom lies below middle";
    assert_faults(&[ITEM, bottom], &[&UPWARD.replace(":1", ":4"), item]);
}

#[test]
fn tests_other_crates_and_own_names_are_skipped() {
    let codes = [
        "#[cfg(test)] mod tests { use crate::middle::Item; }",
        "#[cfg(test)] mod tests;",
        "#[cfg(all(test, unix))] use crate::middle::Item;",
        "#[test] fn f() { crate::middle::item() }",
        "struct A; impl A { #[cfg(test)] fn f() { crate::middle::item() } }",
        "fn f() { #[cfg(test)] crate::middle::item(); }",
        "/// [`crate::middle::Item`]\npub(in crate::bottom) struct A;",
        "use other::middle::Item; fn f(_: ::middle::Item, _: Item) {}",
        "mod middle { pub struct Item; } use middle::Item;",
        "enum Item { A } fn f() { Item::A; }",
    ];
    for code in codes {
        let report = report(&[ITEM, ("bottom.rs", code), ("bottom/tests.rs", "use crate::middle::Item;")]);
        assert_eq!(report, "upward imports: 0, import cycles: 0\n", "{code}");
    }
}

#[test]
fn reexports_lead_to_the_file_that_defines_the_item() {
    let part = ("middle/part.rs", "pub struct Part; pub struct Other;");
    let through = [
        ("pub mod part; pub use part::Part;", "use crate::middle::Part;"),
        ("mod part; pub use self::part::*;", "use crate::middle::Part;"),
        ("mod part; pub use part::Part as Renamed;", "use crate::middle::Renamed;"),
        ("mod part; pub mod names { pub use super::part::Part; }", "use crate::middle::names::Part;"),
        ("pub mod part; pub use part as alias;", "use crate::middle::alias; fn f(_: alias::Part) {}"),
        ("pub mod part; pub fn part() {}", "use crate::middle::part; fn f(_: part::Part) {}"),
    ];
    for (middle, bottom) in through {
        let report = report(&[part, ("middle/mod.rs", middle), ("bottom.rs", bottom)]);
        let expected = "src/bottom.rs:1 imports middle::part::Part (src/middle/part.rs): bottom lies below middle";
        assert!(report.contains(expected), "{middle} {bottom}: {report}");
    }
    // A re-export of what is not below the module is an import of that module.
    assert_faults(&[ITEM, ("bottom.rs", "pub use crate::middle::Item;")], &[UPWARD]);
}

#[test]
fn cycles_of_files_are_found_with_every_step() {
    let lib = ("bottom/mod.rs", "mod a; mod b; mod c; mod d;");
    let a = ("bottom/a.rs", "pub struct A;\nuse super::b::B;");
    let b = ("bottom/b.rs", "pub struct B(super::c::C);");
    let c = ("bottom/c.rs", "pub struct C;\n\nfn f() { crate::bottom::a::A; }");
    let d = ("bottom/d.rs", "use super::a::A;");
    assert_clean(&[lib, a, b, d, ("bottom/c.rs", "pub struct C;")]);
    let expected = [
        "cycle in src/bottom/ among 3 entries: a.rs, b.rs, c.rs",
        "    src/bottom/a.rs:2 -> src/bottom/b.rs (bottom::b::B)",
        "    src/bottom/b.rs:1 -> src/bottom/c.rs (bottom::c::C)",
        "    src/bottom/c.rs:3 -> src/bottom/a.rs (bottom::a::A)",
    ];
    assert_faults(&[lib, a, b, c, d], &expected);
    assert!(report(&[lib, a, b, c, d]).starts_with("upward imports: 0, import cycles: 1 (src/bottom/: 3 entries)\n"));
}

#[test]
fn cycles_of_folders_are_found_in_the_folder_around_them() {
    let files = [
        ("bottom/mod.rs", "mod x; mod y;"),
        ("bottom/x/mod.rs", "pub mod one; pub mod two;"),
        ("bottom/y/mod.rs", "pub mod one; pub mod two;"),
        ("bottom/x/one.rs", "pub struct One;"),
        ("bottom/x/two.rs", "use super::super::y::one::One;"),
        ("bottom/y/one.rs", "pub struct One;"),
        ("bottom/y/two.rs", "use crate::bottom::x::one::One;"),
    ];
    let expected = [
        "cycle in src/bottom/ among 2 entries: x/, y/",
        "    src/bottom/x/two.rs:1 -> src/bottom/y/one.rs (bottom::y::one::One)",
        "    src/bottom/y/two.rs:1 -> src/bottom/x/one.rs (bottom::x::one::One)",
    ];
    assert_faults(&files, &expected);
    assert_clean(&files[..6].iter().copied().chain([("bottom/y/two.rs", "")]).collect::<Vec<_>>());
}

#[test]
fn a_module_file_with_items_is_an_entry_of_its_folder() {
    let child = ("bottom/a.rs", "pub struct A;\nuse super::Shared;");
    let listing = ("bottom/mod.rs", "mod a; mod shared; pub use a::A; pub use shared::Shared;");
    assert_clean(&[child, listing, ("bottom/shared.rs", "pub struct Shared;")]);
    // Lending a child's name is no import; using it is.
    assert_clean(&[child, ("bottom/mod.rs", "mod a; pub use a::A; pub struct Shared;")]);
    let steps = |parent: &str, entry: &str| {
        [
            format!("cycle in src/bottom/ among 2 entries: a.rs, {entry}"),
            format!("    src/bottom/a.rs:2 -> src/{parent} (bottom::Shared)"),
            format!("    src/{parent}:1 -> src/bottom/a.rs (bottom::a::A)"),
        ]
    };
    for text in ["mod a; pub use a::A; pub struct Shared(A);", "mod a; pub struct Shared(a::A);"] {
        for (parent, entry) in [("bottom/mod.rs", "mod.rs"), ("bottom.rs", "bottom.rs (parent)")] {
            let expected = steps(parent, entry);
            assert_faults(&[child, (parent, text)], &expected.each_ref().map(String::as_str));
        }
    }
}

#[test]
fn entries_on_no_floor_and_a_library_with_items_are_found() {
    let files = [("lib.rs", "mod top; mod middle; mod bottom; mod error; mod new; fn f() {}"), ("new.rs", "")];
    let expected = [
        "src/lib.rs defines items; it may only declare modules and re-export items",
        "src/new stands on no floor; add it to the order of floors",
    ];
    assert_faults(&files, &expected);
}

#[test]
fn full_deep_and_unnamed_folders_are_found() {
    let faults = |paths: &[String], folders: &[&str]| {
        let folders: Vec<String> = folders.iter().map(ToString::to_string).collect();
        find_folder_faults(paths, &folders, "`src/data/` reads samples; metadata/ and `ui/`")
    };
    let mut paths: Vec<String> =
        (0..21).map(|n| format!("ui/{n}.rs")).chain(["ui/0".into(), "ui/x/y.rs".into()]).collect();
    assert_eq!(faults(&paths, &["ui", "data", "ui/a/b"]), [""; 0]);
    paths.extend(["ui/mod.rs".into(), "ui/last".into()]);
    assert_eq!(faults(&paths, &["ui"]), ["src/ui/ has 23 entries; the maximum is 22"]);
    assert_eq!(
        faults(&[], &["meta", "ui/a/b/c"]),
        ["ARCHITECTURE.md does not name meta/", "src/ui/a/b/c is 4 folders below src; the maximum is 3"]
    );
}
