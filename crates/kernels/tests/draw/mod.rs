//! Test values from one portable generator, and comparisons of whole tensors.
#![allow(dead_code)]

use burn::tensor::{Device, Int, Tensor, TensorData};

/// The device whose kernels are tested: libtorch where it is compiled in.
pub(crate) fn device() -> Device {
    #[cfg(feature = "tch")]
    #[allow(deprecated)]
    return Device::libtorch();
    #[cfg(not(feature = "tch"))]
    Device::flex()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `-1..1`.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub(crate) fn floats<const D: usize>(
        &mut self,
        shape: [usize; D],
        scale: f32,
        device: &Device,
    ) -> Tensor<D> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| self.unit() * scale).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    pub(crate) fn ids<const D: usize>(
        &mut self,
        shape: [usize; D],
        limit: usize,
        device: &Device,
    ) -> Tensor<D, Int> {
        let values: Vec<i32> =
            (0..shape.iter().product()).map(|_| (self.next() % limit as u64) as i32).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// The largest difference, relative to the largest value of `truth`.
pub(crate) fn distance<const D: usize>(ours: &Tensor<D>, truth: &Tensor<D>) -> f32 {
    assert_eq!(ours.dims(), truth.dims());
    let (ours, truth) = (values(ours.clone()), values(truth.clone()));
    let scale = truth.iter().fold(1e-6f32, |most, value| most.max(value.abs()));
    ours.iter().zip(&truth).fold(0.0f32, |most, (a, b)| {
        let difference = (a - b).abs() / scale;
        // `max` would drop a not-a-number.
        if difference > most || difference.is_nan() { difference } else { most }
    })
}
