//! AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) and clipping by the global norm, as PyTorch
//! computes them.

use std::collections::BTreeMap;

use ablate_kernels::AdamWFactors;
use ablate_model::{
    ParameterMap, Weights, matrix_from_host, matrix_to_host, vector_from_host, vector_to_host,
};
use burn::tensor::{Device, Tensor};

use crate::TrainConfig;

/// The optimiser's constants and its running moments, one pair per parameter.
pub(crate) struct AdamW {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    weight_decay: f64,
    matrices: BTreeMap<String, Moments<2>>,
    vectors: BTreeMap<String, Moments<1>>,
}

/// Running means of a parameter's gradient and of its square.
struct Moments<const D: usize> {
    first: Tensor<D>,
    second: Tensor<D>,
}

impl AdamW {
    /// Takes up the moments of a state. Both hold the same tensors as the weights.
    pub(crate) fn new(
        config: &TrainConfig,
        first: &Weights,
        second: &Weights,
        device: &Device,
    ) -> Self {
        let device = device.clone().without_autodiff();
        let mut matrices = BTreeMap::new();
        let mut vectors = BTreeMap::new();
        for ((name, first), (_, second)) in first.iter().zip(second.iter()) {
            if first.shape.len() == 2 {
                let [first, second] =
                    [first, second].map(|host| matrix_from_host(name, host, &device));
                matrices.insert(name.to_owned(), Moments { first, second });
            } else {
                let [first, second] = [first, second].map(|host| vector_from_host(host, &device));
                vectors.insert(name.to_owned(), Moments { first, second });
            }
        }
        Self {
            beta1: config.beta1,
            beta2: config.beta2,
            epsilon: config.epsilon,
            weight_decay: config.weight_decay,
            matrices,
            vectors,
        }
    }

    /// The moments in the layout of files, as [`AdamW::new`] takes them.
    pub(crate) fn moments(&self) -> (Weights, Weights) {
        let (mut first, mut second) = (Weights::new(), Weights::new());
        for (name, moments) in &self.matrices {
            first.insert(name.clone(), matrix_to_host(name, moments.first.clone()));
            second.insert(name.clone(), matrix_to_host(name, moments.second.clone()));
        }
        for (name, moments) in &self.vectors {
            first.insert(name.clone(), vector_to_host(moments.first.clone()));
            second.insert(name.clone(), vector_to_host(moments.second.clone()));
        }
        (first, second)
    }

    /// Prepares update number `step`, counted from 1, with gradients multiplied by `scale`.
    pub(crate) fn step(&mut self, step: u64, learning_rate: f64, scale: f64) -> AdamWStep<'_> {
        let power = |beta: f64| beta.powf(step as f64);
        AdamWStep {
            learning_rate,
            scale,
            first_bias: 1.0 - power(self.beta1),
            second_bias: 1.0 - power(self.beta2),
            adamw: self,
        }
    }
}

/// One update of all parameters, for [`Decoder::update`](ablate_model::Decoder::update).
pub(crate) struct AdamWStep<'a> {
    adamw: &'a mut AdamW,
    learning_rate: f64,
    scale: f64,
    first_bias: f64,
    second_bias: f64,
}

impl AdamWStep<'_> {
    /// The parameter and its moments after this update, decay applied to the parameter itself.
    fn advance<const D: usize>(
        &self,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        moments: Moments<D>,
        weight_decay: f64,
    ) -> (Tensor<D>, Moments<D>) {
        let factors = AdamWFactors {
            beta: [self.adamw.beta1, self.adamw.beta2],
            scale: self.scale,
            keep: 1.0 - self.learning_rate * weight_decay,
            rate: self.learning_rate / self.first_bias,
            root: self.second_bias.sqrt(),
            epsilon: self.adamw.epsilon,
        };
        let moments = [moments.first, moments.second];
        let (parameter, [first, second]) =
            ablate_kernels::adamw(parameter, gradient, moments, factors);
        (parameter, Moments { first, second })
    }
}

impl ParameterMap for AdamWStep<'_> {
    fn matrix(
        &mut self,
        name: &str,
        parameter: Tensor<2>,
        gradient: Option<Tensor<2>>,
    ) -> Tensor<2> {
        // Like PyTorch, a parameter without a gradient is left alone, decay included.
        let Some(gradient) = gradient else { return parameter };
        let Some(moments) = self.adamw.matrices.remove(name) else { return parameter };
        let decay = self.adamw.weight_decay;
        let (parameter, moments) = self.advance(parameter, gradient, moments, decay);
        self.adamw.matrices.insert(name.to_owned(), moments);
        parameter
    }

    fn vector(
        &mut self,
        name: &str,
        parameter: Tensor<1>,
        gradient: Option<Tensor<1>>,
    ) -> Tensor<1> {
        let Some(gradient) = gradient else { return parameter };
        let Some(moments) = self.adamw.vectors.remove(name) else { return parameter };
        let (parameter, moments) = self.advance(parameter, gradient, moments, 0.0);
        self.adamw.vectors.insert(name.to_owned(), moments);
        parameter
    }
}

