//! A decoder with a mask on every unit, and masks put into the weights.
//!
//! The masked decoder of Sheared LLaMA (Xia et al. 2023, arXiv:2310.06694): the mask of a hidden
//! channel multiplies what is written to the residual stream there and what the norms give on; that
//! of a key and value head multiplies the outputs of the query heads that share it; that of a
//! feed-forward or bottleneck channel what goes out of it; that of a layer what its blocks add to the
//! stream. All of this is a change of weights, so that masks are multiplied into weights here and the
//! blocks run as they are.
//!
//! A norm takes its mean over the channels whose mask is not 0. So a decoder from which units with a
//! mask of 0 are cut, with the other masks in its weights ([`fold`]), computes the same.

use ablate_kernels as kernels;
use ablate_kernels::{AttentionWeights, FeedForwardWeights, RotaryTable};
use burn::module::Param;
use burn::tensor::{Gradients, Int, Tensor, TensorData};

use super::{Decoder, Layer, LlamaLayer};
use crate::{ModelConfig, ModelError, ParameterGradients, Part, Place, Units, Weights, pi, places};

/// A decoder whose units are multiplied by masks.
#[derive(Debug)]
pub struct MaskedDecoder<'a> {
    decoder: &'a Decoder,
    hidden: Hidden,
    layers: Vec<LayerMasks>,
}

/// Masks of the hidden channels.
#[derive(Debug)]
struct Hidden {
    /// `[width]`
    mask: Tensor<1>,
    /// Channels whose mask is not 0, over all channels.
    share: f64,
}

impl Hidden {
    /// The scale of a norm that takes the mean of the remaining channels only: with `d` channels of
    /// which `n` remain, `x / sqrt(sum(x^2)/n + eps)` is `sqrt(n/d) x / sqrt(mean(x^2) + eps n/d)`,
    /// as the others are 0 in the stream.
    fn gain(&self, scale: &Param<Tensor<1>>) -> Tensor<1> {
        (scale.val() * self.mask.clone()).mul_scalar(self.share.sqrt())
    }
}

/// Masks of one layer.
#[derive(Debug)]
struct LayerMasks {
    /// `[1]`
    layer: Tensor<1>,
    /// `[kv_heads]`
    heads: Tensor<1>,
    /// `[ffn]`
    ffn: Tensor<1>,
    /// `[channels]`, where there is a bottleneck.
    shortcut: Option<Tensor<1>>,
}

impl Decoder {
    /// The decoder with masks. On a device with autodiff, the masks have gradients.
    ///
    /// # Panics
    /// If there is not a mask for every unit, layers included, or a layer is not LLaMA's.
    pub fn masked(&self, masks: &Units) -> MaskedDecoder<'_> {
        let shape = &self.config.shape;
        assert!(masks.fits(shape) && !masks.layers.is_empty(), "masks of another shape");
        assert!(shape.block.is_llama(), "masks are of LLaMA's layers");
        let device = self.device();
        let tensor = |values: &[f64]| {
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            let count = values.len();
            let mask = Tensor::<1>::from_data(TensorData::new(values, [count]), &device);
            if mask.is_autodiff() { mask.require_grad() } else { mask }
        };
        let kept = masks.hidden.iter().filter(|mask| **mask != 0.0).count().max(1);
        let layer = |index: usize| LayerMasks {
            layer: tensor(&[masks.layers[index]]),
            heads: tensor(&masks.heads[index]),
            ffn: tensor(&masks.ffn[index]),
            shortcut: (shape.pi.shortcut > 0).then(|| tensor(&masks.shortcut[index])),
        };
        MaskedDecoder {
            decoder: self,
            hidden: Hidden { mask: tensor(&masks.hidden), share: kept as f64 / shape.width as f64 },
            layers: (0..shape.depth).map(layer).collect(),
        }
    }
}

impl MaskedDecoder<'_> {
    /// As [`Decoder::loss`].
    ///
    /// # Panics
    /// As [`Decoder::loss`].
    pub fn loss(&self, inputs: Tensor<2, Int>, targets: Tensor<2, Int>) -> Tensor<1> {
        let [batch, time] = targets.dims();
        let Decoder { layers, norm, head, rotary, config, .. } = self.decoder;
        let embedding = self.decoder.embedding.val() * self.hidden.mask.clone().unsqueeze::<2>();
        let mut x = kernels::embedding(embedding.clone(), inputs);
        for (layer, masks) in layers.iter().zip(&self.layers) {
            let Layer::Llama(layer) = layer else { unreachable!("masks are of LLaMA's layers") };
            x = layer.masked(x, rotary, masks, &self.hidden);
        }
        let eps = config.norm_eps * self.hidden.share;
        let x = kernels::rms_norm(x, self.hidden.gain(norm), eps);
        let head = match head {
            Some(head) => head.val(),
            None => embedding.transpose(),
        };
        let hidden = x.reshape([batch * time, config.shape.width]);
        kernels::head_cross_entropy(hidden, head, targets.reshape([batch * time]))
    }

    /// Runs the backward pass from `loss`, which must come from here, and collects the gradients of
    /// the parameters and of the masks (0 where the loss does not depend on one).
    ///
    /// # Panics
    /// As [`Decoder::gradients`].
    pub fn gradients(&self, loss: &Tensor<1>) -> (ParameterGradients, Units) {
        let mut gradients = loss.backward();
        let take = |gradients: &mut Gradients, mask: &Tensor<1>| -> Vec<f64> {
            match mask.grad_remove(gradients) {
                Some(gradient) => gradient.into_data().iter::<f64>().collect(),
                None => vec![0.0; mask.dims()[0]],
            }
        };
        let mut units =
            Units { hidden: take(&mut gradients, &self.hidden.mask), ..Units::default() };
        for masks in &self.layers {
            units.layers.extend(take(&mut gradients, &masks.layer));
            units.heads.push(take(&mut gradients, &masks.heads));
            units.ffn.push(take(&mut gradients, &masks.ffn));
            let shortcut = masks.shortcut.as_ref();
            units.shortcut.push(shortcut.map_or_else(Vec::new, |mask| take(&mut gradients, mask)));
        }
        (self.decoder.collect(gradients), units)
    }
}

