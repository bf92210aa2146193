//! Tests of constant folding: values as ONNX defines them, and large constants.

use super::*;
use crate::network::onnx::constant::{ElementType, Numbers};
use crate::network::onnx::proto::AttributeProto;
