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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::super::proto::{NodeProto, TensorProto};
    use super::super::Interpreter;
    use super::super::index::count;
    use super::super::tests::{floats, graph, int, ints, list, node};

    /// Nodes with absurd attributes and inputs are unknown or give numbers; they never panic or allocate what they claim.
    #[test]
    fn absurd_nodes_never_panic() {
        let mut state = 1u64;
        let mut random = move |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        const OPERATORS: &[&str] = &[
            "Conv",
            "ConvTranspose",
            "MaxPool",
            "AveragePool",
            "LpPool",
            "Gemm",
            "MatMul",
            "Einsum",
            "Softmax",
            "ReduceMean",
            "ArgMax",
            "CumSum",
            "TopK",
            "Reshape",
            "Flatten",
            "Squeeze",
            "Unsqueeze",
            "Transpose",
            "DepthToSpace",
            "SpaceToDepth",
            "Expand",
            "Tile",
            "Concat",
            "Split",
            "Slice",
            "Pad",
            "Resize",
            "Upsample",
            "Gather",
            "GatherElements",
            "GatherND",
            "ScatterND",
            "ScatterElements",
            "OneHot",
            "Shape",
            "ConstantOfShape",
            "Range",
            "Trilu",
            "EyeLike",
            "LRN",
            "LpNormalization",
            "LayerNormalization",
            "GroupNormalization",
            "BatchNormalization",
            "QuantizeLinear",
            "Clip",
            "Cast",
            "Add",
            "Where",
        ];
        const LISTS: &[&str] = &[
            "kernel_shape",
            "strides",
            "pads",
            "dilations",
            "axes",
            "perm",
            "split",
            "output_padding",
            "output_shape",
        ];
        const INTS: &[&str] = &[
            "axis",
            "group",
            "ceil_mode",
            "blocksize",
            "size",
            "num_groups",
            "k",
            "to",
            "dtype",
            "start",
            "end",
            "batch_dims",
            "num_outputs",
            "block_size",
            "p",
            "storage_order",
        ];
        const NUMBERS: &[i64] =
            &[0, 1, -1, 2, 3, -2, 4, 1 << 20, 1 << 30, (1 << 30) + 1, 1 << 31, 1 << 40, i64::MAX, i64::MIN];
        let (mut known, mut total) = (0, 0);
        for _ in 0..5_000 {
            let numbers =
                |random: &mut dyn FnMut(usize) -> usize, n| (0..n).map(|_| NUMBERS[random(NUMBERS.len())]).collect();
            let op = OPERATORS[random(OPERATORS.len())];
            let mut attributes = Vec::new();
            for name in LISTS.iter().filter(|_| random(9) == 0).collect::<Vec<_>>() {
                let n = random(5);
                let values: Vec<i64> = numbers(&mut random, n);
                attributes.push(list(name, &values));
            }
            for name in INTS.iter().filter(|_| random(9) == 0).collect::<Vec<_>>() {
                attributes.push(int(name, NUMBERS[random(NUMBERS.len())]));
            }
            // Only attributes that the operator has: others make it unknown at once.
            let shapes: [&[usize]; 6] = [&[1, 2, 4, 4], &[2, 3], &[1, 0, 3], &[], &[1 << 12], &[1, 4, 1, 1 << 10]];
            let shape = shapes[if random(3) > 0 { 0 } else { random(6) }];
            let constants: Vec<TensorProto> = (0..random(5))
                .map(|k| {
                    let name = format!("c{k}");
                    let n = random(5);
                    let values: Vec<i64> = numbers(&mut random, n);
                    match random(3) {
                        0 => ints(&name, &values),
                        1 => floats(&name, &[2, 2, 2, 2], &[0.5; 16]),
                        _ => {
                            floats(&name, &[values.len() as i64], &values.iter().map(|&v| v as f32).collect::<Vec<_>>())
                        }
                    }
                })
                .collect();
            let inputs: Vec<&str> = std::iter::once("x").chain(constants.iter().map(|t| t.name.as_str())).collect();
            let outputs = ["y".to_owned(), "y2".to_owned()];
            let opset = [7, 11, 13, 18, 22][random(5)];
            let mut nodes = vec![NodeProto { output: outputs.to_vec(), ..node(op, &inputs, "y", attributes.clone()) }];
            total += 1;
            loop {
                let file = graph(nodes.clone(), constants.clone());
                let interpreter = Interpreter::new(&file, &[0], opset, Path::new("net.onnx"), shape, &|_| None);
                let reason = match interpreter.shape("y") {
                    Ok(shape) => {
                        let size = count(shape);
                        let ends: Vec<usize> =
                            [0, size / 2, size.saturating_sub(1)].into_iter().filter(|&k| k < size).collect();
                        if size < 1 << 16 {
                            let _ = interpreter.elements("y", &ends, &|_, index| Some(index as f32));
                        }
                        known += 1;
                        break;
                    }
                    Err(unknown) => unknown.reason,
                };
                // Without the attribute that the operator does not have.
                let before = nodes[0].attribute.len();
                nodes[0].attribute.retain(|a| !reason.contains(&format!("attribute '{}'", a.name)));
                if nodes[0].attribute.len() == before {
                    break;
                }
            }
        }
        println!("{known} of {total} absurd nodes are understood");
        assert!(known > total / 20, "{known} of {total}");
    }
}
