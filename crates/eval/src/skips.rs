//! How much each layer matters: scores with consecutive layers left out, and Block Influence.

use ablate_model::{Decoder, ModelConfig};
use ablate_tokenizer::Tokenizer;
use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::aggregate::scores;
use crate::evaluate::{check_items, check_model, choice};
use crate::losses::{Padded, batches};
use crate::prompt::requests;
use crate::score::RequestScore;
use crate::{Benchmark, EvalError, EvalOptions, Item, Score};

/// Consecutive layers that are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// The first of them, from 0.
    pub first: usize,
    /// How many.
    pub count: usize,
}

/// Scores of a model without some of its layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkipScores {
    /// What was left out; a count of 0 is the whole model.
    pub skip: Skip,
    /// Of the choice questions: free answers are not generated.
    pub scores: Vec<Score>,
}

/// How much the layers of a model matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSkips {
    /// The whole model, then by count and first layer.
    pub scores: Vec<SkipScores>,
    /// Block Influence of every layer (Men et al. 2024, ShortGPT, arXiv:2403.03853): one minus the
    /// cosine between the residual stream before and after it, averaged over all tokens of the
    /// prompts. Layers that change little have little.
    pub influence: Vec<f64>,
}

impl LayerSkips {
    /// What the mean of the headline scores loses without each single layer; empty where single
    /// layers were not left out.
    pub fn losses(&self) -> Vec<f64> {
        let mean = |entry: &SkipScores| {
            let primary: Vec<f64> = entry
                .scores
                .iter()
                .filter(|score| score.primary)
                .map(|score| score.value)
                .collect();
            primary.iter().sum::<f64>() / primary.len() as f64
        };
        let Some(whole) = self.scores.iter().find(|entry| entry.skip.count == 0) else {
            return Vec::new();
        };
        let whole = mean(whole);
        self.scores.iter().filter(|entry| entry.skip.count == 1).map(|e| whole - mean(e)).collect()
    }
}

/// Scores the choice questions of the benchmarks without `count` consecutive layers, for every count
/// and every first layer, and with all of them. `progress` is told how many prompts of how many are
/// done.
///
/// Layers before the ones left out are computed once for all: with one layer of L left out, L (L - 1)
/// / 2 layers follow where L models of their own would have twice as many.
///
/// # Errors
/// As [`evaluate`](crate::evaluate); and [`EvalError::NothingToSkip`] for a count of 0 or beyond the
/// depth, or without a choice question.
pub fn layer_skips(
    model: &Decoder,
    config: &ModelConfig,
    tokenizer: &Tokenizer,
    benchmarks: &[Benchmark],
    counts: &[usize],
    options: &EvalOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<LayerSkips, EvalError> {
    check_model(model, config, "tokenizer", tokenizer.vocabulary())?;
    let items: Vec<&Item> = benchmarks.iter().flat_map(|benchmark| &benchmark.items).collect();
    check_items(&items)?;
    let items: Vec<&Item> = items.into_iter().filter(|item| item.is_choice()).collect();
    let depth = config.shape.depth;
    if items.is_empty() || counts.iter().any(|count| !(1..=depth).contains(count)) {
        return Err(EvalError::NothingToSkip { counts: counts.to_vec(), depth });
    }
    let skips: Vec<Skip> = std::iter::once(Skip { first: 0, count: 0 })
        .chain(
            counts
                .iter()
                .flat_map(|&count| (0..=depth - count).map(move |first| Skip { first, count })),
        )
        .collect();

    let questions: Vec<(&str, &[String])> =
        items.iter().map(|item| (item.context.as_str(), item.options.as_slice())).collect();
    let requests = requests(tokenizer, &questions, config.context);
    let flat: Vec<_> = requests.iter().flatten().collect();
    let lengths: Vec<usize> = flat.iter().map(|request| request.tokens.len() - 1).collect();
    let nothing = RequestScore { loglik: f64::NAN, prompt_loss: f64::NAN };
    let mut scored = vec![vec![nothing; flat.len()]; skips.len()];
    let mut influence = vec![0.0; depth];
    let model = model.valid();
    let device = model.device();
    let mut done = 0;
    progress(done, flat.len());
    for batch in batches(&lengths, options.batch_tokens) {
        let sequences: Vec<&[u32]> =
            batch.iter().map(|index| flat[*index].tokens.as_slice()).collect();
        if let Some(padded) = Padded::new(&sequences) {
            let streams = model.streams(padded.inputs(&device));
            let targets = padded.targets(&device);
            for (skip, scored) in skips.iter().zip(&mut scored) {
                let before = streams[skip.first].clone();
                let hidden = model.hidden_from(before, skip.first + skip.count);
                let losses = model.losses_after(hidden, targets.clone());
                for (index, losses) in batch.iter().zip(padded.rows(losses)) {
                    scored[*index] = RequestScore::of(&losses, flat[*index].continuation);
                }
            }
            for (layer, pair) in streams.windows(2).enumerate() {
                let cosines = padded.rows(cosines(pair[0].clone(), pair[1].clone()));
                let change = |cosine: &f32| 1.0 - f64::from(*cosine);
                influence[layer] += cosines.iter().flatten().map(change).sum::<f64>();
            }
        }
        done += batch.len();
        progress(done, flat.len());
    }
    let tokens: usize = lengths.iter().sum();
    influence.iter_mut().for_each(|sum| *sum /= tokens.max(1) as f64);

    let of = |(skip, scored): (Skip, Vec<RequestScore>)| {
        let mut scored = scored.into_iter();
        let results = items
            .iter()
            .zip(&requests)
            .map(|(item, requests)| choice(item, requests, &mut scored))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(SkipScores { skip, scores: scores(&results, options.scoring) })
    };
    let scores = skips.into_iter().zip(scored).map(of).collect::<Result<_, _>>()?;
    Ok(LayerSkips { scores, influence })
}

/// Cosines between the vectors of two tensors `[batch, time, width]`: `[batch, time]`.
fn cosines(a: Tensor<3>, b: Tensor<3>) -> Tensor<2> {
    let [batch, time, _] = a.dims();
    let dot =
        |a: &Tensor<3>, b: &Tensor<3>| (a.clone() * b.clone()).sum_dim(2).reshape([batch, time]);
    let lengths = (dot(&a, &a) * dot(&b, &b)).sqrt();
    dot(&a, &b) / lengths.add_scalar(f32::MIN_POSITIVE)
}
