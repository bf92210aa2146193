//! The success of trojans in a bench, measured recipe by recipe, each a part of its own.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::options::BenchOptions;
use super::scores::read_part;
use crate::Result;
use crate::progress::JobControl;
use crate::trojan::folder::{Planted, write_json};
use crate::trojan::survival::{SuccessRow, Survival};

/// The success in the ANN, or in the spiking network by one recipe: `success-NAME.json`.
#[derive(Serialize, Deserialize)]
struct Part {
    recipe: Option<String>,
    at: Vec<usize>,
    trojans: Vec<usize>,
    rows: Vec<SuccessRow>,
}

/// The success in the ANN and by every recipe, from parts or measured.
///
/// # Errors
/// Those of the networks and of the files; [`crate::Error::Cancelled`] when stopped, with the recipes finished in the folder.
pub(super) fn of_all(
    planted: &Planted,
    options: &BenchOptions,
    parts: &Path,
    control: &JobControl,
) -> Result<Vec<SuccessRow>> {
    let (mut rows, quiet) = (Vec::new(), control.without_events());
    let mut survival: Option<Survival<'_>> = None;
    let recipes = [None].into_iter().chain(options.recipes.iter().map(Some));
    for (k, recipe) in recipes.enumerate() {
        control.check()?;
        control.progress("success after conversion", k as f32 / (options.recipes.len() + 1) as f32);
        let at = if recipe.is_some() { options.at.as_slice() } else { &[] };
        let path = parts.join(format!("success-{}.json", recipe.map_or_else(|| "ann".into(), |name| file_word(name))));
        if path.is_file() {
            let part: Part = read_part(&path)?;
            if (part.recipe.as_ref(), part.at.as_slice(), &part.trojans) == (recipe, at, &options.trojans) {
                rows.extend(part.rows);
                continue;
            }
        }
        let survival = survival.get_or_insert_with(|| Survival::new(planted, &options.trojans, options.pictures));
        let measured = match recipe {
            None => survival.ann(&quiet)?,
            Some(name) => survival.snn(name, at, &quiet)?,
        };
        let (recipe, at, trojans) = (recipe.cloned(), at.to_vec(), options.trojans.clone());
        let part = Part { recipe, at, trojans, rows: measured };
        write_json(&path, &part)?;
        rows.extend(part.rows);
    }
    Ok(rows)
}

/// The name of a recipe as a part of a file's name.
fn file_word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}
