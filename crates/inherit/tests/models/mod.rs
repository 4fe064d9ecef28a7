//! Small models to cut, and what they compute.

#![allow(dead_code)]

use ablate_cost::Shape;
use ablate_inherit::{Grouping, InheritError, InheritanceMap, WidthCriterion};
use ablate_model::{Backend, Decoder, ModelConfig, Place, Scheme, Weights, device, random_weights};
use burn::tensor::{Int, Tensor, TensorData};

pub(crate) const CRITERIA: [WidthCriterion; 4] =
    [WidthCriterion::L1, WidthCriterion::L2, WidthCriterion::First, WidthCriterion::Random(5)];

/// With groups of heads as they are.
pub(crate) fn inherit(
    parent: (&ModelConfig, &Weights),
    child: &ModelConfig,
    vocabulary: &[u32],
    layers: &[usize],
    criterion: WidthCriterion,
) -> Result<(Weights, InheritanceMap), InheritError> {
    ablate_inherit::inherit(parent, child, vocabulary, layers, (criterion, None), Grouping::Kept)
}

pub(crate) fn config(shape: Shape) -> ModelConfig {
    ModelConfig {
        shape,
        context: 16,
        rope_theta: 1e4,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    }
}

/// Heads of 4 channels; two query heads share a key head.
pub(crate) fn grouped() -> ModelConfig {
    config(Shape {
        vocabulary: 17,
        depth: 3,
        width: 24,
        heads: 6,
        kv_heads: 3,
        ffn: 20,
        tied: false,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    })
}

pub(crate) fn weights(config: &ModelConfig) -> Weights {
    random_weights(config, Scheme::Constant, 0.3, 1)
}

pub(crate) fn all(count: usize) -> Vec<usize> {
    (0..count).collect()
}

pub(crate) fn identity(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}

pub(crate) fn logits(config: &ModelConfig, weights: &Weights, ids: &[u32]) -> Vec<f32> {
    let device = device(Backend::Flex);
    let model = Decoder::from_weights(config, weights, &device).unwrap();
    let ids: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let ids = TensorData::new(ids.clone(), [1, ids.len()]);
    model.logits(Tensor::<2, Int>::from_data(ids, &device)).into_data().iter::<f32>().collect()
}

#[track_caller]
pub(crate) fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "differ by {worst}");
}

/// Multiplies the entries of a matrix for which `at(row, column)` holds.
pub(crate) fn scale(
    weights: &mut Weights,
    place: Place,
    factor: f32,
    at: impl Fn(usize, usize) -> bool,
) {
    let tensor = weights.get_mut(&place.name()).unwrap();
    let columns = tensor.columns();
    for (index, value) in tensor.values.iter_mut().enumerate() {
        if at(index / columns, index % columns) {
            *value *= factor;
        }
    }
}
