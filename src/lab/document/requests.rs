//! Requests to the engine: the next run when settings or race changed, the next snapshot when the view did.

use std::sync::Arc;
use std::time::Instant;

use crate::convert::NamedRecipe;
use crate::experiment::Snapshot;
use crate::experiment::adapt::Adapt;
use crate::lab::engine::{PreviewOrder, RunOrder};
use crate::lab::{Job, Lab};

impl Lab {
    /// Requests a run or a snapshot from the engine if the requested one is not current.
    pub(super) fn request_work(&mut self) {
        let lanes: Vec<NamedRecipe> = self.lanes.iter().map(|lane| lane.entry.clone()).collect();
        if self.reload || self.requested.as_ref() != Some(&self.settings) || self.requested_lanes != lanes {
            self.generation += 1;
            self.job = Some(Job { since: Some(Instant::now()), ..Job::default() });
            let adapt = std::mem::take(&mut self.adapt);
            let reload = std::mem::take(&mut self.reload);
            let preview = if reload || adapt != Adapt::Nothing { None } else { self.preview_order() };
            if self.finished.as_ref().is_some_and(|run| run.settings != self.settings) {
                self.outdated_since.get_or_insert_with(Instant::now);
            }
            let (generation, settings) = (self.generation, self.settings.clone());
            self.engine.request_run(RunOrder { generation, settings, reload, adapt, lanes: lanes.clone(), preview });
            self.requested_lanes = lanes;
            self.requested = Some(self.settings.clone());
        }
        self.request_maps();
        self.request_folders();
        let Some(run) = &self.run else { return };
        let focus = self.focus(run);
        let shows = |s: &Arc<Snapshot>| Arc::ptr_eq(&s.run, run) && s.focus.covers(&focus) && !s.lacks_samples();
        let shown = self.snapshot.as_ref().is_some_and(shows);
        let requested = self.requested_snapshot.as_ref().is_some_and(|(r, f)| Arc::ptr_eq(r, run) && f.covers(&focus));
        if !shown && !requested {
            self.snapshot_generation += 1;
            self.pending_snapshot = Some(self.snapshot_generation);
            self.requested_snapshot = Some((run.clone(), focus.clone()));
            self.engine.request_snapshot(self.snapshot_generation, run.clone(), focus, self.snapshot.clone());
        }
    }

    /// What a preview of the settings builds on, if a run of the same network and samples is finished.
    fn preview_order(&self) -> Option<PreviewOrder> {
        let whole = self.finished.clone()?;
        let same = (&self.settings.model, &self.settings.data) == (&whole.settings.model, &whole.settings.data);
        let mut focus = self.focus(&whole);
        // The cursor follows the end of the next run, unless it is set.
        focus.steps = self.view.cursor.unwrap_or(usize::MAX);
        same.then_some(PreviewOrder { whole, focus, known: self.snapshot.clone() })
    }
}
