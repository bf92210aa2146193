//! Imports of one file from another: `use` lines and paths in code, resolved to the file that defines the item.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Item, Meta, Stmt};

use super::model::{ModuleTree, Preference, Target};
use super::syntax::{
    UseImport, collect_imports, impl_item_attributes, is_test, item_attributes, item_name, statement_attributes,
};
use super::variables::{MacroCode, Variables, is_variable};

/// A file that names an item of another file.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    pub from: String,
    /// Line of the first mention.
    pub line: usize,
    pub to: String,
    pub item: String,
}

/// All imports, one for each item that a file names, in order of files and lines.
pub fn find_imports(tree: &ModuleTree) -> Vec<Import> {
    let mut found = BTreeMap::new();
    for module in 0..tree.modules.len() {
        let mut finder =
            Finder { tree, module, blocks: vec![], locals: vec![], used: BTreeSet::new(), found: &mut found };
        tree.modules[module].items.iter().for_each(|item| finder.visit_item(item));
        let imports = tree.modules[module].imports.clone();
        imports.iter().for_each(|import| finder.add_use(import));
    }
    let mut imports: Vec<Import> =
        found.into_iter().map(|((from, to, item), line)| Import { from, line, to, item }).collect();
    imports.sort_by(|a, b| (&a.from, a.line, &a.item).cmp(&(&b.from, b.line, &b.item)));
    imports
}

/// Visits the code of one module.
struct Finder<'a> {
    tree: &'a ModuleTree,
    module: usize,
    /// Names that the blocks around the code define and import, innermost last.
    blocks: Vec<BlockNames>,
    /// Variables of the functions around the code.
    locals: Vec<BTreeSet<String>>,
    /// First names of the paths seen.
    used: BTreeSet<String>,
    /// First line by importing file, defining file and item.
    found: &'a mut BTreeMap<(String, String, String), usize>,
}

#[derive(Default)]
struct BlockNames {
    items: BTreeSet<String>,
    imports: Vec<UseImport>,
}

