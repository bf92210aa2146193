//! Table of operators: the attributes, inputs and outputs of each that its reader understands.
//!
//! Any other attribute, input or used output is refused by name, so that nothing in a file is passed over.

use crate::network::onnx::proto::{AttributeProto, NodeProto};

/// What the reader of an operator does with an attribute.
#[derive(Clone, Copy)]
enum Use {
    /// Its value is read.
    Read,
    /// It has no influence on what is read: see the comment at the entry.
    Ignored,
    /// Only this integer is supported, the default.
    OnlyInt(i64),
    /// Only this text is supported, the default.
    OnlyText(&'static str),
}

use Use::*;

/// Operators of one kind.
struct Operators {
    names: &'static [&'static str],
    /// Maximum number of inputs.
    inputs: usize,
    attributes: &'static [(&'static str, Use)],
}

const fn of(names: &'static [&'static str], inputs: usize, attributes: &'static [(&'static str, Use)]) -> Operators {
    Operators { names, inputs, attributes }
}

const ANY: usize = usize::MAX;

const TABLE: &[Operators] = &[
    of(
        &[
            "Identity",
            "Relu",
            "Floor",
            "Ceil",
            "Round",
            "Neg",
            "Abs",
            "Sign",
            "Sqrt",
            "Exp",
            "Log",
            "Reciprocal",
            "Tanh",
            "Sigmoid",
            "Erf",
            "Softplus",
            "Softsign",
            "Not",
            "Sin",
            "Cos",
            "Tan",
            "Asin",
            "Acos",
            "Atan",
            "Sinh",
            "Cosh",
            "Size",
            "NonZero",
            "GlobalAveragePool",
            "GlobalMaxPool",
        ],
        1,
        &[],
    ),
    of(
        &[
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Pow",
            "Equal",
            "Less",
            "Greater",
            "LessOrEqual",
            "GreaterOrEqual",
            "And",
            "Or",
            "Xor",
            "MatMul",
            "Tile",
            "Expand",
        ],
        2,
        &[],
    ),
    of(&["Sum", "Mean", "Min", "Max"], ANY, &[]),
    of(&["Where"], 3, &[]),
    of(&["Mod"], 2, &[("fmod", Read)]),
    of(&["Clip"], 3, &[("min", Read), ("max", Read)]),
    of(&["HardSigmoid"], 1, &[("alpha", Read), ("beta", Read)]),
    of(&["PRelu"], 2, &[]),
    of(&["LeakyRelu", "ThresholdedRelu"], 1, &[("alpha", Read)]),
    of(&["Cast"], 1, &[("to", Read), ("saturate", Read), ("round_mode", OnlyText("up"))]),
    of(&["CastLike"], 2, &[("saturate", Read), ("round_mode", OnlyText("up"))]),
    // The ratio and the seed belong to training; so does the ratio as input 1.
    of(&["Dropout"], 3, &[("ratio", Ignored), ("seed", Ignored), ("is_test", Ignored)]),
    // Momentum belongs to training. Statistics per value instead of per channel (spatial 0) are another layer.
    of(
        &["BatchNormalization"],
        5,
        &[
            ("epsilon", Read),
            ("training_mode", Read),
            ("momentum", Ignored),
            ("spatial", OnlyInt(1)),
            ("is_test", Ignored),
        ],
    ),
    of(
        &["Conv"],
        3,
        &[
            ("auto_pad", Read),
            ("dilations", Read),
            ("group", Read),
            ("kernel_shape", Read),
            ("pads", Read),
            ("strides", Read),
        ],
    ),
    of(
        &["ConvTranspose"],
        3,
        &[
            ("auto_pad", Read),
            ("dilations", Read),
            ("group", Read),
            ("kernel_shape", Read),
            ("pads", Read),
            ("strides", Read),
            ("output_padding", Read),
            ("output_shape", Read),
        ],
    ),
    of(&["Gemm"], 3, &[("alpha", Read), ("beta", Read), ("transA", Read), ("transB", Read)]),
    // The order of storage concerns the second output only, which is refused where it is used.
    of(
        &["MaxPool"],
        1,
        &[
            ("auto_pad", Read),
            ("ceil_mode", Read),
            ("dilations", Read),
            ("kernel_shape", Read),
            ("pads", Read),
            ("strides", Read),
            ("storage_order", Ignored),
        ],
    ),
    of(
        &["AveragePool"],
        1,
        &[
            ("auto_pad", Read),
            ("ceil_mode", Read),
            ("count_include_pad", Read),
            ("dilations", Read),
            ("kernel_shape", Read),
            ("pads", Read),
            ("strides", Read),
        ],
    ),
    of(
        &[
            "ReduceMean",
            "ReduceSum",
            "ReduceMax",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceSumSquare",
            "ReduceLogSum",
        ],
        2,
        &[("axes", Read), ("keepdims", Read), ("noop_with_empty_axes", Read)],
    ),
    of(&["Concat"], ANY, &[("axis", Read)]),
    of(&["Flatten", "Softmax", "LogSoftmax"], 1, &[("axis", Read)]),
    of(&["Reshape"], 2, &[("allowzero", Read), ("shape", Read)]),
    of(&["Squeeze", "Unsqueeze"], 2, &[("axes", Read)]),
    of(&["Transpose"], 1, &[("perm", Read)]),
    of(&["Slice"], 5, &[("starts", Read), ("ends", Read), ("axes", Read)]),
    of(&["Split"], 2, &[("axis", Read), ("split", Read), ("num_outputs", Read)]),
    of(&["Gather", "GatherElements"], 2, &[("axis", Read)]),
    of(&["GatherND"], 2, &[("batch_dims", Read)]),
    of(&["ScatterND"], 3, &[("reduction", OnlyText("none"))]),
    of(&["Pad"], 4, &[("mode", Read), ("pads", Read), ("value", Read)]),
    // The value outside the image and the region (input 1) belong to tf_crop_and_resize, which is refused.
    of(
        &["Resize"],
        4,
        &[
            ("mode", Read),
            ("axes", Read),
            ("antialias", Read),
            ("coordinate_transformation_mode", Read),
            ("cubic_coeff_a", Read),
            ("exclude_outside", Read),
            ("extrapolation_value", Ignored),
            ("keep_aspect_ratio_policy", Read),
            ("nearest_mode", Read),
        ],
    ),
    of(&["Upsample"], 2, &[("mode", Read), ("scales", Read)]),
    of(&["DepthToSpace", "SpaceToDepth"], 1, &[("blocksize", Read), ("mode", Read)]),
    of(
        &["Constant"],
        0,
        &[("value", Read), ("value_float", Read), ("value_floats", Read), ("value_int", Read), ("value_ints", Read)],
    ),
    of(&["ConstantOfShape"], 1, &[("value", Read)]),
    of(&["Shape"], 1, &[("start", Read), ("end", Read)]),
    of(&["Range"], 3, &[("stash_type", OnlyInt(1))]),
    of(&["EyeLike"], 1, &[("dtype", Read), ("k", Read)]),
    of(&["OneHot"], 3, &[("axis", Read)]),
    of(&["Trilu"], 2, &[("upper", Read)]),
    of(&["CumSum"], 2, &[("exclusive", Read), ("reverse", Read)]),
    of(&["DequantizeLinear"], 3, &[("axis", Read), ("block_size", Read), ("output_dtype", Read)]),
    of(
        &["QuantizeLinear"],
        3,
        &[("axis", Read), ("block_size", Read), ("output_dtype", Read), ("saturate", Read), ("precision", OnlyInt(0))],
    ),
    of(&["If"], 1, &[("then_branch", Read), ("else_branch", Read)]),
];

