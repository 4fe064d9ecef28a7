//! Replacing every parameter of a decoder: what an optimiser's step does.
//!
//! One step of training, with gradients accumulated over micro-batches:
//!
//! ```text
//! let mut sum = model.gradients(&model.loss(inputs, targets));
//! sum = sum.add(model.gradients(&model.loss(more_inputs, more_targets)));
//! let norm = sum.squared_norm().sqrt();
//! model = model.update(sum, &mut optimiser);    // optimiser: impl ParameterMap
//! ```

use burn::module::Param;
use burn::tensor::Tensor;

use crate::decoder::Walk;
use crate::gradients::{Gradient, ParameterGradients};
use crate::{Decoder, Place};

/// Gives each parameter its next value.
///
/// Called once per parameter in the order of [`Decoder::names`]. Parameters and gradients are on
/// the plain device (no autodiff), so that nothing done here is recorded. Matrices come as the
/// module holds them: projections and the head as `[in, out]`, the embedding as
/// `[vocabulary, width]`; [`matrix_to_host`](crate::matrix_to_host) and
/// [`matrix_from_host`](crate::matrix_from_host) convert to and from the layout of
/// [`Weights`](crate::Weights). The result must have the parameter's shape.
pub trait ParameterMap {
    /// The next value of a projection, the embedding or the head.
    fn matrix(
        &mut self,
        name: &str,
        parameter: Tensor<2>,
        gradient: Option<Tensor<2>>,
    ) -> Tensor<2>;

    /// The next value of a norm's scale.
    fn vector(
        &mut self,
        name: &str,
        parameter: Tensor<1>,
        gradient: Option<Tensor<1>>,
    ) -> Tensor<1>;
}

impl Decoder {
    /// The decoder with every parameter replaced by what `map` makes of it. Gradients of another
    /// decoder's shape, or none for a parameter, reach `map` as `None`.
    ///
    /// Keep no other copy of the decoder, and no loss computed from it, while calling this: a
    /// parameter held only once can be changed in place.
    pub fn update(self, gradients: ParameterGradients, map: &mut dyn ParameterMap) -> Self {
        self.walk(&mut Update { gradients: gradients.into_entries(), map })
    }
}

struct Update<'a, I> {
    gradients: I,
    map: &'a mut dyn ParameterMap,
}

impl<I: Iterator<Item = Option<Gradient>>> Walk for Update<'_, I> {
    fn matrix(&mut self, place: Place, parameter: Param<Tensor<2>>) -> Param<Tensor<2>> {
        let gradient = match self.gradients.next().flatten() {
            Some(Gradient::Matrix(gradient)) => Some(gradient),
            _ => None,
        };
        replace(parameter, |value| self.map.matrix(&place.name(), value, gradient))
    }

    fn vector(&mut self, place: Place, parameter: Param<Tensor<1>>) -> Param<Tensor<1>> {
        let gradient = match self.gradients.next().flatten() {
            Some(Gradient::Vector(gradient)) => Some(gradient),
            _ => None,
        };
        replace(parameter, |value| self.map.vector(&place.name(), value, gradient))
    }
}

/// Takes the value off the autodiff device, changes it, and makes it a leaf there again.
fn replace<const D: usize>(
    parameter: Param<Tensor<D>>,
    change: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    parameter.map(|old| {
        let autodiff = old.is_autodiff();
        let strategy = old.gradient_checkpointing_strategy();
        let tracked = old.is_require_grad();
        let mut new = change(old.inner()).inner();
        if autodiff {
            new = Tensor::from_inner(new);
            if let Some(strategy) = strategy {
                new = new.with_gradient_checkpointing_strategy(strategy);
            }
        }
        new.set_require_grad(tracked)
    })
}
