//! Figures of a row that is an explanation: how well each method's maps find known masks.

use super::figures::Figures;
use crate::experiment::Settings;
use crate::experiment::attacked::Attacked;
use crate::experiment::cache::Cache;
use crate::experiment::explained::sanity::sanity;
use crate::experiment::explained::{AttributionOptions, ExplainSubject, Explanation, ExplanationRequest};
use crate::explain::Method;
use crate::explain::scores::{Scores, correlation, merged};
use crate::ground::median::median;
use crate::progress::JobControl;
use crate::{Error, Result};

/// Explains the network and samples of `settings` as `options` ask for.
///
/// # Errors
/// Those of loading, of the files of the options and of the methods; [`Error::Cancelled`], also where some methods are
/// finished.
pub fn explain_figures(
    settings: &Settings,
    options: &AttributionOptions,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Figures> {
    let on = options.on()?;
    let mut asked = options.request()?;
    let subject = ExplainSubject::load(settings, on, cache, control)?;
    let masks = options.read_files(&mut asked, &subject)?;
    options.leave_out(&mut asked, &subject);
    let explanation = subject.explain(&asked, control, &mut |_| ())?;
    control.check()?;
    if explanation.stopped {
        return Err(Error::Cancelled);
    }
    let form = subject.form();
    let mut figures = Figures::default();
    figures.value("mean_logit", mean(explanation.logits.iter().map(|&logit| f64::from(logit))));
    if subject.labels.len() == explanation.answers.len() {
        let pairs = explanation.answers.iter().zip(&subject.labels);
        figures.value("accuracy", mean(pairs.map(|(&answer, &label)| f64::from(answer == usize::from(label)))));
    }
    if let Some(masks) = &masks {
        for of in &explanation.maps {
            let scores = Scores::of(&form.channels_first(&of.maps), form.channels, masks, form.area());
            figures.value(&named("correlation", of.method), scores.median.correlation);
            figures.value(&named("l1", of.method), scores.median.l1);
        }
    }
    if on == Attacked::Snn {
        for (method, kept) in beside_the_ann(settings, &asked, &explanation, cache, control)? {
            figures.value(&named("ann_correlation", method), kept);
        }
    }
    if options.sanity {
        for (method, sane) in sanity(settings, on, &asked, &explanation, cache, control)? {
            figures.value(&named("sanity", method), sane.all);
        }
    }
    Ok(figures)
}

fn named(figure: &str, method: Method) -> String {
    format!("{figure}_{}", method.array())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1);
    values.sum::<f64>() / count as f64
}

/// Median over the samples of the correlation of the maps in `found`, summed over channels by size, with those of the ANN for
/// the same outputs; of every method that reads the network.
fn beside_the_ann(
    settings: &Settings,
    asked: &ExplanationRequest,
    found: &Explanation,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Vec<(Method, f64)>> {
    let subject = ExplainSubject::load(settings, Attacked::Ann, cache, control)?;
    let reads = |method: &Method| !Method::BASELINES.contains(method);
    let asked = ExplanationRequest { methods: asked.methods.iter().copied().filter(reads).collect(), ..asked.clone() };
    let of_ann = subject.explain_targets(&asked, &found.targets, control)?;
    control.check()?;
    let form = subject.form();
    let both = of_ann.iter().filter_map(|ann| {
        let snn = found.maps.iter().find(|maps| maps.method == ann.method)?;
        let (ann_maps, snn_maps) = (form.channels_first(&ann.maps), form.channels_first(&snn.maps));
        let pairs = ann_maps.chunks_exact(form.len().max(1)).zip(snn_maps.chunks_exact(form.len().max(1)));
        let each = pairs.map(|(a, b)| correlation(&merged(a, form.area()), &merged(b, form.area())));
        Some((ann.method, median(&each.collect::<Vec<_>>())))
    });
    Ok(both.collect())
}
