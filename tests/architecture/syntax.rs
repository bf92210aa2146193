//! Parts of syntax items: names, attributes, `use` lines, and what is built for tests only.

use proc_macro2::TokenStream;
use syn::{Attribute, Expr, ImplItem, Item, Meta, Stmt, UseTree, Visibility};

/// One name of a `use` line.
#[derive(Clone)]
pub struct UseImport {
    /// Name in the importing module; none for a glob.
    pub name: Option<String>,
    /// Whether the path begins with `::`.
    pub is_external: bool,
    pub path: Vec<String>,
    pub is_reexport: bool,
    pub line: usize,
}

/// Adds the names that a `use` item imports.
pub fn collect_imports(item: &Item, into: &mut Vec<UseImport>) {
    let Item::Use(item) = item else { return };
    if !is_test(&item.attrs) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        collect_tree(&item.tree, item.leading_colon.is_some(), is_reexport, &mut Vec::new(), into);
    }
}

fn collect_tree(tree: &UseTree, external: bool, reexport: bool, prefix: &mut Vec<String>, into: &mut Vec<UseImport>) {
    let mut add = |name: Option<String>, last: Option<String>, line: usize| {
        let path: Vec<String> = prefix.iter().cloned().chain(last.filter(|last| last != "self")).collect();
        let name = name.map(|name| if name == "self" { path.last().cloned().unwrap_or_default() } else { name });
        into.push(UseImport { name, is_external: external, path, is_reexport: reexport, line });
    };
    match tree {
        UseTree::Name(leaf) => {
            let name = leaf.ident.to_string();
            add(Some(name.clone()), Some(name), leaf.ident.span().start().line);
        }
        UseTree::Rename(leaf) => {
            add(Some(leaf.rename.to_string()), Some(leaf.ident.to_string()), leaf.ident.span().start().line);
        }
        UseTree::Glob(glob) => add(None, None, glob.star_token.spans[0].start().line),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| collect_tree(tree, external, reexport, prefix, into));
        }
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            collect_tree(&path.tree, external, reexport, prefix, into);
            prefix.pop();
        }
    }
}

/// Whether the attributes keep an item to test builds.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => list.path.is_ident("cfg") && condition_needs_test(&list.tokens),
        Meta::NameValue(_) => false,
    })
}

fn condition_needs_test(condition: &TokenStream) -> bool {
    match syn::parse2::<Meta>(condition.clone()) {
        Ok(Meta::Path(path)) => path.is_ident("test"),
        Ok(Meta::List(list)) => {
            let parser = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
            let parts = syn::parse::Parser::parse2(parser, list.tokens.clone()).unwrap_or_default();
            let mut parts = parts.iter().map(|part| match part {
                Meta::Path(path) => path.is_ident("test"),
                Meta::List(inner) => {
                    let name = inner.path.get_ident().map(ToString::to_string).unwrap_or_default();
                    let tokens = &inner.tokens;
                    condition_needs_test(&format!("{name}({tokens})").parse().unwrap_or_default())
                }
                Meta::NameValue(_) => false,
            });
            list.path.is_ident("all") && parts.any(|needs| needs)
                || list.path.is_ident("any") && parts.len() > 0 && parts.all(|needs| needs)
        }
        _ => false,
    }
}

/// The file that `#[path]` names.
pub fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

/// The attributes of an item.
pub fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The attributes of an item of an `impl` block.
pub fn impl_item_attributes(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// The attributes of a statement.
pub fn statement_attributes(statement: &Stmt) -> &[Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(call) => &call.attrs,
        Stmt::Expr(Expr::Block(block), _) => &block.attrs,
        Stmt::Expr(Expr::If(branch), _) => &branch.attrs,
        Stmt::Expr(Expr::Call(call), _) => &call.attrs,
        Stmt::Expr(Expr::MethodCall(call), _) => &call.attrs,
        _ => &[],
    }
}

/// The name that an item defines.
pub fn item_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
