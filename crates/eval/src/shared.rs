//! Likelihoods of requests, each text computed once.
//!
//! Requests with the same input (options of one token, after the same context) are one row. Requests
//! that begin alike (options of one question, questions after the same solved examples) share the keys
//! and values of their beginning; beginnings of equal length are computed together, and so are the rows
//! after them. Only positions of the options get logits.

use std::collections::BTreeMap;
use std::ops::Range;

use ablate_model::{Cache, Decoder};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::losses::{Padded, batches};
use crate::prompt::Request;

/// Lengths of shared beginnings are multiples of this, so that many have the same and are run together.
const STEP: usize = 8;
/// A beginning is shared where that saves one token in so many: whole rows run faster than what follows a
/// cache.
const LEAST_SAVED: usize = 4;
/// Rows of logits that are on the host together.
const LOGIT_ROWS: usize = 512;

/// What a pass says about a request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Likelihood {
    /// Log-likelihood of the continuation, in nats: a sum over its tokens.
    pub(crate) loglik: f64,
    /// Whether every token of it is the most likely one.
    pub(crate) greedy: bool,
    /// Mean loss of all predicted tokens of the prompt, in nats per token, where asked for.
    pub(crate) prompt_loss: Option<f64>,
}

/// What is computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Losses of whole prompts as well.
    pub(crate) whole: bool,
    /// Whether beginnings are shared.
    pub(crate) share: bool,
    /// Tokens that are run together.
    pub(crate) batch_tokens: usize,
}

/// Requests with the same input.
struct Row<'a> {
    input: &'a [u32],
    requests: Vec<usize>,
    /// Most tokens of a continuation.
    continuation: usize,
}

/// Scores requests; results are in their order. `done` is told how many are finished.
///
/// The model must be without autodiff, and tokens below its vocabulary.
pub(crate) fn likelihoods(
    model: &Decoder,
    requests: &[&Request],
    wanted: Wanted,
    done: &mut dyn FnMut(usize),
) -> Vec<Likelihood> {
    let mut pass = Pass {
        model,
        requests,
        wanted,
        device: model.device(),
        results: vec![Likelihood { loglik: f64::NAN, ..Likelihood::default() }; requests.len()],
        finished: 0,
        done,
    };
    let rows = rows(requests);
    let mut alone = Vec::new();
    let mut by_length = BTreeMap::<usize, Vec<&[Row<'_>]>>::new();
    for family in families(&rows, wanted.share) {
        match family.tokens {
            0 => alone.extend(&rows[family.rows]),
            tokens => by_length.entry(tokens).or_default().push(&rows[family.rows]),
        }
    }
    for (tokens, families) in by_length {
        for together in families.chunks((wanted.batch_tokens / tokens).max(1)) {
            pass.families(together, tokens);
        }
    }
    let lengths: Vec<usize> = alone.iter().map(|row| row.input.len()).collect();
    for batch in batches(&lengths, wanted.batch_tokens) {
        let batch: Vec<&Row<'_>> = batch.iter().map(|index| alone[*index]).collect();
        pass.rows(&batch, None);
    }
    pass.results
}

/// Requests by their inputs, in the order of the inputs' tokens.
fn rows<'a>(requests: &[&'a Request]) -> Vec<Row<'a>> {
    let mut by_input = std::collections::BTreeMap::<&[u32], Row<'_>>::new();
    for (index, request) in requests.iter().enumerate() {
        let input = &request.tokens[..request.tokens.len() - 1];
        let row =
            by_input.entry(input).or_insert(Row { input, requests: Vec::new(), continuation: 0 });
        row.requests.push(index);
        row.continuation = row.continuation.max(request.continuation);
    }
    by_input.into_values().collect()
}

/// Tokens at the beginning of both that no continuation has a part in.
fn shared(left: &Row<'_>, right: &Row<'_>) -> usize {
    let same = left.input.iter().zip(right.input).take_while(|(a, b)| a == b).count();
    let context = |row: &Row<'_>| row.input.len() + 1 - row.continuation;
    same.min(context(left)).min(context(right))
}

