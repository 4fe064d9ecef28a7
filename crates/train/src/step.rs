//! One step: gradients of a batch, portion by portion, then the update.

use ablate_model::{Decoder, ModelConfig, ParameterGradients};
use burn::tensor::Device;

use crate::adamw::{AdamW, clip_scale};
use crate::replicas::Replicas;
use crate::{Moments, State, TrainConfig, TrainData, TrainError, Watch};

/// A [`State`] with its tensors on a device.
pub(crate) struct Live {
    pub(crate) step: u64,
    pub(crate) tokens: u64,
    pub(crate) bytes: u64,
    pub(crate) loss: Option<f64>,
    pub(crate) watch: Watch,
    pub(crate) model: Decoder,
    replicas: Replicas,
    optimizer: AdamW,
    /// Updates that the moments had seen before the first step.
    before: u64,
}

/// What one batch says, before anything is changed.
pub(crate) struct Pass {
    /// Mean over all tokens of the batch.
    pub(crate) loss: f64,
    /// Norm of all gradients together.
    pub(crate) norm: f64,
    tokens: u64,
    bytes: u64,
    gradients: ParameterGradients,
}

impl Live {
    pub(crate) fn new(
        state: State,
        before: u64,
        config: &TrainConfig,
        model: &ModelConfig,
        devices: &[Device],
    ) -> Result<Self, TrainError> {
        let [device, others @ ..] = devices else {
            return Err(TrainError::Config {
                key: "devices",
                value: "0".to_owned(),
                need: "at least 1",
            });
        };
        Ok(Self {
            step: state.step,
            tokens: state.tokens,
            bytes: state.bytes,
            loss: state.loss,
            watch: state.watch,
            model: Decoder::from_weights(model, &state.weights, device)?,
            replicas: Replicas::new(others)?,
            optimizer: AdamW::new(config, &state.first, &state.second, device),
            before,
        })
    }

    pub(crate) fn state(&self) -> State {
        let (first, second) = self.optimizer.moments();
        State {
            step: self.step,
            tokens: self.tokens,
            bytes: self.bytes,
            loss: self.loss,
            watch: self.watch,
            weights: self.model.to_weights(),
            first,
            second,
            gates: Vec::new(),
        }
    }

    /// The optimiser's moments as they are now.
    pub(crate) fn moments(&self) -> Moments {
        let (first, second) = self.optimizer.moments();
        Moments { first, second, updates: self.before + self.step }
    }

    /// Loss and gradients of the next batch.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] where either is not finite, or a damaged shard.
    pub(crate) fn pass(&self, config: &TrainConfig, data: &TrainData) -> Result<Pass, TrainError> {
        let size = config.batch_sequences;
        let batch = &data.order[self.step as usize * size..][..size];
        let portions: Vec<&[u32]> = batch.chunks(config.micro_sequences).collect();
        let device = self.model.device();
        let diverged = |loss, gradient_norm| {
            Err(TrainError::Diverged { step: self.step + 1, loss, gradient_norm })
        };
        let (mut loss, mut tokens, mut bytes) = (0.0, 0, 0);
        let mut gradients: Option<ParameterGradients> = None;
        // Portions are added in their order, whoever computes them: the sum is the same.
        let models = self.replicas.of(&self.model, portions.len());
        for together in portions.chunks(models.len()) {
            for portion in self.replicas.pass(&models, together, config, data) {
                let portion = portion?;
                loss += portion.loss;
                tokens += portion.tokens;
                bytes += portion.bytes;
                let Some(more) = portion.gradients else { return diverged(loss, None) };
                if !loss.is_finite() {
                    return diverged(loss, None);
                }
                let more = more.to_device(&device);
                gradients = Some(match gradients {
                    None => more,
                    Some(sum) => sum.add(more),
                });
            }
        }
        let Some(gradients) = gradients else {
            return Err(TrainError::Config {
                key: "batch_sequences",
                value: size.to_string(),
                need: "at least 1",
            });
        };
        let norm = gradients.squared_norm().sqrt();
        if !norm.is_finite() {
            return diverged(loss, Some(norm));
        }
        Ok(Pass { loss, norm, tokens, bytes, gradients })
    }

    /// The state after the update that a pass leads to.
    pub(crate) fn update(mut self, pass: Pass, learning_rate: f64, clip: f64) -> Self {
        self.step += 1;
        self.tokens += pass.tokens;
        self.bytes += pass.bytes;
        self.loss = Some(pass.loss);
        let scale = clip_scale(pass.norm, clip);
        let mut step = self.optimizer.step(self.before + self.step, learning_rate, scale);
        self.model = self.model.update(pass.gradients, &mut step);
        self
    }
}
