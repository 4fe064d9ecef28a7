//! Copies of a decoder on other devices, and gradients brought back from there: what it takes to
//! divide a batch among devices.

use burn::module::Param;
use burn::tensor::{Device, Tensor};

use crate::decoder::Walk;
use crate::gradients::Gradient;
use crate::{Decoder, ParameterGradients, Place};

impl Decoder {
    /// A decoder with the same values on another device; on one with autodiff its parameters are
    /// trainable. Neither is changed by what is done to the other.
    #[must_use]
    pub fn replica(&self, device: &Device) -> Self {
        // Cloning a parameter copies a handle, not its values.
        let copy = self.clone().walk(&mut Move { device });
        copy.with_rotary_on(device)
    }
}

impl ParameterGradients {
    /// The same gradients on another device, or the very ones where they are there already.
    #[must_use]
    pub fn to_device(self, device: &Device) -> Self {
        let device = device.clone().without_autodiff();
        self.map(|gradient| match gradient {
            Gradient::Matrix(tensor) => Gradient::Matrix(tensor.to_device(&device)),
            Gradient::Vector(tensor) => Gradient::Vector(tensor.to_device(&device)),
        })
    }
}

struct Move<'a> {
    device: &'a Device,
}

impl Move<'_> {
    fn moved<const D: usize>(&self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let old = parameter.val();
        let strategy = old.gradient_checkpointing_strategy();
        let mut new = old.inner().to_device(&self.device.clone().without_autodiff());
        if self.device.is_autodiff() {
            new = Tensor::from_inner(new);
            if let Some(strategy) = strategy {
                new = new.with_gradient_checkpointing_strategy(strategy);
            }
        }
        Param::from_tensor(new)
    }
}

impl Walk for Move<'_> {
    fn matrix(&mut self, _: Place, parameter: Param<Tensor<2>>) -> Param<Tensor<2>> {
        self.moved(parameter)
    }

    fn vector(&mut self, _: Place, parameter: Param<Tensor<1>>) -> Param<Tensor<1>> {
        self.moved(parameter)
    }
}
