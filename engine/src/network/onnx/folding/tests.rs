//! Tests of constant folding: values as ONNX defines them, and large constants.

use std::path::Path;

use super::*;
use crate::network::onnx::constant::{ElementType, Numbers};
use crate::network::onnx::proto::AttributeProto;

fn floats(dims: &[usize], values: &[f32]) -> Constant {
    Constant { dims: dims.to_vec(), numbers: Numbers::floats(values.to_vec()) }
}

fn typed(of: ElementType, values: &[i64]) -> Constant {
    Constant { dims: vec![values.len()], numbers: Numbers::Int(of, values.to_vec().into()) }
}

fn ints(values: &[i64]) -> Constant {
    Constant::ints(values.to_vec())
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i, ..AttributeProto::default() }
}

fn try_fold(op: &str, attribute: Vec<AttributeProto>, inputs: &[&Constant]) -> Result<Vec<Constant>, String> {
    let node = NodeProto { op_type: op.into(), output: vec!["y".into()], attribute, ..NodeProto::default() };
    let inputs: Vec<Option<&Constant>> = inputs.iter().copied().map(Some).collect();
    let budget = Budget::of_files(1 << 20);
    let folding = Folding { node: &node, inputs: &inputs, path: Path::new("a.onnx"), budget: &budget };
    folding.fold().map(|values| values.unwrap_or_else(|| panic!("{op} is not folded")))
}

fn fold(op: &str, attribute: Vec<AttributeProto>, inputs: &[&Constant]) -> Constant {
    try_fold(op, attribute, inputs).unwrap_or_else(|e| panic!("{op}: {e}")).remove(0)
}

#[test]
fn arithmetic_is_rounded_to_the_element_type() {
    // 16777217 has no 32-bit float.
    let sum = fold("Add", vec![], &[&floats(&[1], &[16_777_216.0]), &floats(&[1], &[1.0])]);
    assert_eq!(*sum.floats(), [16_777_216.0]);
    let half = Constant { dims: vec![1], numbers: Numbers::Float(ElementType::Float16, vec![2048.0].into()) };
    let one = Constant { dims: vec![1], numbers: Numbers::Float(ElementType::Float16, vec![1.0].into()) };
    assert_eq!(*fold("Add", vec![], &[&half, &one]).floats(), [2048.0]);
    let bytes = |v| typed(ElementType::Uint8, &[v]);
    assert_eq!(fold("Add", vec![], &[&bytes(250), &bytes(10)]).as_ints(), Some(vec![4]));
    assert_eq!(fold("Div", vec![], &[&ints(&[-7]), &ints(&[2])]).as_ints(), Some(vec![-3]));
    assert!(try_fold("Div", vec![], &[&ints(&[1]), &ints(&[0])]).is_err());
    // Integers beyond 2^53 stay exact.
    assert_eq!(fold("Add", vec![], &[&ints(&[i64::MAX - 1]), &ints(&[1])]).as_ints(), Some(vec![i64::MAX]));
    let many = [&floats(&[2], &[1.0, 5.0]), &floats(&[2], &[3.0, 1.0]), &floats(&[1], &[2.0])];
    assert_eq!(*fold("Sum", vec![], &many).floats(), [6.0, 8.0]);
    assert_eq!(*fold("Max", vec![], &many).floats(), [3.0, 5.0]);
    assert_eq!(*fold("Mean", vec![], &many[..2]).floats(), [2.0, 3.0]);
}

#[test]
fn remainders_have_the_sign_that_the_standard_says() {
    let (a, b) = (ints(&[-4, 7, 5, 4, -7, 8]), ints(&[2, -3, 8, -2, 3, 5]));
    assert_eq!(fold("Mod", vec![], &[&a, &b]).as_ints(), Some(vec![0, -2, 5, 0, 2, 3]));
    assert_eq!(fold("Mod", vec![int("fmod", 1)], &[&a, &b]).as_ints(), Some(vec![0, 1, 5, 0, -1, 3]));
}

#[test]
fn casts_truncate_and_wrap() {
    let cast = |x: &Constant, to: i64| fold("Cast", vec![int("to", to)], &[x]);
    let x = floats(&[4], &[0.0, 0.5, -2.7, 3.9]);
    assert_eq!(cast(&x, 9).as_ints(), Some(vec![0, 1, 1, 1]));
    assert_eq!(cast(&x, 6).as_ints(), Some(vec![0, 0, -2, 3]));
    assert_eq!(cast(&ints(&[300, -1]), 2).as_ints(), Some(vec![44, 255]));
    assert_eq!(*cast(&floats(&[1], &[1.0 + 1e-4]), 10).floats(), [1.0]);
    assert!(try_fold("Cast", vec![int("to", 3)], &[&floats(&[1], &[300.0])]).unwrap_err().contains("int8"));
    assert!(try_fold("Cast", vec![int("to", 8)], &[&x]).unwrap_err().contains("string"));
}

