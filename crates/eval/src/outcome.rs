//! How one item was answered.

use serde::{Deserialize, Serialize};

/// Which way of ranking options is a study's headline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scoring {
    /// The option whose whole prompt has the lowest mean loss per token (OpenCompass's `ppl`).
    #[default]
    Ppl,
    /// The option with the highest log-likelihood given the context (lm-evaluation-harness's
    /// `acc`).
    Continuation,
}

/// What a model made of one item. Lists have one entry per option, none for free text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemResult {
    /// Name of the benchmark.
    pub benchmark: String,
    /// Language code.
    pub language: String,
    /// The item's id.
    pub item: String,
    /// Fingerprint of the item: rows of different models pair only where it agrees.
    pub document_hash: String,
    /// Fingerprint of the texts that the model read.
    pub prompt_hash: String,
    /// Log-likelihood of each option given the context, in nats: a sum over its tokens.
    pub option_logliks: Vec<f64>,
    /// Tokens of each option.
    pub option_tokens: Vec<u32>,
    /// UTF-8 bytes of each option, without white space around it.
    pub option_bytes: Vec<u32>,
    /// Characters of each option, without white space around it.
    pub option_chars: Vec<u32>,
    /// Mean loss of the whole prompt with each option, in nats per token.
    pub prompt_losses: Vec<f64>,
    /// The option with the lowest prompt loss.
    pub choice_ppl: Option<usize>,
    /// The option with the highest log-likelihood.
    pub choice_acc: Option<usize>,
    /// The option with the highest log-likelihood per byte.
    pub choice_acc_norm: Option<usize>,
    /// The right option.
    pub key: Option<usize>,
    /// The generated answer to a free-text question.
    pub prediction: Option<String>,
    /// What the answer is compared with.
    pub reference: Option<String>,
    /// ROUGE-1 F1 of the answer.
    pub rouge1: Option<f64>,
    /// Whether a prompt was longer than the model's context and lost its beginning.
    pub truncated: bool,
}

impl ItemResult {
    /// The option chosen under a scoring; `None` for free text.
    pub fn choice(&self, scoring: Scoring) -> Option<usize> {
        match scoring {
            Scoring::Ppl => self.choice_ppl,
            Scoring::Continuation => self.choice_acc,
        }
    }

    /// The item's share of its benchmark's primary metric: 1 or 0 for a right or wrong choice,
    /// ROUGE-1 for free text.
    pub fn value(&self, scoring: Scoring) -> f64 {
        match self.choice(scoring) {
            Some(choice) => f64::from(Some(choice) == self.key),
            None => self.rouge1.unwrap_or(0.0),
        }
    }

    /// Fills in the choices from the likelihoods; the first of equal options wins, as in the
    /// established tools.
    pub(crate) fn choose(&mut self) {
        self.choice_ppl = largest(self.prompt_losses.iter().map(|loss| -loss));
        self.choice_acc = largest(self.option_logliks.iter().copied());
        let normed = self.option_logliks.iter().zip(&self.option_bytes);
        self.choice_acc_norm = largest(normed.map(|(loglik, bytes)| loglik / f64::from(*bytes)));
    }
}

/// Position of the largest value, the first of equal ones.
fn largest(values: impl Iterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, value) in values.enumerate() {
        if best.is_none_or(|(_, most)| value > most) {
            best = Some((index, value));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_own_choice() {
        let mut result = ItemResult {
            // Sums favour the short option, bytes the long one, the prompt's loss the last.
            option_logliks: vec![-2.0, -6.0, -9.0],
            option_bytes: vec![2, 12, 9],
            prompt_losses: vec![3.0, 2.5, 2.0],
            key: Some(1),
            ..ItemResult::default()
        };
        result.choose();
        assert_eq!(result.choice_acc, Some(0));
        assert_eq!(result.choice_acc_norm, Some(1));
        assert_eq!(result.choice_ppl, Some(2));
        assert_eq!((result.value(Scoring::Ppl), result.value(Scoring::Continuation)), (0.0, 0.0));
        assert_eq!(largest([1.0, 1.0].into_iter()), Some(0));
    }
}