/// Checks that every attribute and input of `node` is understood, if its operator is in the table.
///
/// # Errors
/// The first one that is not, with its value.
pub fn check(node: &NodeProto) -> Result<(), String> {
    let Some(known) = TABLE.iter().find(|operators| operators.names.contains(&node.op_type.as_str())) else {
        return Ok(());
    };
    if let Some((k, name)) = node.input.iter().enumerate().skip(known.inputs).find(|(_, name)| !name.is_empty()) {
        return Err(format!("its input {k} ('{name}') is not supported"));
    }
    for attribute in &node.attribute {
        // A hint about memory that exporters of the first operator sets wrote.
        if attribute.name == "consumed_inputs" {
            continue;
        }
        let known = known.attributes.iter().find(|(name, _)| *name == attribute.name).map(|(_, how)| *how);
        let is_supported = match known {
            Some(Read | Ignored) => true,
            Some(OnlyInt(default)) => attribute.i == default,
            Some(OnlyText(default)) => attribute.s == default.as_bytes(),
            None => false,
        };
        if !is_supported {
            return Err(format!("its attribute {}{} is not supported", attribute.name, value(attribute)));
        }
    }
    Ok(())
}

/// The value of an attribute as text: " = 1", or nothing for long ones.
fn value(attribute: &AttributeProto) -> String {
    match attribute {
        AttributeProto { t: Some(_), .. } | AttributeProto { g: Some(_), .. } => String::new(),
        AttributeProto { s, .. } if !s.is_empty() => format!(" = '{}'", String::from_utf8_lossy(s)),
        AttributeProto { ints, .. } if !ints.is_empty() && ints.len() <= 8 => format!(" = {ints:?}"),
        AttributeProto { floats, .. } if !floats.is_empty() && floats.len() <= 8 => format!(" = {floats:?}"),
        AttributeProto { ints, floats, .. } if !ints.is_empty() || !floats.is_empty() => String::new(),
        AttributeProto { f, .. } if *f != 0.0 => format!(" = {f}"),
        AttributeProto { i, .. } => format!(" = {i}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(op: &str, inputs: usize, attribute: AttributeProto) -> NodeProto {
        NodeProto {
            op_type: op.into(),
            input: (0..inputs).map(|k| format!("in{k}")).collect(),
            attribute: vec![attribute],
            ..NodeProto::default()
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let int = |name: &str, i: i64| AttributeProto { name: name.into(), i, ..AttributeProto::default() };
        assert!(check(&node("Conv", 3, int("group", 2))).is_ok());
        assert!(check(&node("BatchNormalization", 5, int("spatial", 1))).is_ok());
        let refused = |op: &str, inputs, attribute| check(&node(op, inputs, attribute)).unwrap_err();
        assert!(refused("BatchNormalization", 5, int("spatial", 0)).contains("spatial = 0"));
        assert!(refused("Relu", 1, int("alpha", 3)).contains("alpha = 3"));
        assert!(refused("Conv", 4, int("group", 1)).contains("'in3'"));
        assert!(check(&node("Unknown", 9, int("x", 1))).is_ok());
    }

    #[test]
    fn no_operator_is_listed_twice() {
        let mut names: Vec<_> = TABLE.iter().flat_map(|operators| operators.names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
