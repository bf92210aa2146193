//! Attribution desk: maps of the samples that were looked at, page by page, and requests for what is missing.

use std::sync::{Arc, Weak};

use crate::experiment::attacked::Attacked;
use crate::experiment::explained::{PageKey, PagePart, ShownAnswer, ShownMap, ShownPicture, Side};
use crate::experiment::run::Run;
use crate::experiment::snapshot::parts::SnapshotPart;
use crate::explain::Method;
use crate::lab::Lab;
use crate::lab::engine::{MapEvent, MapOrder};
use crate::trojan::folder::{plan_of, source_of};
use crate::trojan::live::SuccessCurve;
use crate::trojan::plan::TrojanPlan;
use crate::{Error, Result};

/// Pages of other samples that are kept.
const MAX_PAGES: usize = 64;
/// Values of all maps that are kept.
const MAX_VALUES: usize = 1 << 24;

/// A map, or why there is none.
pub type MapResult = std::result::Result<ShownMap, String>;

/// Everything that is known of one sample and target.
#[derive(Clone, Debug)]
pub struct AttributionPage {
    pub key: PageKey,
    pub picture: Option<Arc<ShownPicture>>,
    answers: Vec<(Side, ShownAnswer)>,
    maps: Vec<(Side, Method, Arc<MapResult>)>,
    /// Why there are no maps at all.
    pub error: Option<String>,
}

/// What was asked for: the page, its methods, the step, and the trojan whose success is measured.
type Wanted = (PageKey, Vec<Method>, usize, Option<String>);

/// The pages of a run, and the request in progress.
#[derive(Clone, Default)]
pub struct AttributionDesk {
    run: Weak<Run>,
    /// The page in use last stands last.
    pages: Vec<AttributionPage>,
    curves: Vec<Arc<SuccessCurve>>,
    /// Why the success of a trojan cannot be measured.
    pub curve_error: Option<String>,
    /// The trojans of the network, if it was planted.
    pub plan: Option<Arc<TrojanPlan>>,
    generation: u64,
    /// Events of earlier requests are of another run.
    valid_from: u64,
    requested: Option<Wanted>,
    /// Stage and fraction of the request in progress.
    pub progress: Option<(&'static str, f32)>,
}

impl AttributionPage {
    fn new(key: PageKey) -> Self {
        Self { key, picture: None, answers: Vec::new(), maps: Vec::new(), error: None }
    }

    /// The map of `method` on `side`.
    pub fn map(&self, side: Side, method: Method) -> Option<&Arc<MapResult>> {
        self.maps.iter().find(|(of, known, _)| *of == side && *known == method).map(|(.., map)| map)
    }

    /// What the network of `side` answers.
    pub fn answer(&self, side: Side) -> Option<ShownAnswer> {
        self.answers.iter().find(|(of, _)| *of == side).map(|(_, answer)| *answer)
    }

    /// The step nearest to `steps` at which the spiking network has a map of `method`, to be shown until its own is there.
    pub fn nearest(&self, method: Method, steps: usize) -> Option<usize> {
        let known = self.maps.iter().filter(|(of, known, _)| of.on == Attacked::Snn && *known == method);
        known.map(|(of, ..)| of.steps).min_by_key(|known| known.abs_diff(steps))
    }

    fn add(&mut self, part: PagePart) {
        match part {
            PagePart::Answer(side, answer) => {
                self.answers.retain(|(known, _)| *known != side);
                self.answers.push((side, answer));
            }
            PagePart::Map(side, method, map) => {
                self.maps.retain(|(of, known, _)| *of != side || *known != method);
                self.maps.push((side, method, Arc::new(map.map(|map| *map))));
            }
        }
    }

    /// Values of all maps.
    fn size(&self) -> usize {
        self.maps.iter().filter_map(|(.., map)| map.as_ref().as_ref().ok()).map(|map| 2 * map.map.len()).sum()
    }
}

impl AttributionDesk {
    /// A copy of what is shown, without the request in progress.
    pub(super) fn shown(&self) -> Self {
        Self { progress: None, ..self.clone() }
    }

