//! What the loss would change without a weight, to the first order.

use ablate_corpus::Shard;
use ablate_model::{
    Decoder, Gradient, HostTensor, ParameterGradients, Weights, matrix_to_host, vector_to_host,
};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::batch::Sequences;
use crate::data::{check_order, check_vocabulary};

/// How text is read that is not trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portions {
    /// Tokens of a window.
    pub context: usize,
    /// Windows that are computed together: memory depends on it.
    pub micro_sequences: usize,
}

/// The saliency of every weight on some text.
#[derive(Clone, Debug, PartialEq)]
pub struct Saliency {
    /// `|w dL/dw|` of every weight, under its name: the first-order estimate of how much the loss
    /// changes where the weight is set to 0 (Molchanov et al. 2017, arXiv:1611.06440, eq. 8; LLM-Pruner,
    /// arXiv:2305.11627, eq. 5).
    pub weights: Weights,
    /// Mean loss `L` of the text, in nats per token.
    pub loss: f64,
    /// Its target tokens.
    pub tokens: u64,
}

/// The saliency of a decoder's weights on the windows of `order`, in f32 whatever the decoder was trained
/// in. `decoder` must be on a device with autodiff. `progress` hears of windows done and windows in all,
/// and says whether to go on: `None` comes back where it does not.
///
/// # Errors
/// An order without windows or not of this shard's, portions of nothing, a vocabulary larger than the
/// model's, a context longer than the model's, or a loss that is not finite.
pub fn saliency(
    decoder: &Decoder,
    shard: &Shard,
    order: &[u32],
    portions: Portions,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Option<Saliency>, TrainError> {
    let Portions { context, micro_sequences } = portions;
    for (key, value) in [("context", context), ("micro_sequences", micro_sequences)] {
        if value == 0 {
            return Err(TrainError::Config { key, value: "0".into(), need: "at least 1" });
        }
    }
    if context > decoder.config().context {
        return Err(TrainError::Context { context, model: decoder.config().context });
    }
    check_vocabulary("calibration", shard, decoder.config())?;
    check_order(order, shard, context)?;
    let device = decoder.device();
    let (mut loss, mut tokens, mut done) = (0.0, 0, 0);
    let mut sum: Option<ParameterGradients> = None;
    for windows in order.chunks(micro_sequences) {
        let read = Sequences::read(shard, windows, context, shard.info().vocabulary)?;
        // Windows are equally long, so their number is the portion's weight in the mean.
        let share = windows.len() as f64 / order.len() as f64;
        let part = decoder.loss(read.inputs(&device), read.targets(&device)).mul_scalar(share);
        loss += part.clone().into_scalar::<f64>();
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: 0, loss, gradient_norm: None });
        }
        let more = decoder.gradients(&part);
        sum = Some(match sum {
            None => more,
            Some(sum) => sum.add(more),
        });
        tokens += read.tokens();
        done += windows.len();
        if !progress(done, order.len()) {
            return Ok(None);
        }
    }
    let Some(gradients) = sum else {
        let need = "at least one window";
        return Err(TrainError::Config { key: "calibration", value: "empty".into(), need });
    };
    Ok(Some(Saliency { weights: products(decoder, &gradients), loss, tokens }))
}

/// `|w g|` of every weight; 0 where there is no gradient.
fn products(decoder: &Decoder, gradients: &ParameterGradients) -> Weights {
    let weights = decoder.to_weights();
    let of = |name: String, gradient: Option<&Gradient>| {
        let gradient = match gradient {
            Some(Gradient::Matrix(gradient)) => Some(matrix_to_host(&name, gradient.clone())),
            Some(Gradient::Vector(gradient)) => Some(vector_to_host(gradient.clone())),
            None => None,
        };
        let weight = weights.get(&name)?;
        let product = match gradient {
            None => HostTensor::filled(weight.shape.clone(), 0.0),
            Some(gradient) => HostTensor {
                shape: weight.shape.clone(),
                values: weight
                    .values
                    .iter()
                    .zip(&gradient.values)
                    .map(|(w, g)| (w * g).abs())
                    .collect(),
            },
        };
        Some((name, product))
    };
    decoder.names().into_iter().zip(gradients.iter()).filter_map(|(n, g)| of(n, g)).collect()
}
