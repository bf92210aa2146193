//! Variables of a function, and the code inside macro calls.

use std::collections::BTreeSet;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Stmt};

/// What stands between the brackets of a macro call.
pub enum MacroCode {
    Arguments(Punctuated<Expr, syn::Token![,]>),
    Statements(Vec<Stmt>),
    Tokens,
}

impl MacroCode {
    pub fn new(call: &syn::Macro) -> Self {
        if let Ok(arguments) = call.parse_body_with(Punctuated::parse_terminated) {
            Self::Arguments(arguments)
        } else {
            call.parse_body_with(Block::parse_within).map_or(Self::Tokens, Self::Statements)
        }
    }
}

/// Names of the variables of a function, closures included.
#[derive(Default)]
pub struct Variables(pub BTreeSet<String>);

impl Variables {
    pub fn of(visit: impl FnOnce(&mut Self)) -> Self {
        let mut variables = Self::default();
        visit(&mut variables);
        variables
    }
}

impl<'ast> Visit<'ast> for Variables {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = pattern.ident.to_string();
        if is_variable(&name) {
            self.0.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        match MacroCode::new(call) {
            MacroCode::Arguments(arguments) => arguments.iter().for_each(|argument| self.visit_expr(argument)),
            MacroCode::Statements(statements) => statements.iter().for_each(|statement| self.visit_stmt(statement)),
            MacroCode::Tokens => {}
        }
    }
}

/// Whether a single name in a pattern is a variable, by its first letter; else it is a constant or a variant.
pub fn is_variable(name: &str) -> bool {
    !name.starts_with(char::is_uppercase)
}
