//! Peak memory of training, estimated.

use serde::{Deserialize, Serialize};

use crate::Shape;

/// Bytes that a training needs at its peak, by what holds them. An estimate: allocators
/// round up, and kernels differ in what they keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryEstimate {
    /// Weights, gradients and both AdamW moments, four bytes each.
    pub state: u64,
    /// What the backward pass needs of the forward pass.
    pub activations: u64,
    /// The block of logits that the fused head and loss work on, gradient included: all logits of
    /// a batch would be the largest part of a small model with a large vocabulary.
    pub logits: u64,
    /// The sum.
    pub total: u64,
}

/// Bytes of logits that the fused head projection and cross-entropy hold at a time.
const LOGITS_BLOCK: u64 = 8 << 20;

/// What is kept of a forward pass for the backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Everything that it needs.
    Activations,
    /// The input of every block; the rest of one block at a time is computed again.
    Inputs,
}

/// Memory of training on `sequences` sequences of `context` tokens at a time in f32.
///
/// Per token and layer the kept values are: the two norm inputs and outputs (4 d), q and the
/// attention output (2 d), k and v (2 d_kv), gate, up and their product (3 I) and the
/// residual sums (2 d). Where they are computed again, the residual sums alone stay, and the others
/// are those of one layer.
pub fn training_memory(
    shape: &Shape,
    sequences: usize,
    context: usize,
    kept: Kept,
) -> MemoryEstimate {
    const F32: u64 = 4;
    let tokens = (sequences * context) as u64;
    let (d, kv, ffn) = (shape.width as u64, shape.kv_width() as u64, shape.ffn as u64);
    let state = 4 * F32 * shape.parameters().total;
    // Blocks with additions keep their normed inputs and the gated product besides.
    let pi = &shape.pi;
    let added = if pi.series() > 0 { d + ffn } else { 0 }
        + if pi.shortcut > 0 { 2 * d + 2 * pi.shortcut as u64 } else { 0 };
    let (inside, depth) = (6 * d + 2 * kv + 3 * ffn + added, shape.depth as u64);
    let at_a_time = match kept {
        Kept::Activations => depth,
        Kept::Inputs => 1,
    };
    let activations = F32 * tokens * (at_a_time * inside + depth * 2 * d + 2 * d);
    let logits = (F32 * tokens * shape.vocabulary as u64).min(LOGITS_BLOCK);
    MemoryEstimate { state, activations, logits, total: state + activations + logits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_grow_with_their_causes() {
        let shape = Shape {
            vocabulary: 48_000,
            depth: 4,
            width: 128,
            heads: 4,
            kv_heads: 4,
            ffn: 512,
            tied: false,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        let memory =
            |sequences, context| training_memory(&shape, sequences, context, Kept::Activations);
        let estimate = memory(8, 256);
        assert_eq!(estimate.state, 16 * shape.parameters().total);
        assert_eq!(estimate.total, estimate.state + estimate.activations + estimate.logits);
        let twice = memory(16, 256);
        assert_eq!(twice.activations, 2 * estimate.activations);
        // The head's logits never exist all at once.
        assert_eq!(twice.logits, estimate.logits);
        assert_eq!(memory(1, 1).logits, 4 * 48_000);
        // Computed again, three of four layers lose what is inside their blocks.
        let again = training_memory(&shape, 8, 256, Kept::Inputs);
        let inside = 4 * 8 * 256 * (8 * 128 + 3 * 512);
        assert_eq!(estimate.activations - again.activations, 3 * inside);
    }
}
