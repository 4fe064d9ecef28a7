//! Gradients of masks and weights through masks.

use ablate_cost::{Pi, Shape};
use ablate_model::{
    Backend, Decoder, Gradient, ModelConfig, Scheme, Units, Weights, device, random_weights,
    training_device,
};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

fn config(tied: bool, pi: Pi) -> ModelConfig {
    let shape = Shape {
        vocabulary: 13,
        depth: 2,
        width: 8,
        heads: 4,
        kv_heads: 2,
        ffn: 6,
        tied,
        pi,
        attention: Default::default(),
        block: Default::default(),
    };
    ModelConfig {
        shape,
        context: 8,
        rope_theta: 1e4,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    }
}

fn ids(shift: usize, device: &Device) -> Tensor<2, Int> {
    let ids: Vec<i32> = (0..14).map(|n| (n * n + shift as i32 * 5 + n) % 13).collect();
    Tensor::from_data(TensorData::new(ids, [2, 7]), device)
}

fn loss(config: &ModelConfig, weights: &Weights, masks: &Units) -> f64 {
    let device = device(Backend::Flex);
    let decoder = Decoder::from_weights(config, weights, &device).unwrap();
    decoder.masked(masks).loss(ids(0, &device), ids(1, &device)).into_scalar::<f64>()
}

/// Masks between 0.4 and 1.
fn masks(config: &ModelConfig) -> Units {
    let mut masks = Units::filled(&config.shape, 0.0);
    let mut n = 0.0_f64;
    let mut fill = |list: &mut Vec<f64>| {
        for mask in list {
            n += 1.0;
            *mask = 0.7 + 0.3 * (2.3 * n).sin();
        }
    };
    fill(&mut masks.layers);
    fill(&mut masks.hidden);
    masks.heads.iter_mut().for_each(&mut fill);
    masks.ffn.iter_mut().for_each(&mut fill);
    masks.shortcut.iter_mut().for_each(&mut fill);
    masks
}

/// Every number, in one list.
fn flat(units: &mut Units) -> Vec<&mut f64> {
    let Units { layers, hidden, heads, ffn, shortcut } = units;
    let lists = [heads, ffn, shortcut].into_iter().flatten();
    [layers, hidden].into_iter().chain(lists).flatten().collect()
}

#[test]
fn gradients_are_those_of_differences() {
    for (tied, pi) in [(false, Pi::NONE), (true, Pi { activations: 2, shortcut: 3 })] {
        let config = config(tied, pi);
        let weights = random_weights(&config, Scheme::Constant, 0.3, 3);
        let masks = masks(&config);
        let device = training_device(Backend::Flex);
        let decoder = Decoder::from_weights(&config, &weights, &device).unwrap();
        let masked = decoder.masked(&masks);
        let recorded = masked.loss(ids(0, &device), ids(1, &device));
        let (parameters, mut units) = masked.gradients(&recorded);
        assert!(units.fits(&config.shape));

        let h = 8e-3;
        let mut largest = 0.0_f64;
        let found: Vec<f64> = flat(&mut units).into_iter().map(|gradient| *gradient).collect();
        for (index, gradient) in found.into_iter().enumerate() {
            let at = |x: f64| {
                let mut moved = masks.clone();
                *flat(&mut moved)[index] += x;
                loss(&config, &weights, &moved)
            };
            // Richardson's extrapolation: such a small model bends sharply, and f32 allows no small steps.
            let slope = |h: f64| (at(h) - at(-h)) / (2.0 * h);
            let difference = (4.0 * slope(h / 2.0) - slope(h)) / 3.0;
            let within = 1e-3 + 2e-3 * difference.abs();
            assert!((gradient - difference).abs() < within, "{index}: {gradient} {difference}");
            largest = largest.max(difference.abs());
        }
        assert!(largest > 0.05, "{largest}");

        // Of a weight that a mask multiplies.
        let (name, row, column) = ("model.layers.1.mlp.down_proj.weight", 5, 2);
        let at = |x: f32| {
            let mut moved = weights.clone();
            let tensor = moved.get_mut(name).unwrap();
            let columns = tensor.columns();
            tensor.values[row * columns + column] += x;
            loss(&config, &moved, &masks)
        };
        let difference = (at(4e-3) - at(-4e-3)) / 8e-3;
        let place = decoder.names().iter().position(|found| found == name).unwrap();
        let Some(Gradient::Matrix(gradient)) = parameters.iter().nth(place).unwrap() else {
            panic!("no gradient of {name}")
        };
        let found: Vec<f32> = gradient.clone().into_data().try_into_vec().unwrap();
        // The module holds it as [in, out].
        let found = f64::from(found[column * config.shape.width + row]);
        assert!((found - difference).abs() < 1e-3, "{found} {difference}");
    }
}

/// Weights that stand still have no gradients; masks have the same ones.
#[test]
fn masks_alone() {
    let config = config(false, Pi::NONE);
    let weights = random_weights(&config, Scheme::Constant, 0.3, 3);
    let (masks, device) = (masks(&config), training_device(Backend::Flex));
    let [together, alone] = [false, true].map(|frozen| {
        let decoder = Decoder::from_weights(&config, &weights, &device).unwrap();
        let decoder = if frozen { decoder.no_grad() } else { decoder };
        let masked = decoder.masked(&masks);
        masked.gradients(&masked.loss(ids(0, &device), ids(1, &device)))
    });
    assert_eq!(together.1, alone.1);
    assert!(together.0.iter().all(|gradient| gradient.is_some()));
    assert!(alone.0.iter().all(|gradient| gradient.is_none()));
}
