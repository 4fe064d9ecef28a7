//! The order of parameters, and steps taken through `ParameterMap`.

use ablate_cost::{Pi, Shape};
use ablate_model::{
    Backend, Decoder, ModelConfig, ParameterMap, Scheme, Weights, device, matrix_from_host,
    random_weights, training_device, vector_from_host,
};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

fn config(tied: bool) -> ModelConfig {
    let shape = Shape {
        vocabulary: 13,
        depth: 3,
        width: 12,
        heads: 3,
        kv_heads: 1,
        ffn: 10,
        tied,
        pi: Pi { activations: 2, shortcut: 3 },
        attention: Default::default(),
        block: Default::default(),
    };
    ModelConfig {
        shape,
        context: 16,
        rope_theta: 1e4,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    }
}

fn model(tied: bool, device: &Device) -> Decoder {
    let weights = random_weights(&config(tied), Scheme::Constant, 0.3, 3);
    Decoder::from_weights(&config(tied), &weights, device).unwrap()
}

fn batch(device: &Device) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let ids = |step: i64| {
        let ids = (0..20).map(|i| (i * 5 + step * 3) % 13).collect::<Vec<i64>>();
        Tensor::from_data(TensorData::new(ids, [2, 10]), device)
    };
    (ids(0), ids(1))
}

fn scalar(tensor: Tensor<1>) -> f32 {
    tensor.into_scalar::<f32>()
}

/// Checks that burn's visitor meets the tensors that `names` says, by their values.
struct Follow<'a> {
    names: std::vec::IntoIter<String>,
    weights: &'a Weights,
    device: Device,
}

impl ModuleVisitor for Follow<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.names.next().unwrap();
        let host = self.weights.get(&name).unwrap();
        let expected = match D {
            1 => vector_from_host(host, &self.device).into_data(),
            2 => matrix_from_host(&name, host, &self.device).into_data(),
            _ => panic!("`{name}` has {D} axes"),
        };
        assert_eq!(param.val().into_data(), expected, "{name}");
    }
}

#[test]
fn names_are_in_the_order_of_burns_visitor() {
    for tied in [false, true] {
        let device = device(Backend::Flex);
        let model = model(tied, &device);
        let weights = model.to_weights();
        let mut follow = Follow { names: model.names().into_iter(), weights: &weights, device };
        model.visit(&mut follow);
        assert_eq!(follow.names.next(), None);
    }
}

/// Plain gradient descent; notes what it saw.
struct Descent {
    rate: f64,
    seen: Vec<String>,
}

impl ParameterMap for Descent {
    fn matrix(&mut self, name: &str, p: Tensor<2>, gradient: Option<Tensor<2>>) -> Tensor<2> {
        assert!(!p.is_autodiff());
        self.seen.push(name.into());
        let gradient = gradient.unwrap();
        assert!(!gradient.is_autodiff());
        p - gradient.mul_scalar(self.rate)
    }

    fn vector(&mut self, name: &str, p: Tensor<1>, gradient: Option<Tensor<1>>) -> Tensor<1> {
        assert!(!p.is_autodiff());
        self.seen.push(name.into());
        p - gradient.unwrap().mul_scalar(self.rate)
    }
}

#[test]
fn descent_through_the_map_lowers_the_loss_and_keeps_training() {
    for tied in [false, true] {
        let device = training_device(Backend::Flex);
        let mut model = model(tied, &device);
        let (inputs, targets) = batch(&device);
        let mut losses = Vec::new();
        for _ in 0..8 {
            let loss = model.loss(inputs.clone(), targets.clone());
            losses.push(scalar(loss.clone().inner()));
            let gradients = model.gradients(&loss);
            let mut descent = Descent { rate: 0.05, seen: Vec::new() };
            model = model.update(gradients, &mut descent);
            assert_eq!(descent.seen, model.names());
        }
        assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "{losses:?}");
        // The evaluation copy computes the same loss without recording anything.
        let last = scalar(model.loss(inputs.clone(), targets.clone()).inner());
        let frozen = model.valid();
        let loss = frozen.loss(inputs.clone().inner(), targets.clone().inner());
        assert!(!loss.is_autodiff());
        assert_eq!(scalar(loss), last);
        assert!(last < losses[7]);
    }
}

#[test]
fn the_descent_predicted_by_the_gradient_is_the_one_that_happens() {
    // For a small step, loss(w) - loss(w - r g) = r |g|^2 to first order.
    let device = training_device(Backend::Flex);
    let model = model(false, &device);
    let (inputs, targets) = batch(&device);
    let loss = model.loss(inputs.clone(), targets.clone());
    let before = f64::from(scalar(loss.clone().inner()));
    let gradients = model.gradients(&loss);
    let rate = 2e-3;
    let predicted = rate * gradients.squared_norm();
    let stepped = model.update(gradients, &mut Descent { rate, seen: Vec::new() });
    let after = f64::from(scalar(stepped.loss(inputs, targets).inner()));
    let ratio = (before - after) / predicted;
    assert!((ratio - 1.0).abs() < 0.05, "fell by {ratio} times {predicted}");
}

#[test]
fn equal_inputs_give_equal_bits() {
    let device = training_device(Backend::Flex);
    let run = || {
        let mut model = model(false, &device);
        let (inputs, targets) = batch(&device);
        for _ in 0..3 {
            let gradients = model.gradients(&model.loss(inputs.clone(), targets.clone()));
            model = model.update(gradients, &mut Descent { rate: 0.1, seen: Vec::new() });
        }
        model.to_weights()
    };
    assert_eq!(run().checksum(), run().checksum());
}