#[test]
fn values_are_moved_as_their_indices_say() {
    let x = floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let list =
        |name: &str, ints: &[i64]| AttributeProto { name: name.into(), ints: ints.to_vec(), ..Default::default() };
    assert_eq!(*fold("Transpose", vec![list("perm", &[1, 0])], &[&x]).floats(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let back = [&x, &ints(&[-1]), &ints(&[i64::MIN]), &ints(&[1]), &ints(&[-2])];
    assert_eq!(*fold("Slice", vec![], &back).floats(), [3.0, 1.0, 6.0, 4.0]);
    assert_eq!(fold("Concat", vec![int("axis", 1)], &[&x, &x]).dims, [2, 6]);
    assert_eq!(*fold("Gather", vec![int("axis", 1)], &[&x, &ints(&[-1, 0])]).floats(), [3.0, 1.0, 6.0, 4.0]);
    let pairs = Constant { dims: vec![2, 2], ..ints(&[0, 2, 1, -3]) };
    assert_eq!(*fold("GatherND", vec![], &[&x, &pairs]).floats(), [3.0, 4.0]);
    assert_eq!(fold("Tile", vec![], &[&x, &ints(&[1, 2])]).floats()[..6], [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    let wide = fold("Pad", vec![], &[&x, &ints(&[0, 1, 0, -1])]);
    assert_eq!((wide.dims.as_slice(), &wide.floats()[..]), (&[2, 3][..], &[0.0, 1.0, 2.0, 0.0, 4.0, 5.0][..]));
    assert_eq!(*fold("Trilu", vec![], &[&x]).floats(), [1.0, 2.0, 3.0, 0.0, 5.0, 6.0]);
    assert_eq!(fold("NonZero", vec![], &[&floats(&[2, 2], &[0.0, 1.0, 2.0, 0.0])]).as_ints(), Some(vec![0, 1, 1, 0]));
    let row =
        fold("ReduceL2", vec![list("axes", &[1]), int("keepdims", 0)], &[&floats(&[2, 2], &[3.0, 4.0, 6.0, 8.0])]);
    assert_eq!(*row.floats(), [5.0, 10.0]);
    let unchanged = fold("ReduceSum", vec![int("noop_with_empty_axes", 1)], &[&x]);
    assert_eq!(unchanged, x);
}

#[test]
fn quantized_weights_become_floats() {
    let x = Constant { dims: vec![2, 2], ..typed(ElementType::Int8, &[-127, 10, 20, 127]) };
    let whole = fold("DequantizeLinear", vec![], &[&x, &floats(&[], &[0.5])]);
    assert_eq!(*whole.floats(), [-63.5, 5.0, 10.0, 63.5]);
    let rows = [&x, &floats(&[2], &[1.0, 2.0]), &typed(ElementType::Int8, &[0, 27])];
    assert_eq!(*fold("DequantizeLinear", vec![int("axis", 0)], &rows).floats(), [-127.0, 10.0, -14.0, 200.0]);
    let zero = typed(ElementType::Uint8, &[128]);
    let stored = fold("QuantizeLinear", vec![], &[&floats(&[3], &[0.25, -1.0, 99.0]), &floats(&[], &[0.1]), &zero]);
    assert_eq!(stored.as_ints(), Some(vec![130, 118, 255]));
    let mismatched = [&x, &floats(&[3], &[1.0; 3])];
    assert!(try_fold("DequantizeLinear", vec![], &mismatched).is_err());
}

#[test]
fn products_follow_the_rules_of_numpy() {
    let (a, b) = (floats(&[2, 1, 2], &[1.0, 2.0, 3.0, 4.0]), floats(&[2, 2], &[1.0, 0.0, 1.0, 1.0]));
    let product = fold("MatMul", vec![], &[&a, &b]);
    assert_eq!((product.dims.as_slice(), &product.floats()[..]), (&[2, 1, 2][..], &[3.0, 2.0, 7.0, 4.0][..]));
    let gemm = fold("Gemm", vec![int("transB", 1)], &[&b, &b, &floats(&[2], &[10.0, 20.0])]);
    assert_eq!(*gemm.floats(), [11.0, 21.0, 11.0, 22.0]);
    assert!(try_fold("MatMul", vec![], &[&a, &a]).is_err());
}

#[test]
fn claimed_sizes_are_bounded() {
    let huge = ints(&[1 << 40]);
    assert!(try_fold("ConstantOfShape", vec![], &[&huge]).unwrap_err().contains("too large"));
    assert!(try_fold("Expand", vec![], &[&floats(&[1], &[1.0]), &huge]).is_err());
    assert!(try_fold("Range", vec![], &[&floats(&[], &[0.0]), &floats(&[], &[1e12]), &floats(&[], &[1.0])]).is_err());
    // Millions of values are no obstacle.
    let large = Constant { dims: vec![1500, 1000], numbers: Numbers::floats(vec![2.0; 1_500_000]) };
    let scaled = fold("Mul", vec![], &[&large, &floats(&[1, 1000], &[0.5; 1000])]);
    assert_eq!((scaled.dims.as_slice(), scaled.floats()[1_499_999]), (&[1500, 1000][..], 1.0));
}
