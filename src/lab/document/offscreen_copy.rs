//! The lab as it stands, apart from the one on the screen: for pictures that are drawn while that goes on.

use std::sync::Arc;

use crate::Result;
use crate::experiment::Snapshot;
use crate::lab::Lab;
use crate::progress::JobControl;

impl Lab {
    /// What is drawn of the lab; it computes nothing by itself.
    pub fn offscreen_copy(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            view: self.view.clone(),
            run: self.run.clone(),
            snapshot: self.snapshot.clone(),
            lanes: self.lanes.clone(),
            history: self.history.clone(),
            ..Self::default()
        }
    }

    /// Puts the time cursor at step `t` and waits for what is seen there.
    ///
    /// # Errors
    /// What looking at the run gives; a stop.
    pub fn set_step(&mut self, t: usize, control: &JobControl) -> Result<()> {
        self.view.cursor = Some(t);
        if let Some(run) = self.run.clone() {
            let focus = self.focus(&run);
            self.snapshot = Some(Arc::new(Snapshot::compute(run, focus, self.snapshot.as_deref(), control)?));
        }
        Ok(())
    }
}
