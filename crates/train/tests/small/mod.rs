//! The smallest model that trains, and the settings that tests vary.

use ablate_cost::Shape;
use ablate_model::ModelConfig;
use ablate_train::{Precision, TrainConfig};

/// 24 tokens, one layer of eight channels, windows of six.
pub(crate) fn model() -> ModelConfig {
    let shape = Shape {
        vocabulary: 24,
        depth: 1,
        width: 8,
        heads: 2,
        kv_heads: 1,
        ffn: 12,
        tied: true,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    ModelConfig {
        shape,
        context: 6,
        rope_theta: 1e4,
        rope_scaling: Default::default(),
        norm_eps: 1e-5,
    }
}

/// Twelve steps of four windows, without validations and checkpoints on the way.
pub(crate) fn config() -> TrainConfig {
    TrainConfig {
        steps: 12,
        context: 6,
        batch_sequences: 4,
        micro_sequences: 4,
        learning_rate: 2e-2,
        final_ratio: 0.1,
        warmup: 0.2,
        weight_decay: 0.1,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        clip: 1.0,
        precision: Precision::F32,
        recompute: false,
        span: None,
        patience: 0,
        keep_moments: false,
        snapshots: Vec::new(),
        validate_every: 0,
        validation_windows: 5,
        checkpoint_every: 0,
    }
}
