//! Greedy generation with a cache of keys and values.

use burn::tensor::{Int, Tensor, TensorData};

use crate::Decoder;
use crate::layout::float_values;

/// When to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerateOptions {
    /// At most this many tokens.
    pub max_new_tokens: usize,
    /// Any of these ends the generation and is not part of the result.
    pub stop: Vec<u32>,
}

/// Keys and values of the tokens that a decoder has seen, layer by layer, so that each new token
/// costs one step instead of the whole sequence.
#[derive(Debug)]
pub struct Cache {
    layers: Vec<LayerCache>,
}

/// Keys and values of one layer.
#[derive(Debug, Default)]
pub(crate) struct LayerCache {
    /// Each `[batch, rows, kv_heads, head_dim]`, with rows to spare.
    held: Option<(Tensor<4>, Tensor<4>)>,
    /// Rows that are filled.
    length: usize,
}

impl Cache {
    /// An empty cache for a decoder.
    pub fn new(model: &Decoder) -> Self {
        Self { layers: model.layers().iter().map(|_| LayerCache::default()).collect() }
    }

    /// How many tokens of each sequence it holds.
    pub fn length(&self) -> usize {
        self.layers.first().map_or(0, LayerCache::length)
    }

    /// A cache for other sequences, each of which goes on from one that this one holds: the new
    /// sequence `i` from sequence `from[i]`. There is room for `room` more tokens before it has to grow.
    ///
    /// # Panics
    /// If there is no such sequence.
    #[must_use]
    pub fn select(&self, from: &[usize], room: usize) -> Self {
        Self { layers: self.layers.iter().map(|layer| layer.select(from, room)).collect() }
    }

    pub(crate) fn layer(&mut self, index: usize) -> &mut LayerCache {
        &mut self.layers[index]
    }
}

impl LayerCache {
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    fn select(&self, from: &[usize], room: usize) -> Self {
        let selected = |rows: &Tensor<4>| {
            let [_, _, heads, width] = rows.dims();
            let device = rows.device();
            let places: Vec<i64> = from.iter().map(|place| *place as i64).collect();
            let places = TensorData::new(places, [from.len()]);
            let places = Tensor::<1, Int>::from_data(places, &device);
            let held = rows.clone().narrow(1, 0, self.length).select(0, places);
            Tensor::cat(vec![held, Tensor::zeros([from.len(), room, heads, width], &device)], 1)
        };
        let held = self.held.as_ref().map(|(keys, values)| (selected(keys), selected(values)));
        Self { held, length: self.length }
    }

    /// Adds keys and values of new tokens; returns all of them, with rows to spare after them.
    pub(crate) fn append(&mut self, keys: Tensor<4>, values: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let new = keys.dims()[1];
        let held = match self.held.take() {
            None => (keys, values),
            Some((held_keys, held_values)) => {
                (self.put(held_keys, keys), self.put(held_values, values))
            }
        };
        self.length += new;
        self.held.insert(held).clone()
    }

    /// Writes new rows after the filled ones: in place where there is room, else in twice as much.
    fn put(&self, held: Tensor<4>, new: Tensor<4>) -> Tensor<4> {
        let [batch, rows, heads, width] = held.dims();
        let length = self.length + new.dims()[1];
        let held = if length <= rows {
            held
        } else {
            let spare = [batch, 2 * length - rows, heads, width];
            Tensor::cat(vec![held, Tensor::zeros(spare, &new.device())], 1)
        };
        held.slice_assign([0..batch, self.length..length, 0..heads, 0..width], new)
    }
}

impl Decoder {
    /// As [`Decoder::hidden`], of tokens that continue what `cache` holds.
    ///
    /// # Panics
    /// As [`Decoder::hidden`], counting the tokens that the cache holds.
    pub fn hidden_after(&self, tokens: Tensor<2, Int>, cache: &mut Cache) -> Tensor<3> {
        self.run(tokens, Some(cache))
    }

    /// Logits `[rows, vocabulary]` of some rows `[rows, width]` of the last residual stream.
    pub fn logits_of(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.head_of(hidden)
    }

    /// Loss in nats of one target (`[rows]`) for each row of [`Decoder::logits_of`]: `[rows]`.
    ///
    /// # Panics
    /// If a target is not below the vocabulary.
    pub fn losses_of(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        ablate_kernels::token_losses(logits, targets)
    }

    /// Logits of the token after the last of `tokens` (`[batch, time]`), which continue what
    /// `cache` holds: `[batch, vocabulary]`.
    ///
    /// # Panics
    /// As [`Decoder::hidden`], counting the tokens that the cache holds.
    pub fn next_logits(&self, tokens: Tensor<2, Int>, cache: &mut Cache) -> Tensor<2> {
        let [batch, time] = tokens.dims();
        let width = self.config().shape.width;
        let last = self.run(tokens, Some(cache)).narrow(1, time - 1, 1).reshape([batch, width]);
        self.head_of(last)
    }
}

