//! Rotary position angles (Su et al. 2021, arXiv:2104.09864).

use burn::tensor::{Device, Tensor, TensorData};

/// Precomputed cosines and sines for positions `0..context`, in the half-split layout of Hugging
/// Face: channel `i` of a head is paired with channel `i + head_dim / 2`.
///
/// The table is a constant: it lives on the device without autodiff and works with tensors that
/// have it and tensors that do not.
#[derive(Clone, Debug)]
pub struct RotaryTable {
    pub(crate) cos: Tensor<2>,
    pub(crate) sin: Tensor<2>,
}

impl RotaryTable {
    /// Angles `position * theta^(-2 i / head_dim)` for `i` in `0..head_dim / 2`, computed in f64.
    ///
    /// # Panics
    /// If `head_dim` is odd.
    pub fn new(context: usize, head_dim: usize, theta: f64, device: &Device) -> Self {
        assert!(
            head_dim.is_multiple_of(2),
            "rotary positions need an even head_dim, got {head_dim}"
        );
        let channels = 0..head_dim / 2;
        let frequencies: Vec<f64> =
            channels.map(|channel| theta.powf(-2.0 * channel as f64 / head_dim as f64)).collect();
        Self::with_frequencies(context, &frequencies, device)
    }

    /// Angles `position * frequency` for heads of twice as many channels as there are frequencies.
    pub fn with_frequencies(context: usize, frequencies: &[f64], device: &Device) -> Self {
        let half = frequencies.len();
        let device = device.clone().without_autodiff();
        let angles: Vec<f64> =
            (0..context * half).map(|at| (at / half) as f64 * frequencies[at % half]).collect();
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = angles.iter().map(|angle| f(*angle) as f32).collect();
            Tensor::from_data(TensorData::new(values, [context, half]), &device)
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }

    /// The same table on another device.
    #[must_use]
    pub fn to_device(&self, device: &Device) -> Self {
        let device = device.clone().without_autodiff();
        Self { cos: self.cos.clone().to_device(&device), sin: self.sin.clone().to_device(&device) }
    }

    /// How many positions the table holds.
    pub fn context(&self) -> usize {
        self.cos.dims()[0]
    }

    /// Rows `offset..offset + time` of the table.
    pub(crate) fn rows(&self, offset: usize, time: usize) -> (Tensor<2>, Tensor<2>) {
        assert!(
            offset + time <= self.context(),
            "positions {offset}..{} exceed the rotary table's context of {}",
            offset + time,
            self.context()
        );
        (self.cos.clone().narrow(0, offset, time), self.sin.clone().narrow(0, offset, time))
    }
}
