//! Globals of a pickle that the reader knows; every other one becomes a name without effect.

use crate::ground::number_type::{Float8, NumberType};

/// A global of the pickle. None of them executes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    /// `dict`, `collections.OrderedDict`
    Dict,
    /// `collections.defaultdict`: its first argument makes values.
    DefaultDict,
    /// `list`, `tuple`, `set`, `frozenset`, `torch.Size` of one iterable.
    Sequence,
    /// `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`
    Tensor,
    /// `torch._utils._rebuild_tensor_v3`, which states the number type.
    TypedTensor,
    /// `torch._utils._rebuild_parameter`: its first argument is the tensor.
    Parameter,
    /// `torch._tensor._rebuild_from_type_v2`: calls its first argument on its third.
    FromType,
    /// A tensor without readable numbers, and why.
    Unreadable(&'static str),
    /// `torch.FloatStorage` and similar ones: the number type of a storage.
    Storage(NumberType),
    /// `torch.float32` and similar ones.
    NumberType(NumberType),
    /// `torch.storage._load_from_bytes`: a storage saved as a file within the file.
    SavedStorage,
    /// `_codecs.encode`: bytes that protocol 2 writes as text.
    Encode,
    /// `numpy.core.multiarray._reconstruct`: an array that its state fills.
    NumpyArray,
    /// `numpy.core.numeric._frombuffer`
    NumpyBuffer,
    /// `numpy.dtype`
    NumpyType,
    /// `copyreg._reconstructor` and `copyreg.__newobj__`: an object of the class that is their first argument.
    NewObject,
    /// Any other: an index into the names of the pickle.
    Other(usize),
}

/// Why tensors of these kinds are refused, after "key 'x'".
pub(crate) const QUANTIZED: &str =
    "is quantized. A quantized network cannot be converted. Open the float network from which it was made";
pub(crate) const META: &str =
    "has no numbers: it was saved on PyTorch's meta device. Save the network after its weights are loaded";
const SPARSE: &str = "is a sparse tensor. Save it as a dense one: tensor.to_dense()";
const NESTED: &str = "is a nested tensor, which no layer reads";
pub(crate) const UNKNOWN_TYPE: &str = "has numbers of a type that is not known. Save it as float32: tensor.float()";
pub(crate) const VIEW: &str = "is a negative or conjugate view. Save tensor.resolve_neg().resolve_conj()";

impl Global {
    /// The global `module.name`; `None` if the reader does not know it.
    pub fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") | ("builtins" | "__builtin__", "dict") => Self::Dict,
            ("collections", "defaultdict") => Self::DefaultDict,
            ("torch", "Size") | ("builtins" | "__builtin__", "list" | "tuple" | "set" | "frozenset") => Self::Sequence,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::Tensor,
            ("torch._utils", "_rebuild_tensor_v3") => Self::TypedTensor,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Self::Parameter,
            ("torch._utils" | "torch._tensor", "_rebuild_from_type_v2" | "_rebuild_from_type") => Self::FromType,
            ("torch._utils", "_rebuild_qtensor") => Self::Unreadable(QUANTIZED),
            ("torch._utils", "_rebuild_meta_tensor_no_storage") => Self::Unreadable(META),
            ("torch._utils", "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor") => Self::Unreadable(SPARSE),
            ("torch._utils", "_rebuild_nested_tensor") => Self::Unreadable(NESTED),
            ("torch.storage", "_load_from_bytes") => Self::SavedStorage,
            ("torch.storage", "UntypedStorage") | ("torch", "UntypedStorage") => Self::Storage(NumberType::Uint(1)),
            ("torch" | "torch.cuda" | "torch.storage", storage) if storage.ends_with("Storage") => {
                Self::Storage(storage_type(storage)?)
            }
            ("torch", name) => Self::NumberType(number_type(name)?),
            ("_codecs", "encode") => Self::Encode,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Self::NumpyArray,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Self::NumpyBuffer,
            ("numpy", "dtype") => Self::NumpyType,
            ("copyreg" | "copy_reg", "_reconstructor" | "__newobj__" | "__newobj_ex__") => Self::NewObject,
            _ => return None,
        })
    }
}

fn storage_type(name: &str) -> Option<NumberType> {
    Some(match name {
        "FloatStorage" => NumberType::F32,
        "HalfStorage" => NumberType::F16,
        "BFloat16Storage" => NumberType::Bf16,
        "DoubleStorage" => NumberType::F64,
        "LongStorage" => NumberType::Int(8),
        "IntStorage" => NumberType::Int(4),
        "ShortStorage" => NumberType::Int(2),
        "CharStorage" => NumberType::Int(1),
        "ByteStorage" => NumberType::Uint(1),
        "BoolStorage" => NumberType::Bool,
        "ComplexFloatStorage" => NumberType::Complex(8),
        "ComplexDoubleStorage" => NumberType::Complex(16),
        "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => NumberType::Quantized(1),
        "QInt32Storage" => NumberType::Quantized(4),
        _ => return None,
    })
}

fn number_type(name: &str) -> Option<NumberType> {
    Some(match name {
        "float32" | "float" => NumberType::F32,
        "float64" | "double" => NumberType::F64,
        "float16" | "half" => NumberType::F16,
        "bfloat16" => NumberType::Bf16,
        "float8_e4m3fn" => NumberType::F8(Float8::E4M3Fn),
        "float8_e4m3fnuz" => NumberType::F8(Float8::E4M3Fnuz),
        "float8_e5m2" => NumberType::F8(Float8::E5M2),
        "float8_e5m2fnuz" => NumberType::F8(Float8::E5M2Fnuz),
        "float8_e8m0fnu" | "float4_e2m1fn_x2" => NumberType::Quantized(1),
        "int64" | "long" => NumberType::Int(8),
        "int32" | "int" => NumberType::Int(4),
        "int16" | "short" => NumberType::Int(2),
        "int8" => NumberType::Int(1),
        "uint8" => NumberType::Uint(1),
        "uint16" => NumberType::Uint(2),
        "uint32" => NumberType::Uint(4),
        "uint64" => NumberType::Uint(8),
        "bool" => NumberType::Bool,
        "complex32" | "chalf" => NumberType::Complex(4),
        "complex64" | "cfloat" => NumberType::Complex(8),
        "complex128" | "cdouble" => NumberType::Complex(16),
        "qint8" | "quint8" => NumberType::Quantized(1),
        "qint32" => NumberType::Quantized(4),
        _ => return None,
    })
}

/// Whether a program that loads the file could run commands by calling `module.name`.
pub(crate) fn runs_commands(name: &str) -> bool {
    const MODULES: [&str; 12] = [
        "os",
        "posix",
        "nt",
        "subprocess",
        "shutil",
        "socket",
        "runpy",
        "pty",
        "webbrowser",
        "importlib",
        "ctypes",
        "sys",
    ];
    const FUNCTIONS: [&str; 6] = ["eval", "exec", "execfile", "compile", "open", "__import__"];
    match name.rsplit_once('.') {
        Some(("builtins" | "__builtin__", function)) => FUNCTIONS.contains(&function),
        Some((module, _)) => MODULES.contains(&module.split('.').next().unwrap_or_default()),
        None => false,
    }
}

/// The Python statement that saves a readable file, for messages.
pub(crate) const SAVE: &str = "torch.save(model.state_dict(), \"weights.pth\")";
