//! ResNets in the key naming of the QCFS, SRP and COS authors.
//!
//! Bu et al. (QCFS, ICLR 2022) and Hao et al. (SRP, COS) name ResNet-18, -20 and -34 after a widely used CIFAR-100
//! collection: `conv1.0`, blocks `conv2_x.0.residual_function.0`, projections `shortcut.0`, and `fc`. The stem is 3x3 with
//! stride 1 at any image size. Blocks have two convolutions, or three (ResNet-50 and deeper). The activation after the sum
//! is `relu.up` in older files and `act.thresh` in newer ones; without either it is ReLU.

use super::assembler::{EPSILON, NetworkAssembler};
use super::family::{Family, outputs, usual_image};
use crate::Result;
use crate::network::state_dict::StateDict;
use crate::network::{NodeId, Op};

pub(super) const FAMILY: Family = Family {
    name: "the ResNet of the QCFS authors",
    assumption: "with a stem of stride 1",
    fits: |state| state.has_rank("conv1.0.weight", 4) && state.has_rank("conv2_x.0.residual_function.0.weight", 4),
    input: |state| usual_image(state.get("conv1.0.weight"), outputs(state, "fc.weight")),
    takes_any_size: |_| true,
    assemble,
};

fn assemble(net: &mut NetworkAssembler<'_>) -> Result<NodeId> {
    let state = net.state;
    let mut x = net.same_conv("conv1.0", 0, 1)?;
    x = net.norm("conv1.1", x, EPSILON)?;
    x = net.activation("conv1.2", x)?;
    for stage in (2..).map(|n| format!("conv{n}_x")).take_while(|stage| !state.sequence_indices(stage).is_empty()) {
        for block in state.sequence_indices(&stage) {
            let stride = if block == 0 && stage != "conv2_x" { 2 } else { 1 };
            x = self::block(net, &format!("{stage}.{block}"), x, stride)?;
        }
    }
    x = net.global_mean("avg_pool", x)?;
    net.linear("fc", x)
}

fn block(net: &mut NetworkAssembler<'_>, name: &str, from: NodeId, stride: usize) -> Result<NodeId> {
    let state: &StateDict = net.state;
    let part = |at: usize| format!("{name}.residual_function.{at}");
    let is_3x3 = |at: usize| state.get(&format!("{}.weight", part(at))).is_some_and(|w| w.shape.get(2) == Some(&3));
    // The first 3x3 convolution has the stride.
    let strided = [0, 3].into_iter().find(|&at| is_3x3(at)).unwrap_or(0);
    let mut x = from;
    let count = (0..).take_while(|k| state.has_rank(&format!("{}.weight", part(3 * k)), 4)).count().max(2);
    for at in (0..count).map(|k| 3 * k) {
        x = net.same_conv(&part(at), x, if at == strided { stride } else { 1 })?;
        x = net.norm(&part(at + 1), x, EPSILON)?;
        if at + 3 < 3 * count {
            x = net.activation(&part(at + 2), x)?;
        }
    }
    let mut shortcut = from;
    if state.has(&format!("{name}.shortcut.0.weight")) || net.shape(x) != net.shape(from) {
        shortcut = net.same_conv(&format!("{name}.shortcut.0"), from, stride)?;
        shortcut = net.norm(&format!("{name}.shortcut.1"), shortcut, EPSILON)?;
    }
    x = net.push(&format!("{name}.add"), Op::Add, vec![x, shortcut], &[])?;
    let old_key = format!("{name}.relu");
    let act = if state.threshold_key(&old_key).is_some() { old_key } else { format!("{name}.act") };
    net.activation(&act, x)
}
