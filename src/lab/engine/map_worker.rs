//! Map thread: attribution maps of one sample, method after method, and success of a trojan.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::event::{EngineEvent, EventSender, catch_panic, is_due};
use super::mailbox::Mailbox;
use super::map_event::{MapEvent, MapOrder};
use crate::data::{Samples, thumbnail_rgba};
use crate::experiment::explained::{PageInput, PageKey, ShownPicture, Side, explain_page};
use crate::experiment::memory::freed::release_freed_memory;
use crate::experiment::run::Run;
use crate::explain::{Family, Method};
use crate::progress::{JobControl, JobEvent};
use crate::trojan::folder::{Planted, source_of};
use crate::trojan::live::LivePictures;
use crate::{Error, Result};

/// The test pictures of the trojans that were asked for last.
#[derive(Default)]
struct Trojans {
    planted: Option<Planted>,
    pictures: Vec<Arc<LivePictures>>,
}

impl Trojans {
    fn get(&mut self, model: &str, trojan: &str) -> Result<Arc<LivePictures>> {
        let source = source_of(model).ok_or_else(|| {
            Error::Invalid(format!(
                "Cannot show trojan '{trojan}': network {model} was not planted. Use one of `spikescope trojan plant`."
            ))
        })?;
        if self.planted.as_ref().is_none_or(|planted| planted.source != source) {
            *self = Self { planted: Some(Planted::open(&source)?), pictures: Vec::new() };
        }
        if let Some(known) = self.pictures.iter().find(|known| known.trojan == trojan) {
            return Ok(known.clone());
        }
        let planted = self.planted.as_ref().ok_or_else(|| Error::Internal("no planted network".into()))?;
        let pictures = Arc::new(LivePictures::new(planted, trojan)?);
        self.pictures.push(pictures.clone());
        Ok(pictures)
    }
}

/// Makes maps until the mailbox is closed.
pub(super) fn work(mailbox: &Mailbox<MapOrder>, sender: &EventSender) {
    let mut trojans = Trojans::default();
    while let Some((order, control)) = mailbox.take(|order| listener(order, sender), release_freed_memory) {
        let (generation, page) = (order.generation, order.page.clone());
        let mut send = |event: MapEvent| {
            sender.send(EngineEvent::Maps { generation, page: Box::new(page.clone()), event });
        };
        let result = catch_panic(|| make(&order, &mut trojans, &control, &mut send));
        send(MapEvent::Finished(result));
    }
}

/// Carries out `order` at once; `send` hears of each part.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::Invalid`] for samples that cannot be explained.
pub fn make_maps(order: &MapOrder, control: &JobControl, send: &mut dyn FnMut(MapEvent)) -> Result<()> {
    catch_panic(|| make(order, &mut Trojans::default(), control, send))
}

fn make(order: &MapOrder, trojans: &mut Trojans, control: &JobControl, send: &mut dyn FnMut(MapEvent)) -> Result<()> {
    let MapOrder { run, page, .. } = order;
    if !order.maps.is_empty() || order.picture {
        let (input, picture) = input_of(run, page, trojans)?;
        if order.picture {
            send(MapEvent::Picture(Arc::new(picture)));
        }
        // What takes long comes last, on both sides.
        for is_slow in [false, true] {
            for side in sides(&order.maps) {
                let mut methods = order.maps.iter().filter(|(of, _)| *of == side).map(|(_, method)| *method).collect();
                keep_slow(&mut methods, is_slow);
                if !methods.is_empty() {
                    let mut part = |part| send(MapEvent::Part(part));
                    explain_page(run, (page, &input), side, &methods, control, &mut part)?;
                }
            }
        }
    }
    if let Some(trojan) = &order.curve {
        let pictures = trojans.get(&run.settings.model, trojan)?;
        control.progress("success over time", 0.0);
        send(MapEvent::Curve(Arc::new(pictures.success(run, control)?)));
    }
    Ok(())
}

/// The sides of `maps`, each once.
fn sides(maps: &[(Side, Method)]) -> Vec<Side> {
    let mut sides: Vec<Side> = Vec::new();
    for (side, _) in maps {
        if !sides.contains(side) {
            sides.push(*side);
        }
    }
    sides
}

fn keep_slow(methods: &mut Vec<Method>, is_slow: bool) {
    methods.retain(|method| (method.family() == Family::Perturbation) == is_slow);
}

/// The values of the page, and its picture.
fn input_of(run: &Run, page: &PageKey, trojans: &mut Trojans) -> Result<(PageInput, ShownPicture)> {
    let (input, picture) = match &page.trojan {
        None => (PageInput::of_run(run, page.sample), picture(&run.samples, run.sample_index(page.sample))),
        Some(trojan) => {
            let pictures = trojans.get(&run.settings.model, trojan)?;
            let (index, of) = (page.sample % pictures.samples.len(), pictures.samples.len());
            (pictures.page(run, index)?, ShownPicture { index, of, ..picture(&pictures.samples, index) })
        }
    };
    let label = input.labels.first().map(|&label| usize::from(label));
    let mask = input.mask.clone();
    let (index, of) = match page.trojan {
        None => (page.sample, run.ann.samples),
        Some(_) => (picture.index, picture.of),
    };
    Ok((input, ShownPicture { mask, label, index, of, ..picture }))
}

fn picture(samples: &Samples, index: usize) -> ShownPicture {
    let (width, height, rgba) = thumbnail_rgba(samples, index);
    ShownPicture { width, height, rgba, mask: None, label: None, index, of: samples.len() }
}

/// The control of an order, whose progress goes to the lab.
fn listener(order: &MapOrder, sender: &EventSender) -> JobControl {
    let (generation, page, sender) = (order.generation, order.page.clone(), sender.clone());
    let last = Mutex::new(Instant::now());
    JobControl::with_listener(move |event| {
        if let JobEvent::Progress { stage, fraction } = event
            && is_due(&last)
        {
            let event = MapEvent::Progress { stage, fraction };
            sender.send(EngineEvent::Maps { generation, page: Box::new(page.clone()), event });
        }
    })
}
