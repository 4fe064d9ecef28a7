//! From flex tensors to slices and back.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

/// The same tensor in row-major order, copied only if it is not yet.
pub(crate) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// The elements of a tensor that came out of [`contiguous`].
pub(crate) fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("a contiguous f32 tensor")
}

/// Changes the elements of a tensor: in place if nobody else holds it, in a copy otherwise.
pub(crate) fn changed(tensor: FlexTensor, change: impl FnOnce(&mut [f32])) -> FlexTensor {
    let whole = tensor.layout().num_elements() * size_of::<f32>() == tensor.bytes().len();
    let mut tensor = if whole && tensor.is_contiguous() && tensor.layout().start_offset() == 0 {
        tensor
    } else {
        tensor.to_contiguous()
    };
    change(tensor.storage_mut());
    tensor
}

/// A tensor of `shape` around `values`.
pub(crate) fn tensor(values: Vec<f32>, shape: impl std::convert::Into<Shape>) -> FlexTensor {
    let shape = shape.into();
    assert_eq!(values.len(), shape.num_elements());
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(shape), DType::F32)
}

/// The sizes of a tensor's axes.
///
/// # Panics
/// If it does not have `D` axes; `name` says which tensor.
pub(crate) fn dims<const D: usize>(tensor: &FlexTensor, name: &str) -> [usize; D] {
    let shape = tensor.layout().shape();
    shape
        .as_slice()
        .try_into()
        .unwrap_or_else(|_| panic!("{name} must have {D} axes, its shape is {shape:?}"))
}

/// The shape of a tensor whose last axis has been replaced.
pub(crate) fn with_last(tensor: &FlexTensor, last: usize) -> Shape {
    let mut shape = tensor.layout().shape().clone();
    let axes = shape.num_dims();
    shape.as_mut_slice()[axes - 1] = last;
    shape
}

/// The elements of a tensor of whole numbers, each checked to be below `limit`.
///
/// # Panics
/// If one is not.
pub(crate) fn indices(tensor: &FlexTensor, limit: usize) -> Vec<usize> {
    let tensor = tensor.to_contiguous();
    let checked = |position: usize, id: Option<usize>| match id {
        Some(id) if id < limit => id,
        _ => panic!("the id at position {position} is outside the vocabulary of {limit}"),
    };
    macro_rules! convert {
        ($ty:ty) => {{
            let ids = tensor.as_slice::<$ty>().expect("a contiguous tensor").iter().enumerate();
            ids.map(|(position, id)| checked(position, usize::try_from(*id).ok())).collect()
        }};
    }
    match tensor.dtype() {
        DType::I64 => convert!(i64),
        DType::I32 => convert!(i32),
        DType::I16 => convert!(i16),
        DType::I8 => convert!(i8),
        DType::U64 => convert!(u64),
        DType::U32 => convert!(u32),
        DType::U16 => convert!(u16),
        DType::U8 => convert!(u8),
        other => panic!("ids must be whole numbers, got {other:?}"),
    }
}