/// What gradients of this global norm are multiplied by: like `torch.nn.utils.clip_grad_norm_`,
/// `limit / (norm + 1e-6)` where that is below 1.
pub(crate) fn clip_scale(norm: f64, limit: f64) -> f64 {
    (limit / (norm + 1e-6)).min(1.0)
}

#[cfg(test)]
mod tests {
    use ablate_model::HostTensor;

    use super::*;
    use crate::config::tests::config;

    const NAME: &str = "model.embed_tokens.weight";
    const NORM: &str = "model.norm.weight";

    fn host(shape: &[usize], values: &[f32]) -> HostTensor {
        HostTensor { shape: shape.to_vec(), values: values.to_vec() }
    }

    #[test]
    fn two_steps_in_closed_form() {
        let device = Device::flex();
        let zeros: Weights = [
            (NAME.to_owned(), HostTensor::filled(vec![1, 2], 0.0)),
            (NORM.to_owned(), HostTensor::filled(vec![2], 0.0)),
        ]
        .into_iter()
        .collect();
        let (start, gradients) = ([0.5, -2.0], [[0.3, -0.02], [-0.1, 0.4]]);
        let (rate, scale) = (0.01, 0.5);
        let mut adamw = AdamW::new(&config(), &zeros, &zeros, &device);
        let mut matrix = Tensor::<2>::from_data([start.map(|x| x as f32)], &device);
        let mut vector = Tensor::<1>::from_data(start.map(|x| x as f32), &device);
        for (step, gradient) in (1..).zip(gradients) {
            let gradient = gradient.map(|x| x as f32);
            let mut map = adamw.step(step, rate, scale);
            matrix = map.matrix(NAME, matrix, Some(Tensor::from_data([gradient], &device)));
            vector = map.vector(NORM, vector, Some(Tensor::from_data(gradient, &device)));
        }
        // The published algorithm in f64, coordinate by coordinate.
        let expect = |index: usize, decay: f64| {
            let (mut p, mut m, mut v): (f64, f64, f64) = (start[index], 0.0, 0.0);
            for (step, gradient) in (1..).zip(gradients) {
                let g = gradient[index] * scale;
                m = 0.9 * m + 0.1 * g;
                v = 0.95 * v + 0.05 * g * g;
                let (m, v) = (m / (1.0 - 0.9f64.powi(step)), v / (1.0 - 0.95f64.powi(step)));
                p = p - rate * decay * p - rate * m / (v.sqrt() + 1e-8);
            }
            (p, m, v)
        };
        let matrix: Vec<f32> = matrix.into_data().try_into_vec().unwrap();
        let vector: Vec<f32> = vector.into_data().try_into_vec().unwrap();
        let (first, second) = adamw.moments();
        for index in 0..2 {
            let near = |a: f32, b: f64| assert!((f64::from(a) - b).abs() < 1e-6, "{a} not {b}");
            near(matrix[index], expect(index, 0.1).0);
            near(vector[index], expect(index, 0.0).0);
            for name in [NAME, NORM] {
                near(first.get(name).unwrap().values[index], expect(index, 0.0).1);
                near(second.get(name).unwrap().values[index], expect(index, 0.0).2);
            }
        }
    }

    #[test]
    fn without_a_gradient_nothing_changes() {
        let device = Device::flex();
        let moment: Weights = [(NAME.to_owned(), host(&[1, 2], &[0.1, 0.2]))].into_iter().collect();
        let mut adamw = AdamW::new(&config(), &moment, &moment, &device);
        let before = Tensor::<2>::from_data([[1.0f32, 2.0]], &device);
        let after = adamw.step(3, 0.1, 1.0).matrix(NAME, before, None);
        assert_eq!(after.into_data().try_into_vec::<f32>().unwrap(), [1.0, 2.0]);
        assert_eq!(adamw.moments(), (moment.clone(), moment));
    }

    #[test]
    fn only_long_gradients_are_clipped() {
        assert_eq!(clip_scale(0.5, 1.0), 1.0);
        assert_eq!(clip_scale(0.0, 1.0), 1.0);
        assert!((clip_scale(4.0, 1.0) - 0.25).abs() < 1e-6);
    }
}
