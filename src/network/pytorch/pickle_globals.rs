//! Allowed globals of a pickled state dict; all others are refused.

use super::dtype::DType;
use crate::Result;

/// An allowed global of the pickle. None of them executes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`
    Tensor,
    /// `torch._utils._rebuild_parameter`
    Parameter,
    /// `torch.FloatStorage` and similar ones: the element type of a storage.
    Storage(DType),
    /// `torch.Size`
    Size,
    /// `torch.device` and dtypes like `torch.float32`: allowed and ignored.
    Inert,
}

impl Global {
    /// The global `module.name`.
    ///
    /// # Errors
    /// A sentence with the global's name if state dicts do not need it.
    pub fn find(module: &str, name: &str) -> Result<Self, String> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::Tensor,
            ("torch._utils", "_rebuild_parameter") => Self::Parameter,
            ("torch" | "torch.cuda", "FloatStorage") => Self::Storage(DType::F32),
            ("torch" | "torch.cuda", "HalfStorage") => Self::Storage(DType::F16),
            ("torch" | "torch.cuda", "BFloat16Storage") => Self::Storage(DType::Bf16),
            ("torch" | "torch.cuda", "DoubleStorage") => Self::Storage(DType::F64),
            ("torch" | "torch.cuda", "LongStorage") => Self::Storage(DType::Other(8)),
            ("torch" | "torch.cuda", "IntStorage") => Self::Storage(DType::Other(4)),
            ("torch" | "torch.cuda", "ShortStorage") => Self::Storage(DType::Other(2)),
            ("torch" | "torch.cuda", "CharStorage" | "ByteStorage" | "BoolStorage") => Self::Storage(DType::Other(1)),
            ("torch", "Size") => Self::Size,
            ("torch", "device" | "float32" | "float16" | "bfloat16" | "float64" | "int64" | "int32" | "bool") => {
                Self::Inert
            }
            _ => {
                let shown: String = format!("{module}.{name}").chars().filter(|c| !c.is_control()).take(120).collect();
                return Err(format!(
                    "uses '{shown}', which no state dict needs and which is not executed. If this is a pickled model \
                     or checkpoint, load it in PyTorch and save only its weights: {SAVE}"
                ));
            }
        })
    }
}

/// The Python statement that saves a readable file, for messages.
pub(super) const SAVE: &str = "torch.save(model.state_dict(), \"weights.pth\")";
