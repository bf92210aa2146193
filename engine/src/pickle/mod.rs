//! Reads pickles of Python without executing them: containers, numbers, texts, NumPy arrays and references to tensors.
//!
//! Every class and function that is not known becomes a placeholder with its name.

pub(crate) mod cursor;
pub(crate) mod globals;
pub(crate) mod numpy_array;
pub(crate) mod rebuild;
pub(crate) mod unpickler;
pub(crate) mod value;
