//! Requests for attribution maps: what is missing for the panes on the screen, and what comes of it.

use std::sync::Arc;

use super::attribution_desk::{AttributionPage, Wanted};
use crate::experiment::explained::{PageKey, Side};
use crate::experiment::run::Run;
use crate::experiment::snapshot::parts::SnapshotPart;
use crate::lab::Lab;
use crate::lab::engine::{MapEvent, MapOrder, make_maps};
use crate::progress::JobControl;
use crate::{Error, Result};

impl Lab {
    /// The page of the sample in focus; `None` before its first part is there.
    pub fn attribution_page(&self) -> Option<&AttributionPage> {
        self.attribution.page(&self.page_key()?)
    }

    /// What the page of the sample in focus is called.
    fn page_key(&self) -> Option<PageKey> {
        let run = self.finished.as_ref()?;
        Some(self.view.attribution.page(self.view.sample.min(run.ann.samples.saturating_sub(1))))
    }

    /// The step whose spiking network is explained.
    pub fn explained_step(&self) -> usize {
        let steps = self.finished.as_ref().map_or(1, |run| run.steps());
        self.view.cursor.unwrap_or(usize::MAX).clamp(1, steps)
    }

    /// Requests the maps that are missing, if someone looks at them.
    pub(super) fn request_maps(&mut self) {
        let Some(run) = self.finished.clone() else { return };
        self.attribution.follow(&run);
        let Some((order, wanted)) = self.missing_maps(&run) else { return };
        if let Some(generation) = self.attribution.begin(wanted) {
            self.engine.request_maps(MapOrder { generation, ..order });
        }
    }

    /// What is missing for the panes on the screen; `None` if nothing is.
    fn missing_maps(&self, run: &Arc<Run>) -> Option<(MapOrder, Wanted)> {
        let choice = &self.view.attribution;
        let shows = |part| self.snapshot_parts.has(part);
        // While a control is dragged, the previews have the processor.
        if self.run.as_ref().is_some_and(|run| run.preview_of.is_some()) {
            return None;
        }
        let (page, steps) = (self.page_key()?, self.explained_step());
        let mut order = MapOrder {
            generation: 0,
            run: run.clone(),
            page: page.clone(),
            maps: Vec::new(),
            picture: false,
            curve: None,
        };
        if shows(SnapshotPart::Attribution) || choice.always {
            let known = self.attribution.page(&page);
            order.picture = known.is_none_or(|known| known.picture.is_none());
            for side in [Side::ANN, Side::snn(steps)] {
                let missing = choice.methods.iter().filter(|&&m| known.is_none_or(|page| page.map(side, m).is_none()));
                order.maps.extend(missing.map(|method| (side, *method)));
            }
        }
        let trojan = choice.trojan.as_ref().filter(|_| shows(SnapshotPart::Trojans) || choice.always);
        order.curve = trojan.filter(|trojan| self.attribution.curve(trojan).is_none()).cloned();
        let is_nothing = order.maps.is_empty() && !order.picture && order.curve.is_none();
        let wanted = (page, choice.methods.clone(), steps, order.curve.clone());
        (!is_nothing).then_some((order, wanted))
    }

    /// Cancels the maps in progress; what is missing is requested when something else is looked at.
    pub(super) fn stop_maps(&mut self) {
        self.engine.stop_maps();
    }

    pub(super) fn on_map_event(&mut self, generation: u64, page: &PageKey, event: MapEvent) {
        self.attribution.on_event(generation, page, event);
    }

    /// Makes the missing maps at once, for drawing off screen.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn make_maps(&mut self, control: &JobControl) -> Result<()> {
        let Some(run) = self.finished.clone() else { return Ok(()) };
        let Some((order, _)) = self.missing_maps(&run) else { return Ok(()) };
        let mut parts = Vec::new();
        let result = make_maps(&order, control, &mut |event| parts.push(event));
        for event in parts {
            self.on_map_event(self.attribution.generation(), &order.page, event);
        }
        match result {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            // The pane shows no map, and says why elsewhere.
            _ => Ok(()),
        }
    }
}
