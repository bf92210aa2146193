//! Copy of the lab without worker threads, for drawing exports off screen.

use std::sync::Arc;

use crate::Result;
use crate::experiment::Snapshot;
use crate::lab::Lab;
use crate::progress::JobControl;

impl Lab {
    /// A copy of all displayed state; it requests no runs.
    pub fn offscreen_copy(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            view: self.view.clone(),
            run: self.run.clone(),
            finished: self.finished.clone(),
            snapshot: self.snapshot.clone(),
            lanes: self.lanes.clone(),
            sweep: self.sweep.clone(),
            history: self.history.clone(),
            snapshot_parts: self.snapshot_parts.with_snapshot(),
            attribution: self.attribution.shown(),
            trojans: self.trojans.shown(),
            ..Self::default()
        }
    }

    /// Sets the time cursor to step `t` and computes the snapshot there.
    ///
    /// # Errors
    /// Errors of the snapshot, and [`crate::Error::Cancelled`].
    pub fn set_step(&mut self, t: usize, control: &JobControl) -> Result<()> {
        self.view.cursor = Some(t);
        if let Some(run) = self.run.clone() {
            let focus = self.focus(&run);
            self.snapshot = Some(Arc::new(Snapshot::compute(run, focus, self.snapshot.as_deref(), control)?));
        }
        self.make_maps(control)
    }
}
