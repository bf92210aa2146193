//! The operator of a node, by its type.

use super::operator::{Built, Site};
use super::{
    arithmetic, elementwise, gather, generate, linear, normalization, pad, pooling, quantize, rearrange, reduce, resize,
};

/// The operator of the node at `site`.
///
/// # Errors
/// Why it is not understood.
pub fn operator(site: &Site) -> Built {
    let built = build(site)?;
    match site.unread() {
        Some(name) => Err(format!("attribute '{name}' is not known")),
        None => Ok(built),
    }
}

fn build(site: &Site) -> Built {
    if let Some(built) =
        elementwise::unary(site).or_else(|| arithmetic::broadcasting(site)).or_else(|| reduce::reduce(site))
    {
        return built;
    }
    match site.node.op_type.as_str() {
        "Not" | "IsNaN" | "IsInf" => elementwise::test(site),
        "Clip" => elementwise::clip(site),
        "Cast" | "CastLike" => elementwise::cast(site),
        "Dropout" => elementwise::dropout(site),
        "Conv" => linear::conv(site),
        "ConvTranspose" => linear::conv_transpose(site),
        "Gemm" => linear::gemm(site),
        "MatMul" => linear::matmul(site),
        "Einsum" => linear::einsum(site),
        "MaxPool" => pooling::max_pool(site),
        "AveragePool" => pooling::average_pool(site),
        "LpPool" => pooling::lp_pool(site),
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => pooling::global_pool(site),
        "BatchNormalization" => normalization::batch(site),
        "InstanceNormalization" | "GroupNormalization" => normalization::instance_or_group(site),
        "LayerNormalization" | "RMSNormalization" => normalization::layer(site),
        "MeanVarianceNormalization" => normalization::mean_variance(site),
        "LpNormalization" => normalization::lp(site),
        "LRN" => normalization::local_response(site),
        "ArgMax" | "ArgMin" => reduce::position_of_extreme(site),
        "CumSum" | "CumProd" => reduce::cumulative(site),
        "Softmax" | "LogSoftmax" | "Hardmax" => reduce::softmax(site),
        "TopK" => reduce::top_k(site),
        "Reshape" => rearrange::reshape(site),
        "Flatten" => rearrange::flatten(site),
        "Squeeze" => rearrange::squeeze(site),
        "Unsqueeze" => rearrange::unsqueeze(site),
        "Transpose" => rearrange::transpose(site),
        "DepthToSpace" | "SpaceToDepth" => rearrange::depth_and_space(site),
        "Expand" => rearrange::expand(site),
        "Tile" => rearrange::tile(site),
        "Concat" => rearrange::concat(site),
        "Split" => rearrange::split(site),
        "Slice" => rearrange::slice(site),
        "Pad" => pad::pad(site),
        "Resize" | "Upsample" => resize::resize(site),
        "Gather" => gather::gather(site),
        "GatherElements" => gather::gather_elements(site),
        "GatherND" => gather::gather_nd(site),
        "ScatterND" | "ScatterElements" | "Scatter" => gather::scatter(site),
        "OneHot" => gather::one_hot(site),
        "NonZero" => gather::non_zero(site),
        "Shape" | "Size" => generate::shape(site),
        "ConstantOfShape" => generate::constant_of_shape(site),
        "Range" => generate::range(site),
        "Trilu" => generate::triangle(site),
        "EyeLike" => generate::eye_like(site),
        "QuantizeLinear" => quantize::quantize(site),
        "DequantizeLinear" => quantize::dequantize(site),
        other => Err(format!("operator '{other}' is not known")),
    }
}
