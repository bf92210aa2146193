//! NumPy arrays in a pickle: their type, shape and bytes.

use super::value::{ObjectKind, PickleValue, Tables};
use crate::ground::number_type::NumberType;

/// The parts of an array. The number of bytes is not checked against the shape.
pub(crate) struct ArrayParts<'t> {
    pub shape: Vec<usize>,
    pub number_type: NumberType,
    pub is_big_endian: bool,
    /// Whether the first dimension is the fastest.
    pub is_fortran: bool,
    pub bytes: &'t [u8],
}

impl<'a> Tables<'a> {
    /// Shape and number type of the array `value`; `None` for other values and for arrays of anything but numbers.
    pub fn array_type(&self, value: PickleValue<'a>) -> Option<(Vec<usize>, NumberType)> {
        self.array_parts(value).map(|parts| (parts.shape, parts.number_type))
    }

    /// The array `value`; `None` for other values and for arrays of anything but numbers.
    pub fn array_parts(&self, value: PickleValue<'a>) -> Option<ArrayParts<'_>> {
        let PickleValue::Object(id) = value else { return None };
        let object = self.objects.get(id)?;
        let (shape, code, is_fortran, data) =
            match (object.kind, self.items(object.state), self.items(object.arguments)) {
                (ObjectKind::NumpyArray, &[_, shape, code, is_fortran, data], _) => {
                    (shape, code, is_fortran == PickleValue::Bool(true), data)
                }
                (ObjectKind::NumpyBuffer, _, &[data, code, shape, order]) => {
                    (shape, code, order == PickleValue::Text("F"), data)
                }
                _ => return None,
            };
        let (number_type, is_big_endian) = self.array_number_type(code)?;
        let bytes = self.bytes(data)?;
        Some(ArrayParts { shape: self.sizes(shape)?, number_type, is_big_endian, is_fortran, bytes })
    }

    /// Number type of a `numpy.dtype`, and whether it is big-endian; `None` for records, objects and texts.
    fn array_number_type(&self, value: PickleValue<'a>) -> Option<(NumberType, bool)> {
        let PickleValue::Object(id) = value else { return None };
        let object = self.objects.get(id).filter(|object| object.kind == ObjectKind::NumpyType)?;
        let code = self.key(*self.items(object.arguments).first()?)?;
        let order = self.items(object.state).get(1).and_then(|&order| self.key(order));
        let (order, code) = match code.strip_prefix(['<', '>', '|', '=']) {
            Some(rest) => (Some(code[..1].to_owned()), rest.to_owned()),
            None => (order, code),
        };
        let number_type = match code.as_str() {
            "f2" => NumberType::F16,
            "f4" => NumberType::F32,
            "f8" => NumberType::F64,
            "b1" => NumberType::Bool,
            "i1" => NumberType::Int(1),
            "i2" => NumberType::Int(2),
            "i4" => NumberType::Int(4),
            "i8" => NumberType::Int(8),
            "u1" => NumberType::Uint(1),
            "u2" => NumberType::Uint(2),
            "u4" => NumberType::Uint(4),
            "u8" => NumberType::Uint(8),
            "c8" => NumberType::Complex(8),
            "c16" => NumberType::Complex(16),
            _ => return None,
        };
        Some((number_type, order.as_deref() == Some(">")))
    }
}

/// Values in column order (the first dimension is the fastest) in row order.
pub(crate) fn row_major<T: Copy>(data: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = Vec::with_capacity(shape.len());
    shape.iter().fold(1, |stride, &n| {
        strides.push(stride);
        stride * n
    });
    let mut out = Vec::with_capacity(data.len());
    for at in 0..data.len() {
        let (mut rest, mut from) = (at, 0);
        for axis in (0..shape.len()).rev() {
            from += rest % shape[axis] * strides[axis];
            rest /= shape[axis];
        }
        out.push(data[from]);
    }
    out
}
