//! The paper's rule for a vocabulary: it covers more than 90% of the corpus, and embedding and head
//! are less than 20% of the parameters.

use crate::rows::{TokenizerRow, VariantRow};

/// Coverage must be more than this, a fraction of 1.
pub(crate) const COVERAGE: f64 = 0.9;
/// The share of embedding and head must be less than this, a fraction of 1.
pub(crate) const SHARE: f64 = 0.2;

/// Whether a variant keeps the rule; unknown where coverage is. A tokenizer that was not compacted
/// covers all of its own tokens.
pub(crate) fn holds(variant: &VariantRow, tokenizer: &TokenizerRow) -> Option<bool> {
    let coverage = match tokenizer.larger {
        Some(_) => tokenizer.coverage?,
        None => 1.0,
    };
    Some(coverage > COVERAGE && variant.share < SHARE)
}

/// The largest vocabulary whose embedding and head are less than the share that the rule allows of
/// a model with as many parameters in all, and as wide, as a variant.
pub(crate) fn largest(variant: &VariantRow) -> u64 {
    let matrices = if variant.params.head > 0 { 2 } else { 1 };
    let row = matrices * variant.width;
    if row == 0 {
        return 0;
    }
    let room = variant.params.total as f64 * SHARE / row as f64;
    // A share of exactly the limit is not less.
    (room.ceil() as u64).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Params;

    fn variant(vocabulary: u64, depth: u64) -> VariantRow {
        let (width, ffn) = (1792, 4864);
        let layer = 4 * width * width + 3 * width * ffn + 2 * width;
        let embedding = vocabulary * width;
        let total = 2 * embedding + depth * layer + width;
        VariantRow {
            vocabulary,
            width,
            params: Params {
                total,
                embedding,
                head: embedding,
                non_embedding: total - 2 * embedding,
            },
            share: 2.0 * embedding as f64 / total as f64,
            ..VariantRow::default()
        }
    }

    /// Of the six vocabularies of the paper's Table 1, 32k and 48k keep the rule.
    #[test]
    fn the_rule_on_table_1() {
        let rows = [
            (8_000, 24, 0.7868, false),
            (16_000, 23, 0.8724, false),
            (32_000, 22, 0.9449, true),
            (48_000, 20, 0.9786, true),
            (72_000, 18, 0.9984, false),
            (100_883, 15, 1.0, false),
        ];
        for (vocabulary, depth, coverage, expected) in rows {
            let tokenizer = TokenizerRow {
                larger: (vocabulary < 100_883).then(|| "whole".to_owned()),
                coverage: Some(coverage),
                ..TokenizerRow::default()
            };
            let variant = variant(vocabulary, depth);
            assert_eq!(holds(&variant, &tokenizer), Some(expected), "{vocabulary}");
            assert_eq!(vocabulary <= largest(&variant), variant.share < SHARE, "{vocabulary}");
        }
        // 20% of 952.0 M parameters are 53,124.1 rows of 3,584.
        assert_eq!(largest(&variant(48_000, 20)), 53_124);
    }

    #[test]
    fn what_is_not_known() {
        let tokenizer =
            TokenizerRow { larger: Some("whole".to_owned()), ..TokenizerRow::default() };
        assert_eq!(holds(&variant(8_000, 24), &tokenizer), None);
        assert_eq!(largest(&VariantRow::default()), 0);
    }
}
