//! The storage of Burn tensors as slices and vectors, for operations with gradients of their own.
//!
//! Everything here but [`values_on_ndarray`] is for burn-flex, with or without gradients.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Device, Tensor, TensorData};

/// Values without gradients.
pub(crate) type Values = FloatTensor<Flex>;
/// Values with their place in the graph of gradients.
pub(crate) type Tracked = FloatTensor<Autodiff<Flex>>;

/// The primitive of a tensor on burn-flex with gradients.
pub(crate) fn tracked<const D: usize>(tensor: Tensor<D>) -> Tracked {
    match tensor.try_into_primitive::<Autodiff<Flex>>() {
        Ok(primitive) => primitive,
        Err(error) => unreachable!("gradients are taken on burn-flex: {error:?}"),
    }
}

/// The values, row-major; copied only if they are shared or a view.
pub(crate) fn into_vec(values: Values) -> Vec<f32> {
    match values.into_data().try_into_vec::<f32>() {
        Ok(numbers) => numbers,
        Err(error) => unreachable!("a float tensor that is not f32: {error:?}"),
    }
}

/// The slice of contiguous `values`.
pub(crate) fn as_slice_of(values: &Values) -> &[f32] {
    values.as_slice::<f32>().unwrap_or_else(|| unreachable!("values that were made contiguous are a view"))
}

/// The tensor of `numbers`, without a copy.
pub(crate) fn from_vec<const D: usize>(numbers: Vec<f32>, shape: [usize; D]) -> Values {
    Values::from_data(TensorData::new(numbers, shape))
}

/// The shape as an array.
pub(crate) fn shape_of<const D: usize>(values: &Values) -> [usize; D] {
    burn::backend::TensorMetadata::shape(values).dims()
}

/// A copy of the values of a tensor on burn-ndarray; Burn copies shared ones one by one. `None` on another device, or for a view.
#[expect(deprecated, reason = "burn-ndarray is selectable")]
pub(crate) fn values_on_ndarray(tensor: &Tensor<2>) -> Option<Vec<f32>> {
    use burn::backend::NdArray;
    use burn::backend::ndarray::NdArrayTensor;

    if tensor.device() != Device::ndarray() {
        return None;
    }
    match tensor.clone().try_into_primitive::<NdArray>() {
        Ok(NdArrayTensor::F32(storage)) => storage.view().as_slice().map(<[f32]>::to_vec),
        _ => None,
    }
}
