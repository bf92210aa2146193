//! Lowering of all operators that are not elementwise, one file per family.

mod broadcasting;
mod casts;
mod constants;
mod gather;
mod interpolation;
mod layout;
mod linear_maps;
mod output_functions;
mod padding;
mod pooling;
mod reductions;
mod repeats;
mod reshape;
mod upsampling;
mod weights;
mod windows;

use super::lower::{LoweredValue, Lowering};
use super::operators::refusals;
use super::proto::NodeProto;
use crate::Result;

impl Lowering<'_> {
    /// The value of a node that is not elementwise.
    ///
    /// # Errors
    /// [`crate::Error::File`] with the node if it cannot become a layer.
    pub fn layer(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let id = match node.op_type.as_str() {
            "Identity" => return self.value(node, 0),
            "Dropout" => return self.dropout(node),
            "Cast" | "CastLike" => return self.cast(node),
            "Conv" => self.convolution(node)?,
            "Gemm" => self.gemm(node)?,
            "MatMul" => self.matrix_product(node)?,
            "BatchNormalization" => self.batch_norm(node)?,
            "MaxPool" | "AveragePool" => self.pool(node)?,
            "GlobalAveragePool" | "GlobalMaxPool" => self.global_pool(node)?,
            "ReduceMean" | "ReduceSum" | "ReduceMax" => self.reduce(node)?,
            "Concat" => self.concat(node)?,
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshape(node)?,
            "Transpose" => self.transpose(node)?,
            "Slice" => self.slice(node)?,
            "ConvTranspose" => self.transposed_convolution(node)?,
            "Resize" | "Upsample" => self.resize(node)?,
            "Gather" => self.gather(node)?,
            "GatherND" => self.gather_nd(node)?,
            "Pad" => self.pad(node)?,
            "Tile" => self.tile(node)?,
            "Expand" => self.expand(node)?,
            "DepthToSpace" | "SpaceToDepth" => self.depth_and_space(node)?,
            "Where" => self.select_where(node)?,
            "Softmax" | "LogSoftmax" => self.softmax(node)?,
            "Sigmoid" => self.sigmoid(node)?,
            _ => return Err(self.node_error(node, refusals::of_layer(node))),
        };
        Ok(LoweredValue::Layer(id))
    }
}