/// Neighbours among the rows that share their first `tokens` tokens; none are shared where that is 0.
#[derive(Debug, PartialEq, Eq)]
struct Family {
    rows: Range<usize>,
    tokens: usize,
}

/// Cuts rows, which are in the order of their inputs, into families, so that the fewest tokens are
/// computed (where every family has one beginning).
fn families(rows: &[Row<'_>], share: bool) -> Vec<Family> {
    // The last common token is run with each row, for what follows it differs.
    let cut = |pair: &[Row<'_>]| match share {
        true => shared(&pair[0], &pair[1]).saturating_sub(1) / STEP * STEP,
        false => 0,
    };
    let common: Vec<usize> = rows.windows(2).map(cut).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let mut found = best(0..rows.len(), &common).1;
    for family in &mut found {
        let all: usize = rows[family.rows.clone()].iter().map(|row| row.input.len()).sum();
        if (family.rows.len() - 1) * family.tokens * LEAST_SAVED < all {
            family.tokens = 0;
        }
    }
    found
}

/// How many tokens the best families of neighbours save, and what they are. `common[i]` is what rows `i`
/// and `i + 1` have in common.
///
/// Neighbours all have the least of `common` between them in common. Either they share that, or they are
/// cut at every place where there is no more, and each part is looked at alone. That is no less than any
/// one length saves at which all are cut, though a family that ends within a part can save a little more
/// (the best of all takes the square of the rows). The depth of this recursion is at most the number of
/// different lengths.
fn best(rows: Range<usize>, common: &[usize]) -> (usize, Vec<Family>) {
    let between = rows.start..rows.end.saturating_sub(1);
    let Some(least) = common.get(between.clone()).and_then(|common| common.iter().min().copied())
    else {
        return (0, vec![Family { rows, tokens: 0 }]);
    };
    let (mut saved, mut apart, mut start) = (0, Vec::new(), rows.start);
    let ends = between.filter(|place| common[*place] == least).map(|place| place + 1);
    for end in ends.chain([rows.end]) {
        let (more, families) = best(start..end, common);
        saved += more;
        apart.extend(families);
        start = end;
    }
    let together = (rows.len() - 1) * least;
    if together > saved {
        return (together, vec![Family { rows, tokens: least }]);
    }
    (saved, apart)
}

struct Pass<'a> {
    model: &'a Decoder,
    requests: &'a [&'a Request],
    wanted: Wanted,
    device: Device,
    results: Vec<Likelihood>,
    finished: usize,
    done: &'a mut dyn FnMut(usize),
}

/// What families share: keys and values of their beginnings, which are equally long, and sums of their
/// losses.
struct Beginnings {
    cache: Cache,
    tokens: usize,
    losses: Vec<f64>,
}

