//! Between the layout of files (`[out, in]`) and that of the module.
//!
//! The module holds projections and the head as `[in, out]`, because that is the order in which
//! they are multiplied; the embedding is looked up by rows and stays as it is.

use burn::tensor::{Device, Tensor, TensorData};

use crate::{HostTensor, Place};

/// The matrix `name` as the module holds it.
///
/// # Panics
/// If `host` is not a matrix, or does not hold as many values as its shape says.
pub fn matrix_from_host(name: &str, host: &HostTensor, device: &Device) -> Tensor<2> {
    if is_transposed(name) {
        from_host(host.transposed(), device)
    } else {
        from_host(host.clone(), device)
    }
}

/// The matrix `name` of the module, in the layout of files.
pub fn matrix_to_host(name: &str, tensor: Tensor<2>) -> HostTensor {
    let host = to_host(tensor);
    if is_transposed(name) { host.transposed() } else { host }
}

/// A norm's scale on a device.
///
/// # Panics
/// If `host` is not a vector, or does not hold as many values as its shape says.
pub fn vector_from_host(host: &HostTensor, device: &Device) -> Tensor<1> {
    from_host(host.clone(), device)
}

/// A norm's scale on the host.
pub fn vector_to_host(tensor: Tensor<1>) -> HostTensor {
    to_host(tensor)
}

fn is_transposed(name: &str) -> bool {
    name != Place::Embedding.name()
}

fn from_host<const D: usize>(host: HostTensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(host.values, host.shape), device)
}

fn to_host<const D: usize>(tensor: Tensor<D>) -> HostTensor {
    HostTensor { shape: tensor.dims().to_vec(), values: float_values(tensor) }
}

/// The values of a tensor, row-major.
pub(crate) fn float_values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_into_vec().expect("the data was just converted to f32")
}