impl Finder<'_> {
    fn add(&mut self, target: &Target, line: usize) {
        let (module, name) = match target {
            Target::Module(module) => (*module, None),
            Target::Item(module, name) => (*module, Some(name.clone())),
            Target::External => return,
        };
        let definer = &self.tree.modules[module];
        let from = &self.tree.modules[self.module].file;
        // The crate root only re-exports.
        if definer.path.is_empty() || definer.file == *from {
            return;
        }
        let item = definer.path.iter().cloned().chain(name).collect::<Vec<_>>().join("::");
        let first = self.found.entry((from.clone(), definer.file.clone(), item)).or_insert(line);
        *first = line.min(*first);
    }

    /// A module that code goes through is no import by itself: the paths behind it are. A re-export of an own child is none
    /// either, unless code beside it uses the name.
    fn add_use(&mut self, import: &UseImport) {
        let prefer = if import.name.is_some() { Preference::Item } else { Preference::Module };
        let Some(target) = self.tree.resolve(self.module, import.is_external, &import.path, prefer) else { return };
        let is_passed = match (&target, &import.name) {
            (Target::Module(_), Some(name)) => self.used.contains(name),
            _ => false,
        };
        let is_lent = match &target {
            Target::Module(module) | Target::Item(module, _) => {
                import.is_reexport && self.tree.is_below(*module, self.module)
            }
            Target::External => true,
        };
        if !is_passed && !is_lent {
            self.add(&target, import.line);
        }
    }

    fn add_path(&mut self, external: bool, path: &[String], line: usize) {
        let Some(first) = path.first() else { return };
        let is_single = path.len() == 1;
        if is_single && self.locals.iter().any(|names| names.contains(first)) {
            return;
        }
        if !is_single {
            self.used.insert(first.clone());
        }
        let mut start = None;
        for block in self.blocks.iter().rev().filter(|_| !external) {
            if block.items.contains(first) {
                return;
            }
            if let Some(import) = block.imports.iter().find(|import| import.name.as_ref() == Some(first)) {
                let prefer = if is_single { Preference::Item } else { Preference::Module };
                let target = self.tree.resolve(self.module, import.is_external, &import.path, prefer);
                start = Some(target.unwrap_or(Target::External));
                break;
            }
        }
        let target = match start {
            Some(start) => Some(self.tree.resolve_from(start, &path[1..], Preference::Item)),
            None => self.tree.resolve(self.module, external, path, Preference::Item),
        };
        // A single name in code is never a module.
        if let Some(target) = target.filter(|target| !is_single || !matches!(target, Target::Module(_))) {
            self.add(&target, line);
        }
    }

    /// Paths of two names and more in code that has no known grammar.
    fn scan(&mut self, tokens: TokenStream, texts_are_paths: bool) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut line) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.finish_scanned(&mut path, line);
                    }
                    line = name.span().start().line;
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Punct(_) => {
                    self.finish_scanned(&mut path, line);
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    self.finish_scanned(&mut path, line);
                    colons = 0;
                    self.scan(group.stream(), texts_are_paths);
                }
                TokenTree::Literal(literal) => {
                    self.finish_scanned(&mut path, line);
                    colons = 0;
                    let text = literal.to_string();
                    if texts_are_paths && text.contains("::") {
                        let names: Vec<String> = text.trim_matches('"').split("::").map(Into::into).collect();
                        self.add_path(false, &names, literal.span().start().line);
                    }
                }
            }
        }
        self.finish_scanned(&mut path, line);
    }

    fn finish_scanned(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() > 1 {
            self.add_path(false, path, line);
        }
        path.clear();
    }

    fn within_function(&mut self, variables: Variables, visit: impl FnOnce(&mut Self)) {
        self.locals.push(variables.0);
        visit(self);
        self.locals.pop();
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        // Modules are visited by themselves, `use` lines in the end.
        if !is_test(item_attributes(item)) && !matches!(item, Item::Mod(_) | Item::Use(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if !is_test(impl_item_attributes(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within_function(Variables::of(|all| all.visit_item_fn(item)), |finder| visit::visit_item_fn(finder, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let variables = Variables::of(|all| all.visit_impl_item_fn(item));
        self.within_function(variables, |finder| visit::visit_impl_item_fn(finder, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let variables = Variables::of(|all| all.visit_trait_item_fn(item));
        self.within_function(variables, |finder| visit::visit_trait_item_fn(finder, item));
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let mut names = BlockNames::default();
        for statement in &block.stmts {
            if let Stmt::Item(item) = statement {
                names.items.extend(item_name(item));
                collect_imports(item, &mut names.imports);
            }
        }
        self.blocks.push(names);
        visit::visit_block(self, block);
        let names = self.blocks.pop().unwrap_or_default();
        names.imports.iter().for_each(|import| self.add_use(import));
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if !is_test(statement_attributes(statement)) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_test(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if !is_test(&variant.attrs) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !is_test(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    /// `pub(super)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.scan(list.tokens.clone(), list.path.is_ident("serde")),
            Meta::Path(_) | Meta::NameValue(_) => {}
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.last().map_or(0, |segment| segment.ident.span().start().line);
        self.add_path(path.leading_colon.is_some(), &names, line);
        visit::visit_path(self, path);
    }

    /// A constant in a pattern looks like a new variable.
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = pattern.ident.to_string();
        if !is_variable(&name) {
            self.add_path(false, &[name], pattern.ident.span().start().line);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        match MacroCode::new(call) {
            MacroCode::Arguments(arguments) => arguments.iter().for_each(|argument| self.visit_expr(argument)),
            MacroCode::Statements(statements) => statements.iter().for_each(|statement| self.visit_stmt(statement)),
            MacroCode::Tokens => self.scan(call.tokens.clone(), false),
        }
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if item.ident.is_some() {
            self.scan(item.mac.tokens.clone(), false);
        } else {
            self.visit_macro(&item.mac);
        }
    }
}
