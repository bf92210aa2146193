//! The map of one method for every sample of a request.

use super::backward::deeplift::deeplift;
use super::backward::grad_cam::{guided_grad_cam, layer};
use super::backward::guided::{Gate, gated};
use super::backward::lrp::lrp;
use super::backward::values::Values;
use super::baselines;
use super::features::Features;
use super::gradients::{Points, path_draws};
use super::method::{Family, Method};
use super::network::Explained;
use super::options::ExplainOptions;
use super::perturb::{Queries, ablation, kernel_shap, lime, occlusion, permutation, shapley};
use super::spike_counts::spike_counts;
use crate::attack::ImageForm;
use crate::network::{Network, NodeId};
use crate::progress::JobControl;
use crate::{Error, Result};

/// The samples to explain.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `[N, F]`, as the network reads it.
    pub input: &'a [f32],
    /// The output whose logit is explained, `[N]`.
    pub targets: &'a [usize],
    pub form: ImageForm,
    /// One or several samples that stand for nothing, `[B, F]`; methods with one baseline take the first.
    pub baselines: &'a [f32],
    /// Index of the first sample in its data set: draws belong to it.
    pub first: usize,
}

impl Request<'_> {
    /// Checks the parts against each other and against the network.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a target that does not exist, and parts of other sizes.
    pub fn validate(&self, network: &Explained<'_>) -> Result<()> {
        let (width, classes) = (self.form.len(), network.classes());
        if width == 0 || self.input.len() != width * self.targets.len() || self.targets.is_empty() {
            let text = format!("{} values are no {} samples of {width}", self.input.len(), self.targets.len());
            return Err(Error::Invalid(format!("Cannot explain: {text}.")));
        }
        if self.baselines.is_empty() || !self.baselines.len().is_multiple_of(width) {
            let text = format!("{} values are no samples of {width}", self.baselines.len());
            return Err(Error::Invalid(format!("Cannot use a baseline: {text}. Use one of the shape of a sample.")));
        }
        match self.targets.iter().find(|&&target| target >= classes) {
            Some(target) => Err(Error::Invalid(format!(
                "Cannot explain target {target}: the network has {classes} outputs. Use a number from 0 to {}.",
                classes.saturating_sub(1)
            ))),
            None => Ok(()),
        }
    }
}

/// The map of `method` for every sample, `[N, F]`.
///
/// # Errors
/// [`Error::Invalid`] for a request or options that do not fit; [`Error::Cancelled`]; those of the network.
pub fn explain(
    method: Method,
    network: &Explained<'_>,
    request: &Request<'_>,
    options: &ExplainOptions,
    control: &JobControl,
) -> Result<Vec<f32>> {
    options.validate(request.form.height, request.form.width)?;
    request.validate(network)?;
    control.progress(method.word(), 0.0);
    match method.family() {
        Family::Gradient => by_gradient(method, network, request, options, control),
        Family::Backward | Family::Activity => backward(method, network, request, options, control),
        Family::Perturbation => perturb(method, network, request, options, control),
        Family::Baseline => Ok(baseline(method, request, options)),
    }
}

/// Why `method` has no map of `samples` samples of the form `form` in `network`, whatever they are; `None` if it has one.
pub fn missing_map(
    method: Method,
    network: &Network,
    (form, samples): (&ImageForm, usize),
    options: &ExplainOptions,
) -> Option<Error> {
    match method {
        Method::GuidedGradCam | Method::SpikeCount => layer(network, options.layer.as_deref()).err(),
        Method::FeaturePermutation => permutation::check_samples(samples).err(),
        Method::KernelShap => kernel_shap::check_features(Features::of_options(form, options).len()).err(),
        _ => None,
    }
}

fn by_gradient(
    method: Method,
    network: &Explained<'_>,
    request: &Request<'_>,
    options: &ExplainOptions,
    control: &JobControl,
) -> Result<Vec<f32>> {
    let width = request.form.len();
    let points = Points { network, input: request.input, targets: request.targets, stage: method.word(), control };
    let budget = options.budget_of(method);
    match method {
        Method::Saliency => points.saliency(),
        Method::InputXGradient => points.input_x_gradient(),
        Method::IntegratedGradients => {
            points.integrated_gradients(&request.baselines[..width], options.quadrature, budget)
        }
        _ => {
            let count = request.baselines.len() / width;
            let draws = |k: usize| path_draws(budget, count, request.first + k, options.seed);
            let draws: Vec<_> = (0..request.targets.len()).map(draws).collect();
            points.gradient_shap(request.baselines, &draws)
        }
    }
}

