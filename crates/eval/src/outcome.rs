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
    /// The option with the highest log-likelihood per character (lm-evaluation-harness's `acc_norm`).
    pub choice_acc_norm: Option<usize>,
    /// The option with the highest log-likelihood per byte (its `acc_bytes`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice_acc_bytes: Option<usize>,
    /// The option whose log-likelihood the context raises most (its `acc_mutual_info`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice_mutual: Option<usize>,
    /// Whether each option is what the model would say: every token the most likely one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub option_greedy: Vec<bool>,
    /// Log-likelihood of each option without the question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unconditional_logliks: Vec<f64>,
    /// The subject or passage that the item shares with others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether every subject of the benchmark counts the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_subject: bool,
    /// All right options, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<usize>,
    /// The benchmark's headline, where it is not the scoring's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The right option.
    pub key: Option<usize>,
    /// The generated answer to a free-text question.
    pub prediction: Option<String>,
    /// What the answer is compared with.
    pub reference: Option<String>,
    /// ROUGE-1 F1 of the answer.
    pub rouge1: Option<f64>,
    /// ROUGE-2 F1 of the answer to an item of a published benchmark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rouge2: Option<f64>,
    /// Its ROUGE-L F1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rougel: Option<f64>,
    /// Whether it is the reference, white space around both left out: 1 or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_match: Option<f64>,
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

    /// Whether an option is right.
    pub fn is_right(&self, option: usize) -> bool {
        if self.keys.is_empty() { self.key == Some(option) } else { self.keys.contains(&option) }
    }

    /// The item's share of a metric; `None` where the metric does not apply.
    ///
    /// `exact_match` of a choice is whether a right option is what the model would say.
    /// A single option (the last word of a text) is right if it is what the model would say, and its
    /// share of `perplexity` is its log-likelihood.
    pub fn metric_value(&self, metric: &str) -> Option<f64> {
        let right = |choice: Option<usize>| choice.map(|choice| f64::from(self.is_right(choice)));
        let single = self.option_logliks.len() == 1;
        match metric {
            "acc" if single => self.option_greedy.first().map(|greedy| f64::from(*greedy)),
            "perplexity" if single => self.option_logliks.first().copied(),
            _ if single => None,
            "acc_ppl" => right(self.choice_ppl),
            "acc" => right(self.choice_acc),
            "acc_norm" => right(self.choice_acc_norm),
            "acc_bytes" => right(self.choice_acc_bytes),
            "acc_mutual_info" => right(self.choice_mutual),
            "rouge1" => self.rouge1,
            "rouge2" => self.rouge2,
            "rougel" => self.rougel,
            "exact_match" if !self.option_greedy.is_empty() => {
                let said = self.option_greedy.iter().enumerate();
                let mut right = said.filter(|(option, _)| self.is_right(*option));
                Some(f64::from(right.any(|(_, greedy)| *greedy)))
            }
            "exact_match" => self.exact_match,
            _ => None,
        }
    }

    /// Name of the metric that is the item's headline: its benchmark's own where that applies, else the
    /// scoring's for choices and ROUGE-1 for free text.
    pub fn headline(&self, scoring: Scoring) -> &str {
        match &self.metric {
            Some(metric) if self.metric_value(metric).is_some() => metric,
            _ if self.option_logliks.len() == 1 => "acc",
            _ if self.choice(scoring).is_none() => "rouge1",
            _ if scoring == Scoring::Continuation => "acc",
            _ => "acc_ppl",
        }
    }

    /// The item's share of its benchmark's primary metric: 1 or 0 for a right or wrong choice,
    /// ROUGE-1 for free text, unless the benchmark has a headline of its own.
    pub fn value(&self, scoring: Scoring) -> f64 {
        self.metric_value(self.headline(scoring)).unwrap_or(0.0)
    }

    /// Fills in the choices from the likelihoods; the first of equal options wins, as in the
    /// established tools.
    pub(crate) fn choose(&mut self) {
        self.choice_ppl = largest(self.prompt_losses.iter().map(|loss| -loss));
        self.choice_acc = largest(self.option_logliks.iter().copied());
        let per = |lengths: &[u32]| {
            let normed = self.option_logliks.iter().zip(lengths);
            largest(normed.map(|(loglik, length)| loglik / f64::from(*length)))
        };
        let (characters, bytes) = (per(&self.option_chars), per(&self.option_bytes));
        self.choice_acc_norm = characters;
        self.choice_acc_bytes = bytes;
        let without = self.option_logliks.iter().zip(&self.unconditional_logliks);
        self.choice_mutual = largest(without.map(|(with, without)| with - without));
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
            // Sums favour the short option, characters the long one, bytes and the prompt's loss the
            // last, and without the question the first loses nothing.
            option_logliks: vec![-2.0, -6.0, -9.0],
            option_chars: vec![2, 12, 9],
            option_bytes: vec![2, 12, 27],
            unconditional_logliks: vec![-2.0, -7.0, -9.5],
            prompt_losses: vec![3.0, 2.5, 2.0],
            key: Some(1),
            ..ItemResult::default()
        };
        result.choose();
        assert_eq!(result.choice_acc, Some(0));
        assert_eq!(result.choice_acc_norm, Some(1));
        assert_eq!(result.choice_acc_bytes, Some(2));
        assert_eq!(result.choice_mutual, Some(1));
        assert_eq!(result.choice_ppl, Some(2));
        assert_eq!((result.value(Scoring::Ppl), result.value(Scoring::Continuation)), (0.0, 0.0));
        result.metric = Some("acc_norm".into());
        assert_eq!(result.value(Scoring::Ppl), 1.0);
        result.keys = vec![0, 2];
        assert_eq!((result.value(Scoring::Ppl), result.metric_value("acc")), (0.0, Some(1.0)));
        assert_eq!(result.metric_value("rouge2"), None);
        assert_eq!(largest([1.0, 1.0].into_iter()), Some(0));
    }

    #[test]
    fn a_single_option_is_right_if_the_model_would_say_it() {
        let mut result = ItemResult {
            option_logliks: vec![-2.0],
            option_greedy: vec![false],
            option_chars: vec![1],
            key: Some(0),
            ..ItemResult::default()
        };
        result.choose();
        assert_eq!(
            (result.value(Scoring::Continuation), result.metric_value("acc_norm")),
            (0.0, None)
        );
        assert_eq!(result.metric_value("perplexity"), Some(-2.0));
        result.option_greedy = vec![true];
        assert_eq!(result.value(Scoring::Continuation), 1.0);
    }
}
