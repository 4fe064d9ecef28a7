//! One model on several devices, and the portions of a batch divided among them.

use ablate_kernels::Abreast;
use ablate_model::{Decoder, ParameterGradients};
use burn::tensor::Device;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::batch::Sequences;
use crate::{TrainConfig, TrainData, TrainError};

/// The devices besides the one that holds the model.
pub(crate) struct Replicas {
    others: Vec<Device>,
    /// Where there are others: a thread at least for every device. Each holds to its own portion, and
    /// helps with the loops of the others when that has ended.
    pool: Option<ThreadPool>,
}

/// What the forward and backward pass of a portion comes to.
pub(crate) struct Portion {
    /// Its share of the batch's mean loss.
    pub(crate) loss: f64,
    pub(crate) tokens: u64,
    pub(crate) bytes: u64,
    /// `None` where the loss is not finite.
    pub(crate) gradients: Option<ParameterGradients>,
}

impl Replicas {
    /// # Errors
    /// Threads that the system refuses.
    pub(crate) fn new(others: &[Device]) -> Result<Self, TrainError> {
        let threads = rayon::current_num_threads().max(1 + others.len());
        let pool = match others {
            [] => None,
            _ => {
                let pool = ThreadPoolBuilder::new().num_threads(threads).build();
                let refused = |error: ThreadPoolBuildError| TrainError::Threads {
                    threads,
                    reason: error.to_string(),
                };
                Some(pool.map_err(refused)?)
            }
        };
        Ok(Self { others: others.to_vec(), pool })
    }

    /// The model and as many copies of it as there are other devices, at most one per portion. Copies
    /// hold the values of this moment and should be dropped before the model is updated.
    pub(crate) fn of(&self, model: &Decoder, portions: usize) -> Vec<Decoder> {
        let copies = self.others.iter().take(portions.saturating_sub(1));
        std::iter::once(model.clone()).chain(copies.map(|other| model.replica(other))).collect()
    }

    /// Passes of at most as many portions as there are `models`, at the same time; results are in the
    /// portions' order.
    pub(crate) fn pass(
        &self,
        models: &[Decoder],
        portions: &[&[u32]],
        config: &TrainConfig,
        data: &TrainData,
    ) -> Vec<Result<Portion, TrainError>> {
        let of = |index: usize| Portion::of(&models[index], portions[index], config, data);
        let count = models.len().min(portions.len());
        match &self.pool {
            Some(pool) if count > 1 => {
                let abreast = Abreast::of(count);
                let own = |index| (index < count).then(|| abreast.run(|| of(index)));
                pool.broadcast(|context| own(context.index())).into_iter().flatten().collect()
            }
            _ => (0..count).map(of).collect(),
        }
    }
}

impl Portion {
    fn of(
        model: &Decoder,
        windows: &[u32],
        config: &TrainConfig,
        data: &TrainData,
    ) -> Result<Self, TrainError> {
        let vocabulary = data.token_bytes.len();
        let read = Sequences::read(data.shard, windows, config.context, vocabulary)?;
        let device = model.device();
        // Sequences are equally long, so their number is the portion's weight in the mean.
        let share = windows.len() as f64 / config.batch_sequences as f64;
        // What a pass rounds and keeps is a property of its thread.
        config.scope(|| {
            let mean = model.loss(read.inputs(&device), read.targets(&device));
            let part = if share == 1.0 { mean } else { mean.mul_scalar(share) };
            let loss = part.clone().into_scalar::<f64>();
            let gradients = loss.is_finite().then(|| model.gradients(&part));
            let (tokens, bytes) = (read.tokens(), read.bytes(data.token_bytes));
            Ok(Self { loss, tokens, bytes, gradients })
        })
    }
}