fn backward(
    method: Method,
    network: &Explained<'_>,
    request: &Request<'_>,
    options: &ExplainOptions,
    control: &JobControl,
) -> Result<Vec<f32>> {
    let (form, targets, width) = (request.form, request.targets, request.form.len());
    let at_layer = || layer(network.maps().network(), options.layer.as_deref());
    let batches = |map: &(dyn Fn(&Values<'_>, &[usize]) -> Vec<f32> + Sync)| {
        let map = |values: &Values<'_>, rows: std::ops::Range<usize>| map(values, &targets[rows]);
        network.in_batches(network.maps(), request.input, width, control, map)
    };
    match method {
        Method::GuidedBackprop => batches(&|values, targets| gated(values, targets, Gate::Guided)),
        Method::Deconvolution => batches(&|values, targets| gated(values, targets, Gate::Deconvolution)),
        Method::GuidedGradCam => {
            let at: NodeId = at_layer()?;
            batches(&|values, targets| guided_grad_cam(values, targets, at, &form))
        }
        Method::SpikeCount => {
            let at = at_layer()?;
            batches(&|values, _| spike_counts(values, at, &form))
        }
        Method::Lrp => {
            let changed = network.changed(|weights| options.lrp.weights(weights));
            let map =
                |values: &Values<'_>, rows: std::ops::Range<usize>| lrp(values, &changed, options.lrp, &targets[rows]);
            network.in_batches(network.folded(), request.input, width, control, map)
        }
        _ => {
            let count = if method == Method::DeepliftShap { request.baselines.len() / width } else { 1 };
            let baselines = &request.baselines[..count * width];
            let rates = network.rates(baselines, control)?;
            let of = |k: usize| Values::new(network.maps(), &baselines[k * width..][..width], 1, &rates, k);
            let of_baselines: Vec<Values<'_>> = (0..count).map(of).collect();
            batches(&|values, targets| {
                let mut mean = vec![0.0; values.rows * width];
                for baseline in &of_baselines {
                    let map = deeplift(values, baseline, targets);
                    mean.iter_mut().zip(map).for_each(|(mean, value)| *mean += value / count as f32);
                }
                mean
            })
        }
    }
}

fn perturb(
    method: Method,
    network: &Explained<'_>,
    request: &Request<'_>,
    options: &ExplainOptions,
    control: &JobControl,
) -> Result<Vec<f32>> {
    let (form, width) = (request.form, request.form.len());
    let stage = method.word();
    let queries = Queries { network, input: request.input, targets: request.targets, width, stage, control };
    let features = Features::of_options(&form, options);
    let baseline = &request.baselines[..width];
    let (count, seed) = (options.budget_of(method), options.seed);
    let samples = || (0..request.targets.len()).map(|k| request.first + k);
    let of_features = match method {
        Method::FeatureAblation => return ablation::feature_ablation(&queries, &features, baseline),
        Method::Occlusion => {
            let (side, stride) = options.window_of(form.height, form.width);
            return occlusion::occlusion(&queries, &form, side, stride, baseline);
        }
        Method::FeaturePermutation => {
            let orders = permutation::orders(features.len(), request.targets.len(), seed)?;
            return permutation::feature_permutation(&queries, &features, &orders);
        }
        Method::ShapleySampling => {
            let orders: Vec<_> = samples().map(|k| shapley::orders(features.len(), count, k, seed)).collect();
            shapley::shapley(&queries, &features, baseline, &orders)?
        }
        Method::KernelShap => {
            let rows = samples().map(|k| kernel_shap::rows(features.len(), count, k, seed));
            kernel_shap::kernel_shap(&queries, &features, baseline, &rows.collect::<Result<Vec<_>>>()?)?
        }
        _ => {
            let rows: Vec<_> = samples().map(|k| lime::rows(features.len(), count, k, seed)).collect();
            lime::lime(&queries, &features, baseline, &rows)?
        }
    };
    Ok(of_features.chunks_exact(features.len()).flat_map(|values| features.spread(values)).collect())
}

fn baseline(method: Method, request: &Request<'_>, options: &ExplainOptions) -> Vec<f32> {
    let images = request.input.chunks_exact(request.form.len().max(1)).enumerate();
    let map = |(k, image): (usize, &[f32])| match method {
        Method::Edges => baselines::edges(image, &request.form),
        Method::Random => baselines::random(&request.form, options.seed, request.first + k),
        _ => vec![0.0; image.len()],
    };
    images.flat_map(map).collect()
}
