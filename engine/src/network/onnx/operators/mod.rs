//! What is known about the operators of ONNX: what is read of each, and why others are refused.

pub mod refusals;
pub mod table;
