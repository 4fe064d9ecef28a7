//! Tensors that lie in ordinary memory, from whichever backend: to slices and back.

use burn::backend::{Backend, TensorMetadata};
use burn::tensor::Shape;

/// A backend whose tensors lie in ordinary memory.
pub(crate) trait Host:
    Backend<FloatTensorPrimitive = <Self as Host>::Tensor, IntTensorPrimitive = <Self as Host>::Tensor>
{
    /// Its tensors, of floats and of whole numbers.
    type Tensor: HostTensor;
}

/// A tensor in ordinary memory.
pub(crate) trait HostTensor: TensorMetadata + 'static {
    /// The same tensor in row-major order, copied only if it is not yet.
    fn contiguous(self) -> Self;

    /// The elements of a contiguous tensor of f32.
    fn floats(&self) -> &[f32];

    /// A tensor around so many values as the shape has elements.
    fn around(values: Vec<f32>, shape: Shape) -> Self;

    /// Changes the f32 elements: in place if nobody else holds them, in a copy otherwise.
    fn changed(self, change: impl FnOnce(&mut [f32])) -> Self;

    /// The elements of a tensor of whole numbers.
    fn whole_numbers(&self) -> Vec<i64>;
}

/// See [`HostTensor::contiguous`].
pub(crate) fn contiguous<T: HostTensor>(tensor: T) -> T {
    tensor.contiguous()
}

/// See [`HostTensor::floats`].
pub(crate) fn floats<T: HostTensor>(tensor: &T) -> &[f32] {
    tensor.floats()
}

/// See [`HostTensor::changed`].
pub(crate) fn changed<T: HostTensor>(tensor: T, change: impl FnOnce(&mut [f32])) -> T {
    tensor.changed(change)
}

/// A tensor of `shape` around `values`.
pub(crate) fn tensor<T: HostTensor>(values: Vec<f32>, shape: impl std::convert::Into<Shape>) -> T {
    let shape = shape.into();
    assert_eq!(values.len(), shape.num_elements());
    T::around(values, shape)
}

/// The sizes of a tensor's axes.
///
/// # Panics
/// If it does not have `D` axes; `name` says which tensor.
pub(crate) fn dims<const D: usize>(tensor: &impl HostTensor, name: &str) -> [usize; D] {
    let shape = tensor.shape();
    shape
        .as_slice()
        .try_into()
        .unwrap_or_else(|_| panic!("{name} must have {D} axes, its shape is {shape:?}"))
}

/// The shape of a tensor whose last axis has been replaced.
pub(crate) fn with_last(tensor: &impl HostTensor, last: usize) -> Shape {
    let mut shape = tensor.shape();
    let axes = shape.num_dims();
    shape.as_mut_slice()[axes - 1] = last;
    shape
}

/// The elements of a tensor of whole numbers, each checked to be below `limit`.
///
/// # Panics
/// If one is not.
pub(crate) fn indices(tensor: &impl HostTensor, limit: usize) -> Vec<usize> {
    let ids = tensor.whole_numbers();
    let checked = ids.into_iter().enumerate().map(|(position, id)| match usize::try_from(id) {
        Ok(id) if id < limit => id,
        _ => panic!("the id at position {position} is outside the vocabulary of {limit}"),
    });
    checked.collect()
}