/// Continues `prompt` with the most likely token, again and again (the lower id on a tie).
///
/// Where prompt and new tokens together exceed the context, the beginning of the prompt is
/// dropped, so that the room asked for is there (as `lm-evaluation-harness` does); at least one
/// token of the prompt is kept, and generation ends when the context is full. An empty prompt
/// gives an empty result.
///
/// Use a decoder without autodiff ([`valid`](burn::module::Module::valid)).
///
/// # Panics
/// If an id is not below the vocabulary.
pub fn generate(model: &Decoder, prompt: &[u32], options: &GenerateOptions) -> Vec<u32> {
    generate_equal(model, &[prompt], options).pop().unwrap_or_default()
}

/// [`generate`] for many prompts: prompts of equal length are run together. Each thread of the
/// current rayon pool takes a share of them to the end, for threads that share each step would wait
/// for each other dozens of times in it; the results do not depend on that.
///
/// # Panics
/// If an id is not below the vocabulary.
pub fn generate_batch(
    model: &Decoder,
    prompts: &[&[u32]],
    options: &GenerateOptions,
) -> Vec<Vec<u32>> {
    let mut by_length = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (index, prompt) in prompts.iter().enumerate() {
        by_length.entry(prompt.len()).or_default().push(index);
    }
    let mut results = vec![Vec::new(); prompts.len()];
    for indices in by_length.into_values() {
        let group: Vec<&[u32]> = indices.iter().map(|index| prompts[*index]).collect();
        for (index, result) in indices.iter().zip(generate_shared(model, &group, options)) {
            results[*index] = result;
        }
    }
    results
}

/// Prompts of equal length, shared out over threads.
fn generate_shared(
    model: &Decoder,
    prompts: &[&[u32]],
    options: &GenerateOptions,
) -> Vec<Vec<u32>> {
    let threads = rayon::current_num_threads().min(prompts.len());
    let pools: Result<Vec<_>, _> =
        (0..threads).map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build()).collect();
    let pools = match pools {
        Ok(pools) if threads > 1 => pools,
        // One thread or one prompt, or a machine that gives no more threads.
        _ => return generate_equal(model, prompts, options),
    };
    std::thread::scope(|scope| {
        let shares = prompts.chunks(prompts.len().div_ceil(threads)).zip(pools);
        let workers: Vec<_> = shares
            .map(|(share, pool)| {
                let model = model.clone();
                scope.spawn(move || pool.install(|| generate_equal(&model, share, options)))
            })
            .collect();
        let joined = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined
            .flat_map(|share| share.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Prompts of equal length, as one batch.
fn generate_equal(model: &Decoder, prompts: &[&[u32]], options: &GenerateOptions) -> Vec<Vec<u32>> {
    let context = model.config().context;
    let mut results = vec![Vec::new(); prompts.len()];
    let length = prompts.first().map_or(0, |prompt| prompt.len());
    if length == 0 || options.max_new_tokens == 0 {
        return results;
    }
    // The last new token is never fed back, so it needs no place in the context.
    let room = context.saturating_sub(options.max_new_tokens - 1).max(1);
    let kept = length.min(room);
    let device = model.device().without_autodiff();
    let batch = |rows: &[i64], time: usize| {
        Tensor::<2, Int>::from_data(TensorData::new(rows.to_vec(), [prompts.len(), time]), &device)
    };
    let ids = |prompt: &&[u32]| {
        prompt[length - kept..].iter().map(|id| i64::from(*id)).collect::<Vec<_>>()
    };
    let mut tokens = batch(&prompts.iter().flat_map(ids).collect::<Vec<_>>(), kept);
    let mut done = vec![false; prompts.len()];
    let mut cache = Cache::new(model);
    for step in 0..options.max_new_tokens.min(context - kept + 1) {
        if step > 0 && done.iter().all(|done| *done) {
            break;
        }
        let logits = float_values(model.next_logits(tokens, &mut cache));
        let next: Vec<u32> =
            logits.chunks(model.config().shape.vocabulary).map(most_likely).collect();
        for ((result, done), token) in results.iter_mut().zip(&mut done).zip(&next) {
            *done = *done || options.stop.contains(token);
            if !*done {
                result.push(*token);
            }
        }
        tokens = batch(&next.iter().map(|id| i64::from(*id)).collect::<Vec<_>>(), 1);
    }
    results
}

/// The position of the largest value, the first of equal ones.
fn most_likely(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (index, value) in logits.iter().enumerate() {
        if *value > logits[best] {
            best = index;
        }
    }
    best as u32
}
