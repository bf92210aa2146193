//! The input of a network: its sample shape, from the file and from the sizes the user states for open ones.

pub mod open_sizes;

use std::path::Path;

use super::constant::ElementType;
use super::proto::{GraphProto, NodeProto, ValueInfoProto};
use super::shapes::format_open;
use crate::error::format_shape;
use crate::{Error, Result};

/// Side of images in the advice for open sizes.
const USUAL_SIDE: usize = 224;

/// The input of a graph: dimensions with the batch first, `None` where the file leaves them open.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphInput {
    pub name: String,
    pub dims: Vec<Option<usize>>,
    pub element_type: ElementType,
}

impl GraphInput {
    /// Reads a graph input.
    ///
    /// # Errors
    /// [`Error::File`] if it is no tensor of numbers, has no shape or too many dimensions.
    pub fn read(input: &ValueInfoProto, path: &Path) -> Result<Self> {
        let refuse = |reason: String| Err(Error::file(path, format!("input '{}'", input.name), reason));
        let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
        let Some((shape, tensor)) = tensor.and_then(|t| t.shape.as_ref().zip(Some(t))) else {
            return refuse("its shape is missing. Export with an example input.".into());
        };
        let size = |d: Option<i64>| d.filter(|&v| v > 0).and_then(|v| usize::try_from(v).ok());
        let dims: Vec<Option<usize>> = shape.dim.iter().map(|d| size(d.dim_value)).collect();
        // Files without a type are older than the field.
        let element_type = match tensor.elem_type {
            0 => ElementType::Float,
            code => match ElementType::of(i64::from(code)) {
                Ok(ElementType::Bool) => return refuse("it takes truth values; numbers are supported".into()),
                Ok(element_type) => element_type,
                Err(reason) => return refuse(reason),
            },
        };
        if dims.len() > 4 || dims.is_empty() {
            let what = match dims.len() {
                5 => " (volumes or image sequences)",
                _ => "",
            };
            return refuse(format!(
                "its shape is {}{what}; images NxCxHxW, sequences NxCxL and vectors NxF are supported",
                format_open(&dims)
            ));
        }
        Ok(Self { name: input.name.clone(), dims, element_type })
    }

    /// The dimensions of one sample in the order of the file, without the batch.
    pub fn sample(&self) -> &[Option<usize>] {
        // A single dimension is that of the values: the batch is missing.
        match self.dims.len() {
            1 => &self.dims,
            _ => &self.dims[1..],
        }
    }

    /// The sample shape with the sizes that the user states, in the order of the file.
    ///
    /// # Errors
    /// [`Error::File`] if a size is open and none is stated, and if `stated` differs from the file.
    pub fn fixed_sample(&self, stated: Option<&[usize]>, path: &Path) -> Result<Vec<usize>> {
        let sample = self.sample();
        let refuse = |reason: String| Err(Error::file(path, format!("input '{}'", self.name), reason));
        let whole = format_open(&self.dims);
        match stated {
            Some(stated) => {
                let fits = |(known, &given): (&Option<usize>, &usize)| given > 0 && known.is_none_or(|d| d == given);
                if stated.len() == sample.len() && sample.iter().zip(stated).all(fits) {
                    return Ok(stated.to_vec());
                }
                refuse(format!("its shape is {whole}, which {} does not match", format_shape(stated)))
            }
            None => match sample.iter().copied().collect::<Option<Vec<usize>>>() {
                Some(sample) => Ok(sample),
                None => {
                    let usual: Vec<usize> = sample.iter().map(|d| d.unwrap_or(USUAL_SIDE)).collect();
                    refuse(format!(
                        "its shape is {whole}, with open sizes. State them with --input {}.",
                        format_shape(&usual)
                    ))
                }
            },
        }
    }
}

/// Whether the input images are `[H, W, C]`: few channels in the last dimension, and a transpose to channels-first.
pub fn is_channels_last(sample: &[usize], graph: &GraphProto) -> bool {
    let few = |n: usize| matches!(n, 1 | 3 | 4);
    let turns = |n: &NodeProto| n.op_type == "Transpose" && n.ints("perm") == Some(&[0, 3, 1, 2][..]);
    matches!(*sample, [h, _, c] if few(c) && !few(h)) && graph.node.iter().any(turns)
}
