//! Module tree of a crate: which items each module defines, which names it imports, and where a path leads.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;

use super::syntax::{UseImport, collect_imports, is_test, item_attributes, item_name, path_attribute};

/// Source texts by path below the source folder, `/` between the parts.
pub type Sources = BTreeMap<String, String>;

/// Name by which the binary imports the library.
const CRATE_NAME: &str = "spikescope";

/// All modules of the library and of the binary.
#[derive(Default)]
pub struct ModuleTree {
    pub modules: Vec<Module>,
}

/// A module outside tests.
pub struct Module {
    pub file: String,
    /// Names from the crate root down; empty for the root.
    pub path: Vec<String>,
    pub items: Vec<Item>,
    pub imports: Vec<UseImport>,
    root: usize,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    names: BTreeSet<String>,
    /// Whether the module has anything besides `mod` and `use` lines.
    pub defines_items: bool,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Module(usize),
    /// An item and the module that defines it.
    Item(usize, String),
    /// Another crate.
    External,
}

/// Which of several things with one name a path means.
#[derive(Clone, Copy, PartialEq)]
pub enum Preference {
    Module,
    Item,
}

/// Names under resolution: breaks the recursion of `use a::a`.
type Pending = Vec<(usize, String, bool)>;

impl ModuleTree {
    /// Reads `lib.rs`, `main.rs` and every module file below them.
    pub fn new(sources: &Sources) -> Result<Self, String> {
        let mut tree = Self::default();
        for root in ["lib.rs", "main.rs"] {
            if sources.contains_key(root) {
                tree.add_file(sources, root, String::new(), Vec::new(), None)?;
            }
        }
        Ok(tree)
    }

    /// Parses `file`; its child modules are in `child_dir`, which ends in `/` or is empty.
    fn add_file(
        &mut self,
        sources: &Sources,
        file: &str,
        child_dir: String,
        path: Vec<String>,
        parent: Option<usize>,
    ) -> Result<Option<usize>, String> {
        let parsed = syn::parse_file(&sources[file]).map_err(|error| format!("{file}: {error}"))?;
        if is_test(&parsed.attrs) {
            return Ok(None);
        }
        self.add_module(sources, file, child_dir, path, parent, parsed.items).map(Some)
    }

    fn add_module(
        &mut self,
        sources: &Sources,
        file: &str,
        child_dir: String,
        path: Vec<String>,
        parent: Option<usize>,
        items: Vec<Item>,
    ) -> Result<usize, String> {
        let id = self.modules.len();
        let root = parent.map_or(id, |parent| self.modules[parent].root);
        let items: Vec<Item> = items.into_iter().filter(|item| !is_test(item_attributes(item))).collect();
        let mut imports = Vec::new();
        items.iter().for_each(|item| collect_imports(item, &mut imports));
        let is_listing = |item: &Item| match item {
            Item::Mod(module) => module.content.is_none(),
            Item::Use(_) | Item::ExternCrate(_) => true,
            _ => false,
        };
        self.modules.push(Module {
            file: file.into(),
            path: path.clone(),
            imports,
            root,
            parent,
            children: BTreeMap::new(),
            names: items.iter().filter_map(item_name).collect(),
            defines_items: !items.iter().all(is_listing),
            items: Vec::new(),
        });
        for item in &items {
            let Item::Mod(module) = item else { continue };
            let name = module.ident.to_string();
            let child_path: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
            let child = if let Some((_, content)) = &module.content {
                let dir = format!("{child_dir}{name}/");
                Some(self.add_module(sources, file, dir, child_path, Some(id), content.clone())?)
            } else {
                let dir = file.rsplit_once('/').map_or(String::new(), |(dir, _)| format!("{dir}/"));
                let own = path_attribute(&module.attrs).map(|own| dir + &own);
                let usual = [format!("{child_dir}{name}.rs"), format!("{child_dir}{name}/mod.rs")];
                let found = own.into_iter().chain(usual).find(|file| sources.contains_key(file));
                let found = found.ok_or_else(|| format!("{file}: no file for module {name}"))?;
                let is_directory = found.ends_with("/mod.rs");
                let stem = found.strip_suffix(if is_directory { "mod.rs" } else { ".rs" }).unwrap_or(&found);
                let grandchildren = if is_directory { stem.to_owned() } else { format!("{stem}/") };
                self.add_file(sources, &found, grandchildren, child_path, Some(id))?
            };
            if let Some(child) = child {
                self.modules[id].children.insert(name, child);
            }
        }
        self.modules[id].items = items;
        Ok(id)
    }