impl Pass<'_> {
    /// Families that share `tokens` tokens each.
    fn families(&mut self, families: &[&[Row<'_>]], tokens: usize) {
        let mut cache = Cache::new(self.model);
        let sequences: Vec<&[u32]> =
            families.iter().map(|rows| &rows[0].input[..=tokens]).collect();
        let Some(padded) = Padded::new(&sequences) else { return };
        let hidden = self.model.hidden_after(padded.inputs(&self.device), &mut cache);
        let losses = match self.wanted.whole {
            true => self.losses(hidden, &padded),
            false => vec![0.0; families.len()],
        };
        let beginnings = Beginnings { cache, tokens, losses };
        let rows: Vec<(usize, &Row<'_>)> = families
            .iter()
            .enumerate()
            .flat_map(|(family, rows)| rows.iter().map(move |row| (family, row)))
            .collect();
        // Copies of the beginning's keys and values need room as well.
        let lengths: Vec<usize> =
            rows.iter().map(|(_, row)| row.input.len() - tokens + tokens / 2).collect();
        for batch in batches(&lengths, self.wanted.batch_tokens) {
            let from: Vec<usize> = batch.iter().map(|index| rows[*index].0).collect();
            let batch: Vec<&Row<'_>> = batch.iter().map(|index| rows[*index].1).collect();
            self.rows(&batch, Some((&beginnings, from.as_slice())));
        }
    }

    /// Sums of the losses of all targets of each sequence.
    fn losses(&self, hidden: Tensor<3>, padded: &Padded<'_>) -> Vec<f64> {
        let [batch, time, width] = hidden.dims();
        let hidden = hidden.reshape([batch * time, width]);
        let targets = padded.targets(&self.device).reshape([batch * time]);
        let mut losses = Vec::new();
        for start in (0..batch * time).step_by(LOGIT_ROWS) {
            let count = LOGIT_ROWS.min(batch * time - start);
            let logits = self.model.logits_of(hidden.clone().narrow(0, start, count));
            losses.push(self.model.losses_of(logits, targets.clone().narrow(0, start, count)));
        }
        let losses = padded.rows(Tensor::cat(losses, 0).reshape([batch, time]));
        let sum = |losses: &Vec<f32>| losses.iter().map(|loss| f64::from(*loss)).sum::<f64>();
        losses.iter().map(sum).collect()
    }

    /// Runs rows together; row `i` after beginning `from[i]`, where there are such.
    fn rows(&mut self, rows: &[&Row<'_>], after: Option<(&Beginnings, &[usize])>) {
        let past = after.map_or(0, |(beginnings, _)| beginnings.tokens);
        // The first request's last token stands for the others'.
        let sequences: Vec<&[u32]> =
            rows.iter().map(|row| &self.requests[row.requests[0]].tokens[past..]).collect();
        let Some(padded) = Padded::new(&sequences) else { return };
        let inputs = padded.inputs(&self.device);
        let [batch, time] = inputs.dims();
        let hidden = match after {
            None => self.model.hidden(inputs),
            Some((beginnings, from)) => {
                let mut cache = beginnings.cache.select(from, time);
                self.model.hidden_after(inputs, &mut cache)
            }
        };
        let width = hidden.dims()[2];
        let losses = self.wanted.whole.then(|| self.losses(hidden.clone(), &padded));
        // Positions of the continuations, of row `r` the last ones of its input, and what may follow there.
        let mut places = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let end = index * time + row.input.len() - past;
            places.extend(
                (0..row.continuation).rev().map(|back| Place {
                    position: end - 1 - back,
                    targets: self.targets(row, back),
                }),
            );
        }
        let distributions = self.distributions(hidden.reshape([batch * time, width]), &places);
        let mut distributions = distributions.iter();
        for (index, row) in rows.iter().enumerate() {
            let own: Vec<&Distribution> = distributions.by_ref().take(row.continuation).collect();
            let before = after.map_or(0.0, |(beginnings, from)| beginnings.losses[from[index]]);
            self.answer(row, &own, losses.as_ref().map(|losses| losses[index] + before));
        }
        self.finished += rows.iter().map(|row| row.requests.len()).sum::<usize>();
        (self.done)(self.finished);
    }

    /// The requests of one row, from the distributions at its last positions and the sum of all its
    /// losses with the first request's last token.
    fn answer(&mut self, row: &Row<'_>, own: &[&Distribution], whole: Option<f64>) {
        let last = |request: usize| self.requests[request].tokens[row.input.len()];
        let first = last(row.requests[0]);
        for request in &row.requests {
            let tokens = &self.requests[*request].tokens;
            let continuation = self.requests[*request].continuation;
            let targets = &tokens[tokens.len() - continuation..];
            let places = &own[own.len() - continuation..];
            let pairs = || places.iter().zip(targets);
            let end = own.last();
            let swapped =
                end.map_or(0.0, |end| end.loss(tokens[row.input.len()]) - end.loss(first));
            self.results[*request] = Likelihood {
                loglik: -pairs().map(|(place, target)| place.loss(*target)).sum::<f64>(),
                greedy: pairs().all(|(place, target)| place.best == *target),
                prompt_loss: whole.map(|sum| (sum + swapped) / row.input.len() as f64),
            };
        }
    }

    /// What a row's requests have `back` tokens before their last one, where that is a continuation's.
    fn targets(&self, row: &Row<'_>, back: usize) -> Vec<u32> {
        let requests = row.requests.iter().map(|request| self.requests[*request]);
        let mut targets: Vec<u32> = requests
            .filter(|request| request.continuation > back)
            .map(|request| request.tokens[request.tokens.len() - 1 - back])
            .collect();
        if back == 0 {
            // The loss of the whole prompt is that with the first request's.
            targets.push(self.requests[row.requests[0]].tokens[row.input.len()]);
        }
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// What the last residual stream says of the next token at some places.
    fn distributions(&self, hidden: Tensor<2>, places: &[Place]) -> Vec<Distribution> {
        let mut found = Vec::with_capacity(places.len());
        for places in places.chunks(LOGIT_ROWS) {
            let numbers = |of: &dyn Fn(&Place) -> i64| {
                let values: Vec<i64> = places.iter().map(of).collect();
                let data = TensorData::new(values, [places.len()]);
                Tensor::<1, Int>::from_data(data, &self.device)
            };
            let positions = numbers(&|place| place.position as i64);
            let firsts = numbers(&|place| place.targets.first().map_or(0, |id| i64::from(*id)));
            let logits = self.model.logits_of(hidden.clone().select(0, positions));
            let vocabulary = logits.dims()[1];
            let losses = floats(self.model.losses_of(logits.clone(), firsts).into_data());
            let logits = floats(logits.into_data());
            let rows = logits.par_chunks(vocabulary).zip(&losses).zip(places);
            found.par_extend(
                rows.map(|((row, loss), place)| Distribution::new(row, *loss, &place.targets)),
            );
        }
        found
    }
}

/// The data was made as numbers; an empty list shows up as a loss that is no number.
fn floats(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().try_into_vec().unwrap_or_default()
}

/// The largest of many numbers, found in lanes as processors are fast at.
fn largest(numbers: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 32];
    for numbers in numbers.chunks(32) {
        for (lane, number) in lanes.iter_mut().zip(numbers) {
            *lane = if *number > *lane { *number } else { *lane };
        }
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

/// Where something is to be said of the next token, and which ones are asked about.
struct Place {
    /// Among all positions of a batch.
    position: usize,
    targets: Vec<u32>,
}

/// What is known of the next token at one position.
#[derive(Debug)]
struct Distribution {
    /// Losses in nats of the tokens that are asked about, in the order of their ids.
    losses: Vec<(u32, f64)>,
    /// The most likely token, the first of equal ones.
    best: u32,
}

impl Distribution {
    /// From all logits and the loss of the first target.
    fn new(logits: &[f32], loss: f32, targets: &[u32]) -> Self {
        let most = largest(logits);
        let best = logits.iter().position(|logit| *logit == most).unwrap_or(0);
        let logit = |target: u32| logits.get(target as usize).copied().map_or(f64::NAN, f64::from);
        let total = targets.first().map_or(f64::NAN, |first| f64::from(loss) + logit(*first));
        Self {
            losses: targets.iter().map(|target| (*target, total - logit(*target))).collect(),
            best: u32::try_from(best).unwrap_or(u32::MAX),
        }
    }

    fn loss(&self, token: u32) -> f64 {
        let place = self.losses.binary_search_by_key(&token, |(known, _)| *known);
        place.map_or(f64::NAN, |place| self.losses[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(tokens: &[u32], continuation: usize) -> Request {
        Request { tokens: tokens.to_vec(), continuation, truncated: false }
    }

    #[test]
    fn equal_inputs_are_one_row() {
        let requests = [request(&[1, 2, 3], 1), request(&[1, 5, 3], 2), request(&[1, 2, 4], 2)];
        let found = rows(&requests.iter().collect::<Vec<_>>());
        let summary: Vec<_> =
            found.iter().map(|r| (r.input, &r.requests[..], r.continuation)).collect();
        assert_eq!(summary, [(&[1, 2][..], &[0, 2][..], 2), (&[1, 5][..], &[1][..], 2)]);
    }

    #[test]
    fn continuations_are_never_shared() {
        let requests = [request(&[1, 2, 3, 4, 5], 2), request(&[1, 2, 3, 4, 6, 7], 3)];
        let found = rows(&requests.iter().collect::<Vec<_>>());
        assert_eq!(shared(&found[0], &found[1]), 3);
        let requests = [request(&[1, 2, 3], 1), request(&[1, 4, 3], 1)];
        let found = rows(&requests.iter().collect::<Vec<_>>());
        assert_eq!(shared(&found[0], &found[1]), 1);
    }

    #[test]
    fn families_save_the_most_tokens() {
        let found = |common: &[usize]| -> Vec<(Range<usize>, usize)> {
            let families = best(0..common.len() + 1, common).1;
            families.into_iter().map(|family| (family.rows, family.tokens)).collect()
        };
        assert_eq!(found(&[]), [(0..1, 0)]);
        assert_eq!(found(&[0, 0]), [(0..1, 0), (1..2, 0), (2..3, 0)]);
        // Options of two questions that begin alike: 8 tokens of four rows are 24, 16 twice are 32.
        assert_eq!(found(&[16, 8, 16]), [(0..2, 16), (2..4, 16)]);
        assert_eq!(found(&[8, 8, 16]), [(0..4, 8)]);
        // A header of many questions, each with its own options.
        assert_eq!(found(&[640, 640, 648, 640, 0, 32]), [(0..5, 640), (5..7, 32)]);
    }

    /// What cuts save: `cut(i)` says whether rows `i` and `i + 1` are apart; the others share what they can.
    fn saved_by(common: &[usize], cut: impl Fn(usize) -> bool) -> usize {
        let (mut saved, mut start) = (0, 0);
        for end in 0..=common.len() {
            if end == common.len() || cut(end) {
                let least = common[start..end].iter().min().copied().unwrap_or(0);
                saved += (end - start) * least;
                start = end + 1;
            }
        }
        saved
    }

    proptest::proptest! {
        #[test]
        fn no_length_to_cut_at_saves_more(common in proptest::collection::vec(0usize..6, 0..9)) {
            let (saved, families) = best(0..common.len() + 1, &common);
            for length in 0..7 {
                let by_length = saved_by(&common, |place| common[place] < length);
                proptest::prop_assert!(saved >= by_length, "{} {} {}", saved, by_length, length);
            }
            let most = (0u32..1 << common.len())
                .map(|cuts| saved_by(&common, |place| (cuts >> place) & 1 == 1));
            proptest::prop_assert!(saved <= most.max().unwrap_or(0));
            let sum: usize = families.iter().map(|f| (f.rows.len() - 1) * f.tokens).sum();
            proptest::prop_assert_eq!(sum, saved);
            let mut next = 0;
            for family in families {
                proptest::prop_assert_eq!(family.rows.start, next);
                next = family.rows.end;
                let inside = &common[family.rows.start..next - 1];
                proptest::prop_assert!(inside.iter().all(|common| *common >= family.tokens));
            }
            proptest::prop_assert_eq!(next, common.len() + 1);
        }
    }

    #[test]
    fn distributions() {
        let logits = [0.0, 3f32.ln(), 3f32.ln(), f32::NEG_INFINITY];
        let found = Distribution::new(&logits, 7f32.ln(), &[0, 2, 3]);
        assert_eq!(found.best, 1);
        assert!((found.loss(2) - (7.0f64 / 3.0).ln()).abs() < 1e-6);
        assert!(found.loss(9).is_nan() && found.loss(3) == f64::INFINITY);
    }
}
