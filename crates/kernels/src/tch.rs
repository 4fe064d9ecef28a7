//! Tensors of libtorch on the CPU. This module alone names `burn-tch`, which its authors have
//! deprecated.
#![allow(deprecated)]

use burn::tensor::Shape;
use burn_tch::LibTorchDevice;
use tch::{Device, Kind, Tensor};

use crate::host::{Host, HostTensor};

/// The backend.
pub(crate) type LibTorch = burn_tch::LibTorch;
/// Its tensors.
pub(crate) type TchTensor = burn_tch::TchTensor;

/// Whether tensors on this device lie in ordinary memory.
pub(crate) fn lies_in_memory(device: &LibTorchDevice) -> bool {
    *device == LibTorchDevice::Cpu
}

/// See [`crate::use_threads`].
pub(crate) fn use_threads(threads: usize) {
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
}

/// See [`crate::libtorch_gpus`].
pub(crate) fn gpus() -> usize {
    if tch::Cuda::is_available() { tch::Cuda::device_count().try_into().unwrap_or(0) } else { 0 }
}

impl Host for LibTorch {
    type Tensor = TchTensor;
}

/// Tensors of f32 and of whole numbers that lie in ordinary memory.
impl HostTensor for TchTensor {
    fn contiguous(self) -> Self {
        if self.tensor.is_contiguous() {
            return self;
        }
        TchTensor::new(self.tensor.contiguous())
    }

    fn floats(&self) -> &[f32] {
        let tensor = &self.tensor;
        assert!(
            tensor.kind() == Kind::Float
                && tensor.is_contiguous()
                && tensor.device() == Device::Cpu,
            "a contiguous f32 tensor on the CPU"
        );
        let start = tensor.data_ptr().cast::<f32>();
        // SAFETY: so many numbers lie there, and as long as `self` lives nobody writes them:
        // libtorch's operations in place, like `changed`, ask first whether the memory is shared.
        unsafe { std::slice::from_raw_parts(start, tensor.numel()) }
    }

    fn around(values: Vec<f32>, shape: Shape) -> Self {
        let sizes: Vec<i64> = shape.as_slice().iter().map(|size| *size as i64).collect();
        TchTensor::new(Tensor::from_slice(&values).reshape(sizes))
    }

    fn changed(self, change: impl FnOnce(&mut [f32])) -> Self {
        let own = if self.can_mut() && self.tensor.is_contiguous() {
            self
        } else {
            TchTensor::new(self.tensor.contiguous().copy())
        };
        let length = own.floats().len();
        let start = own.tensor.data_ptr().cast::<f32>();
        // SAFETY: as in `floats`, and nobody else holds this memory.
        change(unsafe { std::slice::from_raw_parts_mut(start, length) });
        own
    }

    fn whole_numbers(&self) -> Vec<i64> {
        let ids = self.tensor.to_kind(Kind::Int64).flatten(0, -1);
        Vec::try_from(&ids).expect("a tensor of whole numbers")
    }
}
