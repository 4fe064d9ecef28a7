//! Gradients of a loss, one per parameter.

use burn::module::Param;
use burn::tensor::{Gradients, Tensor};

use crate::decoder::Walk;
use crate::{Decoder, Place};

/// The gradient of one parameter, in the layout of the module (see
/// [`ParameterMap`](crate::ParameterMap)), on the plain device.
#[derive(Clone, Debug)]
pub enum Gradient {
    /// Of a projection, the embedding or the head.
    Matrix(Tensor<2>),
    /// Of a norm's scale.
    Vector(Tensor<1>),
}

impl Gradient {
    /// Sum of squares; on flex in f64 and in an order that does not depend on threads.
    pub fn squared_norm(&self) -> f64 {
        match self {
            Self::Matrix(tensor) => ablate_kernels::squared_norm(tensor.clone()),
            Self::Vector(tensor) => ablate_kernels::squared_norm(tensor.clone()),
        }
    }

    fn add(self, other: Self) -> Self {
        match (self, other) {
            (Self::Matrix(a), Self::Matrix(b)) => Self::Matrix(a + b),
            (Self::Vector(a), Self::Vector(b)) => Self::Vector(a + b),
            _ => panic!("gradients of different parameters cannot be added"),
        }
    }

    fn scale(self, factor: f64) -> Self {
        match self {
            Self::Matrix(tensor) => Self::Matrix(tensor.mul_scalar(factor)),
            Self::Vector(tensor) => Self::Vector(tensor.mul_scalar(factor)),
        }
    }
}

/// The gradients of a decoder's parameters, in the order of [`Decoder::names`].
#[derive(Clone, Debug)]
pub struct ParameterGradients {
    entries: Vec<Option<Gradient>>,
}

impl ParameterGradients {
    /// Adds the gradients of another backward pass of the same decoder.
    ///
    /// # Panics
    /// If the other gradients are of a decoder of another shape.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "gradients are accumulated, not calculated with"
    )]
    pub fn add(self, other: Self) -> Self {
        assert_eq!(self.entries.len(), other.entries.len(), "gradients of different decoders");
        let entries = self.entries.into_iter().zip(other.entries).map(|pair| match pair {
            (Some(a), Some(b)) => Some(a.add(b)),
            (a, b) => a.or(b),
        });
        Self { entries: entries.collect() }
    }

    /// Multiplies all of them.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        self.map(|gradient| gradient.scale(factor))
    }

    /// Sum of squares over all parameters: the square of the global norm. Parameters are added in
    /// their order, each as [`Gradient::squared_norm`].
    pub fn squared_norm(&self) -> f64 {
        self.entries.iter().flatten().map(Gradient::squared_norm).sum()
    }

    /// Gradient by gradient, in the order of [`Decoder::names`]; `None` where the loss does not
    /// depend on the parameter.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&Gradient>> {
        self.entries.iter().map(Option::as_ref)
    }

    /// What `change` makes of each of them.
    pub(crate) fn map(self, change: impl Fn(Gradient) -> Gradient) -> Self {
        Self { entries: self.entries.into_iter().map(|entry| entry.map(&change)).collect() }
    }

    pub(crate) fn into_entries(self) -> std::vec::IntoIter<Option<Gradient>> {
        self.entries.into_iter()
    }
}

impl Decoder {
    /// Runs the backward pass from `loss`, which must come from this decoder on a device with
    /// autodiff, and collects the gradient of every parameter.
    ///
    /// # Panics
    /// If the loss was not recorded (a device without autodiff) or was already used.
    pub fn gradients(&self, loss: &Tensor<1>) -> ParameterGradients {
        self.collect(loss.backward())
    }

    /// Takes the gradients of the parameters out of those of a backward pass.
    pub(crate) fn collect(&self, gradients: Gradients) -> ParameterGradients {
        let mut collect = Collect { gradients, entries: Vec::new() };
        // Cloning a parameter copies a handle, not its values.
        self.clone().walk(&mut collect);
        ParameterGradients { entries: collect.entries }
    }
}

struct Collect {
    gradients: Gradients,
    entries: Vec<Option<Gradient>>,
}

impl Walk for Collect {
    fn matrix(&mut self, _: Place, parameter: Param<Tensor<2>>) -> Param<Tensor<2>> {
        let gradient = parameter.val().grad_remove(&mut self.gradients);
        self.entries.push(gradient.map(Gradient::Matrix));
        parameter
    }

    fn vector(&mut self, _: Place, parameter: Param<Tensor<1>>) -> Param<Tensor<1>> {
        let gradient = parameter.val().grad_remove(&mut self.gradients);
        self.entries.push(gradient.map(Gradient::Vector));
        parameter
    }
}
