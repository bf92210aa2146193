//! The weights of a network during training as Burn parameters: from a network's operations, and back to them.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::dense::{NodeParams, tensor_to_vec};
use crate::network::{Activation, Op, Weights};
use crate::train::batch_norm::Statistics;

/// The parameters of every node; `None` for nodes without any. The optimizer updates these.
pub(in crate::train) type Layers = Vec<Option<Layer>>;

/// The parameters of one node.
#[derive(Module, Debug)]
pub(in crate::train) enum Layer {
    Conv(ConvLayer),
    Linear(LinearLayer),
    Affine(AffineLayer),
    Threshold(ThresholdLayer),
}

/// `weight` has the form of the operation's own: `[out, in, H, W]`, transposed `[in, out, H, W]`.
#[derive(Module, Debug)]
pub(in crate::train) struct ConvLayer {
    pub(super) weight: Param<Tensor<4>>,
    pub(super) bias: Option<Param<Tensor<1>>>,
}

/// `weight` is `[in, out]`.
#[derive(Module, Debug)]
pub(in crate::train) struct LinearLayer {
    pub(super) weight: Param<Tensor<2>>,
    pub(super) bias: Option<Param<Tensor<1>>>,
}

/// Scale and shift, or gain and offset of a BatchNorm.
#[derive(Module, Debug)]
pub(in crate::train) struct AffineLayer {
    pub(super) scale: Param<Tensor<1>>,
    pub(super) shift: Param<Tensor<1>>,
}

/// The learned λ of a clip or QCFS activation, `[1]`.
#[derive(Module, Debug)]
pub(in crate::train) struct ThresholdLayer {
    pub(super) lambda: Param<Tensor<1>>,
}

/// Which weights and which statistics of BatchNorm a forward pass reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::train) enum Pass {
    /// Weights with gradients and the statistics of the batch, which may update the running ones.
    Learn { updates: bool },
    /// Fixed weights and the statistics of the batch: for the gradient of the input.
    Look,
    /// Fixed weights and running statistics, as the network in use.
    Use,
}

impl Pass {
    /// The value of `parameter`, with gradients where this pass learns.
    pub(super) fn value<const D: usize>(self, parameter: &Param<Tensor<D>>) -> Tensor<D> {
        match self {
            Self::Learn { .. } => parameter.val(),
            Self::Look | Self::Use => parameter.val().detach(),
        }
    }
}

impl Layer {
    /// The parameters of `op`, with the `running` statistics of a BatchNorm; of a network that `spikes` the λ of activations are
    /// none.
    pub(super) fn of(op: &Op, running: Option<&Statistics>, spikes: bool, device: &Device) -> Option<Self> {
        let vector = |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), device);
        if let (Op::Affine { scale, shift }, Some(running)) = (op, running) {
            let fresh = scale.iter().all(|s| *s == 1.0) && shift.iter().all(|s| *s == 0.0);
            let (gamma, beta) = if fresh { (scale.clone(), shift.clone()) } else { running.unfold(scale, shift) };
            let (scale, shift) = (Param::from_tensor(vector(&gamma)), Param::from_tensor(vector(&beta)));
            return Some(Self::Affine(AffineLayer { scale, shift }));
        }
        if let Op::Activation(Activation::Clip { lambda } | Activation::Qcfs { lambda, .. }) = op
            && !spikes
        {
            return Some(Self::Threshold(ThresholdLayer { lambda: Param::from_tensor(vector(&[*lambda])) }));
        }
        match NodeParams::of(op, device) {
            // The matrices of a resize are not trained.
            NodeParams::None | NodeParams::Resample { .. } => None,
            NodeParams::Conv { weight, bias } => {
                Some(Self::Conv(ConvLayer { weight: Param::from_tensor(weight), bias: bias.map(Param::from_tensor) }))
            }
            NodeParams::Linear { weight, bias } => Some(Self::Linear(LinearLayer {
                weight: Param::from_tensor(weight),
                bias: bias.map(Param::from_tensor),
            })),
            NodeParams::Affine { scale, shift } => {
                Some(Self::Affine(AffineLayer { scale: Param::from_tensor(scale), shift: Param::from_tensor(shift) }))
            }
        }
    }

    /// Replaces the weights of `op` by these, a BatchNorm by its scale and shift under the `running` statistics.
    pub(super) fn write_to(&self, op: &mut Op, running: Option<&Statistics>) {
        let vector = |param: &Param<Tensor<1>>| tensor_to_vec(param.val().detach().unsqueeze::<2>());
        let write = |old: &mut Weights, data: Vec<f32>| *old = Weights::new(old.shape.clone(), data);
        let write_bias = |old: &mut Option<Weights>, bias: &Option<Param<Tensor<1>>>| {
            if let (Some(old), Some(bias)) = (old, bias) {
                write(old, vector(bias));
            }
        };
        match (op, self) {
            (Op::Conv2d { weight, bias, .. } | Op::ConvTranspose2d { weight, bias, .. }, Self::Conv(layer)) => {
                write(weight, tensor_to_vec(layer.weight.val().detach().flatten::<1>(0, 3).unsqueeze::<2>()));
                write_bias(bias, &layer.bias);
            }
            (Op::Linear { weight, bias }, Self::Linear(layer)) => {
                write(weight, tensor_to_vec(layer.weight.val().detach().transpose()));
                write_bias(bias, &layer.bias);
            }
            (Op::Affine { scale, shift }, Self::Affine(layer)) => {
                let (gamma, beta) = (vector(&layer.scale), vector(&layer.shift));
                (*scale, *shift) = running.map_or((gamma.clone(), beta.clone()), |running| running.fold(&gamma, &beta));
            }
            (Op::Activation(Activation::Clip { lambda } | Activation::Qcfs { lambda, .. }), Self::Threshold(layer)) => {
                *lambda = vector(&layer.lambda)[0];
            }
            (op, _) => unreachable!("parameters of another operation than {op:?}"),
        }
    }
}

/// The current weights, in the form that the forward pass uses.
pub(super) fn params(layer: Option<&Layer>, pass: Pass) -> NodeParams {
    let bias = |bias: &Option<Param<Tensor<1>>>| bias.as_ref().map(|bias| pass.value(bias));
    match layer {
        Some(Layer::Conv(layer)) => NodeParams::Conv { weight: pass.value(&layer.weight), bias: bias(&layer.bias) },
        Some(Layer::Linear(layer)) => NodeParams::Linear { weight: pass.value(&layer.weight), bias: bias(&layer.bias) },
        Some(Layer::Affine(layer)) => {
            NodeParams::Affine { scale: pass.value(&layer.scale), shift: pass.value(&layer.shift) }
        }
        Some(Layer::Threshold(_)) | None => NodeParams::None,
    }
}