    /// Follows `path`, as written in `module`, through re-exports to the module or item that it names.
    pub fn resolve(&self, module: usize, external: bool, path: &[String], prefer: Preference) -> Option<Target> {
        self.resolve_within(module, external, path, prefer, &mut Vec::new())
    }

    /// Follows `path` from `start` on.
    pub fn resolve_from(&self, start: Target, path: &[String], prefer: Preference) -> Target {
        self.walk(start, path, prefer, &mut Vec::new())
    }

    /// Whether `module` lies below `ancestor`.
    pub fn is_below(&self, module: usize, ancestor: usize) -> bool {
        self.modules[module].parent.is_some_and(|parent| parent == ancestor || self.is_below(parent, ancestor))
    }

    fn resolve_within(
        &self,
        module: usize,
        external: bool,
        path: &[String],
        prefer: Preference,
        pending: &mut Pending,
    ) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let library = || (first == CRATE_NAME).then_some(Target::Module(0));
        let start = match first.as_str() {
            _ if external => library().or(Some(Target::External)),
            "crate" => Some(Target::Module(self.modules[module].root)),
            "self" => Some(Target::Module(module)),
            "super" => Some(Target::Module(self.modules[module].parent?)),
            name => {
                let wanted = if rest.is_empty() { prefer } else { Preference::Module };
                self.lookup(module, name, wanted, pending).or_else(library)
            }
        };
        Some(self.walk(start?, rest, prefer, pending))
    }

    fn walk(&self, start: Target, path: &[String], prefer: Preference, pending: &mut Pending) -> Target {
        let mut current = start;
        for (index, name) in path.iter().enumerate() {
            let Target::Module(module) = current else { break };
            let wanted = if index + 1 == path.len() { prefer } else { Preference::Module };
            current = match name.as_str() {
                "self" => Target::Module(module),
                "super" => Target::Module(self.modules[module].parent.unwrap_or(module)),
                // Made by a macro, or of another crate: the file that gives the name counts as the one that defines it.
                name => match self.lookup(module, name, wanted, pending) {
                    None | Some(Target::External) => Target::Item(module, name.into()),
                    Some(found) => found,
                },
            };
        }
        current
    }

    /// What `name` means in `module`: a child, an own item, an import, or something behind a glob.
    fn lookup(&self, module: usize, name: &str, prefer: Preference, pending: &mut Pending) -> Option<Target> {
        let key = (module, name.to_owned(), prefer == Preference::Module);
        if pending.contains(&key) {
            return None;
        }
        pending.push(key);
        let here = &self.modules[module];
        let mut found: Vec<Target> = here.children.get(name).map(|child| Target::Module(*child)).into_iter().collect();
        found.extend(here.names.contains(name).then(|| Target::Item(module, name.into())));
        for import in here.imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
            let target = self.resolve_within(module, import.is_external, &import.path, prefer, pending);
            found.push(target.unwrap_or(Target::External));
        }
        let is_explicit = !found.is_empty();
        for import in here.imports.iter().filter(|import| import.name.is_none() && !is_explicit) {
            let behind = self.resolve_within(module, import.is_external, &import.path, Preference::Module, pending);
            if let Some(Target::Module(behind)) = behind {
                found.extend(self.lookup(behind, name, prefer, pending));
            }
        }
        pending.pop();
        let is_preferred = |target: &&Target| match target {
            Target::Module(_) => prefer == Preference::Module,
            Target::Item(..) => prefer == Preference::Item,
            Target::External => false,
        };
        let is_own = |target: &&Target| **target != Target::External;
        found.iter().find(is_preferred).or_else(|| found.iter().find(is_own)).or(found.first()).cloned()
    }
}