impl LlamaLayer {
    /// As [`LlamaLayer::forward`] without a cache, with masks.
    fn masked(
        &self,
        x: Tensor<3>,
        rotary: &RotaryTable,
        masks: &LayerMasks,
        hidden: &Hidden,
    ) -> Tensor<3> {
        // What is written to the stream: channel by channel, and less of it where the layer goes.
        let written = (hidden.mask.clone() * masks.layer.clone()).unsqueeze::<2>();
        let write = |matrix: &Param<Tensor<2>>, units: &Tensor<1>| {
            let [rows, _] = matrix.dims();
            let [count] = units.dims();
            let units = units.clone().reshape([count, 1]).expand([count, rows / count]);
            matrix.val() * units.reshape([rows, 1]) * written.clone()
        };
        let norm_eps = self.norm_eps * hidden.share;
        let input_norm = hidden.gain(&self.input_norm);
        let beside = self.shortcut.as_ref().zip(masks.shortcut.as_ref()).map(|(shortcut, mask)| {
            let normed = kernels::rms_norm(x.clone(), input_norm.clone(), norm_eps);
            shortcut.through(normed, write(&shortcut.up, mask))
        });
        let attention = AttentionWeights {
            norm: input_norm,
            output: write(&self.output, &masks.heads),
            norm_eps,
            ..self.attention()
        };
        let x = self.attend(x, attention, rotary);
        let x = match beside {
            Some(beside) => x + beside,
            None => x,
        };
        let (norm, down) = (hidden.gain(&self.post_norm), write(&self.down, &masks.ffn));
        if self.series.is_empty() {
            let weights = FeedForwardWeights { norm, down, norm_eps, ..self.feed_forward() };
            return kernels::feed_forward(x, weights);
        }
        let normed = kernels::rms_norm(x.clone(), norm, norm_eps);
        let gate = kernels::linear(normed.clone(), self.gate.val());
        let gated = pi::series(&self.series, gate, kernels::linear(normed, self.up.val()));
        x + kernels::linear(gated, down)
    }
}

/// The weights with masks multiplied into them. A decoder of these weights from which the units whose
/// mask is 0 are cut computes what [`Decoder::masked`] does.
///
/// # Errors
/// If the weights are not those of `config`, or there is not a mask for every unit.
pub fn fold(config: &ModelConfig, weights: &Weights, masks: &Units) -> Result<Weights, ModelError> {
    weights.check(config)?;
    let shape = &config.shape;
    if !masks.fits(shape) || masks.layers.is_empty() {
        let need = "a number for every unit of the model";
        return Err(ModelError::Config { key: "masks", value: "another model's".into(), need });
    }
    // Channels of the stream in the rows or columns; units along the other axis, so many channels
    // each.
    let channels = shape.query_width() / shape.kv_heads;
    let mut folded = weights.clone();
    for place in places(config) {
        let Some(tensor) = folded.get_mut(&place.name()) else { continue };
        let columns = tensor.columns();
        let (layer, units, each) = match place {
            Place::Embedding | Place::FinalNorm => (1.0, None, 1),
            Place::Layer(_, Part::InputNorm | Part::PostNorm) => (1.0, None, 1),
            Place::Layer(layer, Part::Output) => {
                (masks.layers[layer], Some(&masks.heads[layer]), channels)
            }
            Place::Layer(layer, Part::Down) => (masks.layers[layer], Some(&masks.ffn[layer]), 1),
            Place::Layer(layer, Part::ShortcutUp) => {
                (masks.layers[layer], Some(&masks.shortcut[layer]), 1)
            }
            _ => continue,
        };
        for (index, value) in tensor.values.iter_mut().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let factor = match units {
                None => masks.hidden[column],
                Some(units) => masks.hidden[row] * units[column / each] * layer,
            };
            *value = (f64::from(*value) * factor) as f32;
        }
    }
    Ok(folded)
}
