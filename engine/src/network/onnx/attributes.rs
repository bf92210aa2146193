//! Access to the attributes of an ONNX node by name, with default values.

use super::proto::{AttributeProto, GraphProto, NodeProto, TensorProto};

impl NodeProto {
    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|a| a.name == name)
    }
    /// An integer attribute, or `default`.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |a| a.i)
    }
    /// A float attribute, or `default`.
    pub fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |a| a.f)
    }
    /// A list of integers; `None` when the attribute is absent.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|a| a.ints.as_slice())
    }
    /// A list of floats; `None` when the attribute is absent.
    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        self.attribute(name).map(|a| a.floats.as_slice())
    }
    /// A text attribute, empty when absent.
    pub fn text(&self, name: &str) -> String {
        self.attribute(name).map(|a| String::from_utf8_lossy(&a.s).into_owned()).unwrap_or_default()
    }
    /// A tensor attribute, if present.
    pub fn tensor(&self, name: &str) -> Option<&TensorProto> {
        self.attribute(name).and_then(|a| a.t.as_ref())
    }
    /// A graph attribute, if present.
    pub fn graph(&self, name: &str) -> Option<&GraphProto> {
        self.attribute(name).and_then(|a| a.g.as_deref())
    }
    /// Whether the attribute is present.
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }
}