    /// Whether maps are being made.
    pub fn is_busy(&self) -> bool {
        self.progress.is_some()
    }

    /// The page of `key`.
    pub fn page(&self, key: &PageKey) -> Option<&AttributionPage> {
        self.pages.iter().find(|page| page.key == *key)
    }

    /// The success of `trojan` in the run on the screen.
    pub fn curve(&self, trojan: &str) -> Option<&Arc<SuccessCurve>> {
        self.curves.iter().find(|curve| curve.trojan == trojan)
    }

    /// Begins with another run: only maps of the same ANN on the same samples stay.
    fn follow(&mut self, run: &Arc<Run>) {
        let known = self.run.upgrade();
        if known.as_ref().is_some_and(|known| Arc::ptr_eq(known, run)) {
            return;
        }
        let same = known.as_ref().is_some_and(|known| {
            let sources = |run: &Run| (run.settings.samples.clone(), run.settings.scaling.clone());
            Arc::ptr_eq(&known.network, &run.network)
                && Arc::ptr_eq(&known.samples, &run.samples)
                && sources(known) == sources(run)
        });
        if same {
            for page in &mut self.pages {
                page.maps.retain(|(side, ..)| *side == Side::ANN);
                page.answers.retain(|(side, _)| *side == Side::ANN);
                page.error = None;
            }
        } else {
            self.pages.clear();
            let plan = source_of(&run.settings.model).and_then(|source| plan_of(&source).ok());
            self.plan = plan.map(Arc::new);
        }
        self.curves.clear();
        (self.requested, self.curve_error) = (None, None);
        self.valid_from = self.generation + 1;
        self.run = Arc::downgrade(run);
    }

    /// The page of `key`, which becomes the last; others are discarded when there are too many.
    fn open(&mut self, key: &PageKey) -> &mut AttributionPage {
        let at = self.pages.iter().position(|page| page.key == *key);
        let page = at.map_or_else(|| AttributionPage::new(key.clone()), |at| self.pages.remove(at));
        self.pages.push(page);
        let mut size: usize = self.pages.iter().map(AttributionPage::size).sum();
        while self.pages.len() > 1 && (self.pages.len() > MAX_PAGES || size > MAX_VALUES) {
            size -= self.pages.remove(0).size();
        }
        let last = self.pages.len() - 1;
        &mut self.pages[last]
    }
}

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
        if self.attribution.requested.as_ref() == Some(&wanted) {
            return;
        }
        self.attribution.generation += 1;
        self.attribution.requested = Some(wanted);
        self.attribution.progress = Some(("", 0.0));
        self.engine.request_maps(MapOrder { generation: self.attribution.generation, ..order });
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
        let desk = &mut self.attribution;
        if generation < desk.valid_from {
            return;
        }
        let is_current = generation == desk.generation;
        match event {
            MapEvent::Progress { stage, fraction } if is_current => desk.progress = Some((stage, fraction)),
            MapEvent::Progress { .. } => {}
            MapEvent::Picture(picture) => desk.open(page).picture = Some(picture),
            MapEvent::Part(part) => desk.open(page).add(part),
            MapEvent::Curve(curve) => {
                desk.curves.retain(|known| known.trojan != curve.trojan);
                desk.curves.push(curve);
            }
            MapEvent::Finished(result) => {
                if is_current {
                    desk.progress = None;
                }
                if let Err(error) = result
                    && !matches!(error, Error::Cancelled)
                {
                    desk.curve_error = Some(error.to_string());
                    desk.open(page).error = Some(error.to_string());
                }
            }
        }
    }

    /// Makes the missing maps at once, for drawing off screen.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn make_maps(&mut self, control: &crate::progress::JobControl) -> Result<()> {
        let Some(run) = self.finished.clone() else { return Ok(()) };
        let Some((order, _)) = self.missing_maps(&run) else { return Ok(()) };
        let mut parts = Vec::new();
        let result = crate::lab::engine::make_maps(&order, control, &mut |event| parts.push(event));
        for event in parts {
            self.on_map_event(self.attribution.generation, &order.page, event);
        }
        match result {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            // The pane shows no map, and says why elsewhere.
            _ => Ok(()),
        }
    }
}
