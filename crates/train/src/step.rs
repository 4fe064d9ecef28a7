//! One step on a device: gradients of a batch, then the update.

use ablate_model::{Decoder, ModelConfig, ParameterGradients};
use burn::tensor::Device;

use crate::adamw::{AdamW, clip_scale};
use crate::batch::Sequences;
use crate::{Moments, State, TrainConfig, TrainData, TrainError, Watch};

/// A [`State`] with its tensors on a device.
pub(crate) struct Live {
    pub(crate) step: u64,
    pub(crate) tokens: u64,
    pub(crate) bytes: u64,
    pub(crate) loss: Option<f64>,
    pub(crate) watch: Watch,
    pub(crate) model: Decoder,
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
        device: &Device,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            step: state.step,
            tokens: state.tokens,
            bytes: state.bytes,
            loss: state.loss,
            watch: state.watch,
            model: Decoder::from_weights(model, &state.weights, device)?,
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
        config.scope(|| self.portions(config, data))
    }

    /// The same, in whatever scope the thread is in.
    fn portions(&self, config: &TrainConfig, data: &TrainData) -> Result<Pass, TrainError> {
        let size = config.batch_sequences;
        let batch = &data.order[self.step as usize * size..][..size];
        let device = self.model.device();
        let diverged = |loss, gradient_norm| {
            Err(TrainError::Diverged { step: self.step + 1, loss, gradient_norm })
        };
        let (mut loss, mut tokens, mut bytes) = (0.0, 0, 0);
        let mut gradients: Option<ParameterGradients> = None;
        for windows in batch.chunks(config.micro_sequences) {
            let vocabulary = data.token_bytes.len();
            let read = Sequences::read(data.shard, windows, config.context, vocabulary)?;
            tokens += read.tokens();
            bytes += read.bytes(data.token_bytes);
            // Sequences are equally long, so their number is the portion's weight in the mean.
            let share = windows.len() as f64 / size as f64;
            let mean = self.model.loss(read.inputs(&device), read.targets(&device));
            let part = if share == 1.0 { mean } else { mean.mul_scalar(share) };
            loss += part.clone().into_scalar::<f64>();
            if !loss.is_finite() {
                return diverged(loss, None);
            }
            let more = self.model.gradients(&part);
            gradients = Some(match gradients {
                None => more,
                Some(sum) => sum.add(more),
            });
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
