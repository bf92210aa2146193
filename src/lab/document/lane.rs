//! The race: other recipes on the same samples and over the same T as the run on the screen.

use std::sync::Arc;

use crate::convert::NamedRecipe;
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;

/// The most lanes a race has.
pub const MAX_LANES: usize = 16;

/// One recipe of the race and what came of it.
#[derive(Clone, Debug)]
pub struct Lane {
    pub entry: NamedRecipe,
    /// The finished run, or why there is none; `None` until it was its turn.
    pub result: Option<Result<Arc<Run>, String>>,
}

impl Lane {
    /// A lane that has not run yet.
    pub fn new(entry: NamedRecipe) -> Self {
        Self { entry, result: None }
    }
    /// What the lane computes beside a run of `settings`: its recipe over the same steps.
    pub fn settings(&self, settings: &Settings) -> Settings {
        settings.with_recipe(self.entry.recipe.clone())
    }
    /// The finished run, if it is of what a lane beside `run` computes.
    pub fn run_beside(&self, run: &Run) -> Option<&Arc<Run>> {
        let own = self.result.as_ref()?.as_ref().ok()?;
        (own.settings == self.settings(&run.settings)).then_some(own)
    }
}
