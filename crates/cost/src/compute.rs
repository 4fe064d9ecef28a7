//! Floating-point operations of training and generation.

use serde::{Deserialize, Serialize};

use crate::Shape;

/// Operations for one token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlopCount {
    /// The forward pass.
    pub forward: f64,
    /// Forward and backward: three times the forward pass (Kaplan et al. 2020, 2.1).
    pub training: f64,
}

/// Operations for one token of a sequence of `context` tokens, counting a multiplication
/// and an addition as two. Matrix products cost 2 per weight (the embedding is a lookup
/// and costs nothing, the head is a product whether tied or not); attention costs
/// 2 · 2 · d_q · t for a query that sees t keys (d_q: channels of all query heads), and a causal mask
/// makes the mean t (context + 1) / 2.
pub fn flops_per_token(shape: &Shape, context: usize) -> FlopCount {
    let d = shape.width as f64;
    let products = shape.depth as f64 * shape.layer_products() as f64 + shape.vocabulary as f64 * d;
    let attention =
        shape.depth as f64 * 2.0 * shape.query_width() as f64 * (context as f64 + 1.0) / 2.0;
    let forward = 2.0 * (products + attention);
    FlopCount { forward, training: 3.0 * forward }
}

/// Operations of generating `new` tokens after a prompt with a key-value cache: every
/// token is computed once and sees all that came before.
pub fn generation_flops(shape: &Shape, prompt: usize, new: usize) -> f64 {
    flops_per_token(shape, prompt + new).forward * (prompt + new) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_sum_over_single_products() {
        let shape = Shape {
            vocabulary: 300,
            depth: 3,
            width: 64,
            heads: 4,
            kv_heads: 2,
            ffn: 96,
            tied: true,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        let context = 7;
        let mut total = 0.0;
        for t in 0..context {
            for _ in 0..shape.depth {
                for (rows, columns) in
                    [(64, 64), (64, 32), (64, 32), (64, 64), (64, 96), (64, 96), (96, 64)]
                {
                    total += 2.0 * (rows * columns) as f64;
                }
                // Scores and weighted values over the keys seen so far.
                total += 2.0 * 2.0 * 64.0 * (t + 1) as f64;
            }
            total += 2.0 * (300 * 64) as f64;
        }
        let got = flops_per_token(&shape, context).forward * context as f64;
        assert!((got - total).abs() < 1e-6 * total, "{got} {total}");
    }

    #[test]
    fn close_to_six_n_for_large_models() {
        let shape = Shape {
            vocabulary: 48_000,
            depth: 20,
            width: 1792,
            heads: 14,
            kv_heads: 14,
            ffn: 4864,
            tied: false,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        let six_n = 6.0 * (shape.parameters().total - shape.parameters().embedding) as f64;
        let ratio = flops_per_token(&shape, 2048).training / six_n;
        assert!((1.0..1.15).contains(&ratio), "{ratio}");
    }
}
