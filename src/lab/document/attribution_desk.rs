//! Attribution desk: maps of the samples that were looked at, page by page, and requests for what is missing.

use std::sync::{Arc, Weak};

use crate::Error;
use crate::experiment::attacked::Attacked;
use crate::experiment::explained::{PageKey, PagePart, ShownAnswer, ShownMap, ShownPicture, Side};
use crate::experiment::run::Run;
use crate::explain::Method;
use crate::lab::engine::MapEvent;
use crate::trojan::folder::{plan_of, source_of};
use crate::trojan::live::SuccessCurve;
use crate::trojan::plan::TrojanPlan;

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
pub(super) type Wanted = (PageKey, Vec<Method>, usize, Option<String>);

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
    pub(super) fn follow(&mut self, run: &Arc<Run>) {
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

    /// Whether `wanted` is not what was requested last; then it is the request in progress, and the result its number.
    pub(super) fn begin(&mut self, wanted: Wanted) -> Option<u64> {
        if self.requested.as_ref() == Some(&wanted) {
            return None;
        }
        self.generation += 1;
        self.requested = Some(wanted);
        self.progress = Some(("", 0.0));
        Some(self.generation)
    }

    /// The number of the request in progress, or of the last one.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Takes a part of request `generation`, unless it is of another run.
    pub(super) fn on_event(&mut self, generation: u64, page: &PageKey, event: MapEvent) {
        let desk = self;
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
}
