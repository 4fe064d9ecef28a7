//! Likelihoods of requests, each text computed once.
//!
//! Requests with the same input (options of one token, after the same context) are one row. Requests
//! that begin alike (a header of solved examples) share the keys and values of their beginning. Only
//! positions of the options get logits.

use ablate_model::{Cache, Decoder};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::losses::{Padded, batches};
use crate::prompt::Request;

/// A beginning is shared from so many tokens on: shorter ones are not worth a pass of their own.
const LEAST_SHARED: usize = 32;
/// Rows of logits that are on the host together.
const LOGIT_ROWS: usize = 256;

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
    let mut start = 0;
    for end in 1..=rows.len() {
        let goes_on =
            end < rows.len() && wanted.share && shared(&rows[end - 1], &rows[end]) >= LEAST_SHARED;
        if goes_on {
            continue;
        }
        let group = &rows[start..end];
        let common = group.windows(2).map(|pair| shared(&pair[0], &pair[1])).min();
        match common {
            Some(common) => pass.group(group, common),
            None => alone.extend(group),
        }
        start = end;
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

struct Pass<'a> {
    model: &'a Decoder,
    requests: &'a [&'a Request],
    wanted: Wanted,
    device: Device,
    results: Vec<Likelihood>,
    finished: usize,
    done: &'a mut dyn FnMut(usize),
}

/// What rows share: keys and values of their beginning, its length, and the sum of its losses.
struct Beginning {
    cache: Cache,
    tokens: usize,
    losses: f64,
}

impl Pass<'_> {
    /// Rows that have `common` tokens at the beginning in common.
    fn group(&mut self, group: &[Row<'_>], common: usize) {
        // The last common token is run with each row: what follows it differs.
        let tokens = common - 1;
        let mut cache = Cache::new(self.model);
        let whole = &group[0].input[..common];
        let sequences = [whole];
        let Some(padded) = Padded::new(&sequences) else { return };
        let hidden = self.model.hidden_after(padded.inputs(&self.device), &mut cache);
        let losses = if self.wanted.whole {
            let losses = self.model.losses_after(hidden, padded.targets(&self.device));
            padded.rows(losses).iter().flatten().map(|loss| f64::from(*loss)).sum()
        } else {
            0.0
        };
        let beginning = Beginning { cache, tokens, losses };
        // Copies of the beginning's keys and values need room as well.
        let lengths: Vec<usize> =
            group.iter().map(|row| row.input.len() - tokens + tokens / 2).collect();
        for batch in batches(&lengths, self.wanted.batch_tokens) {
            let batch: Vec<&Row<'_>> = batch.iter().map(|index| &group[*index]).collect();
            self.rows(&batch, Some(&beginning));
        }
    }

    /// Runs rows together, after their beginning.
    fn rows(&mut self, rows: &[&Row<'_>], beginning: Option<&Beginning>) {
        let past = beginning.map_or(0, |beginning| beginning.tokens);
        // The first request's last token stands for the others'.
        let sequences: Vec<&[u32]> =
            rows.iter().map(|row| &self.requests[row.requests[0]].tokens[past..]).collect();
        let Some(padded) = Padded::new(&sequences) else { return };
        let inputs = padded.inputs(&self.device);
        let [batch, time] = inputs.dims();
        let hidden = match beginning {
            None => self.model.hidden(inputs),
            Some(beginning) => self.model.hidden_after(inputs, &mut beginning.cache.repeat(batch)),
        };
        let width = hidden.dims()[2];
        let losses = self.wanted.whole.then(|| {
            let losses = self.model.losses_after(hidden.clone(), padded.targets(&self.device));
            padded.rows(losses)
        });
        // Positions of the continuations: of row `r` the last ones of its input.
        let mut places = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let end = index * time + row.input.len() - past;
            places.extend((end - row.continuation..end).map(|place| place as i64));
        }
        let logits = self.logits(hidden.reshape([batch * time, width]), &places);
        let mut logits = logits.iter();
        for (index, row) in rows.iter().enumerate() {
            let own: Vec<&Distribution> = logits.by_ref().take(row.continuation).collect();
            let whole = losses.as_ref().map(|losses| {
                let sum: f64 = losses[index].iter().map(|loss| f64::from(*loss)).sum();
                sum + beginning.map_or(0.0, |beginning| beginning.losses)
            });
            self.answer(row, &own, whole);
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

    /// Distributions over the next token at some rows of the last residual stream.
    fn logits(&self, hidden: Tensor<2>, places: &[i64]) -> Vec<Distribution> {
        let mut found = Vec::with_capacity(places.len());
        for places in places.chunks(LOGIT_ROWS) {
            let count = places.len();
            let places = TensorData::new(places.to_vec(), [count]);
            let places = Tensor::<1, Int>::from_data(places, &self.device);
            let logits = self.model.logits_of(hidden.clone().select(0, places));
            let vocabulary = logits.dims()[1];
            // The data was just converted to f32, and an empty list shows up as a loss that is no number.
            let values: Vec<f32> =
                logits.into_data().convert::<f32>().try_into_vec().unwrap_or_default();
            found.extend(values.chunks(vocabulary).map(Distribution::new));
        }
        found
    }
}

/// Logits of one position.
struct Distribution {
    logits: Vec<f32>,
    /// ln of the sum of their exponentials.
    total: f64,
    /// The most likely token, the first of equal ones.
    best: u32,
}

impl Distribution {
    fn new(logits: &[f32]) -> Self {
        let mut best = 0;
        for (index, logit) in logits.iter().enumerate() {
            if *logit > logits[best] {
                best = index;
            }
        }
        let most = f64::from(logits[best]);
        let sum: f64 = logits.iter().map(|logit| (f64::from(*logit) - most).exp()).sum();
        let best = u32::try_from(best).unwrap_or(u32::MAX);
        Self { logits: logits.to_vec(), total: most + sum.ln(), best }
    }

    fn loss(&self, token: u32) -> f64 {
        self.logits.get(token as usize).map_or(f64::NAN, |logit| self.total - f64::from(*logit))
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
    fn distributions() {
        let found = Distribution::new(&[0.0, 3f32.ln(), 3f32.ln(), f32::NEG_INFINITY]);
        assert_eq!(found.best, 1);
        assert!((found.loss(2) - (7.0f64 / 3.0).ln()).abs() < 1e-6);
        assert!(found.loss(9).is_nan() && found.loss(3) == f64::INFINITY);
    }
}
