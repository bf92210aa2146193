//! Race lane: another recipe on the same samples and the same T as the displayed run.

use std::sync::Arc;

use crate::convert::NamedRecipe;
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;

/// Maximum number of lanes of a race.
pub const MAX_LANES: usize = 18;

/// One recipe of the race and its result.
#[derive(Clone, Debug)]
pub struct Lane {
    pub entry: NamedRecipe,
    /// The finished run, or the error text; `None` until the lane has run.
    pub result: Option<Result<Arc<Run>, String>>,
}

impl Lane {
    /// A lane that has not run yet.
    pub fn new(entry: NamedRecipe) -> Self {
        Self { entry, result: None }
    }
    /// Settings of the lane for a run of `settings`: its recipe with the same T.
    pub fn settings(&self, settings: &Settings) -> Settings {
        settings.with_recipe(self.entry.recipe.clone())
    }
    /// The finished run, if it has the settings of this lane for `run`.
    pub fn run_beside(&self, run: &Run) -> Option<&Arc<Run>> {
        let result = self.result.as_ref()?.as_ref().ok()?;
        (result.settings == self.settings(&run.settings)).then_some(result)
    }
}
