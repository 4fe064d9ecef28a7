//! The public operations: a kernel where there is one, the plain twin elsewhere.

use burn::backend::{Dispatch, DispatchDevice, Flex};
use burn::tensor::{DType, Int, Tensor};

use crate::extension::Kernels;
use crate::host::{contiguous, floats};
use crate::kernel::squares;
use crate::{AdamWFactors, AttentionWeights, FeedForwardWeights, RotaryTable, plain};

/// Whether the kernels can take this tensor: f32 in ordinary memory, with or without autodiff, and
/// not empty.
fn fits<const D: usize>(x: &Tensor<D>) -> bool {
    let device = x.device();
    let host = match device.as_dispatch() {
        DispatchDevice::Autodiff(device) => lies_in_memory(device),
        device => lies_in_memory(device),
    };
    host && x.dtype() == DType::F32 && x.dims().iter().all(|&size| size > 0)
}

fn lies_in_memory(device: &DispatchDevice) -> bool {
    match device {
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "tch")]
        DispatchDevice::LibTorch(device) => crate::tch::lies_in_memory(device),
        #[allow(unreachable_patterns)]
        _ => false,
    }
}

/// RMSNorm (Zhang and Sennrich 2019, arXiv:1910.07467): `x / sqrt(mean(x^2) + eps) * weight`.
///
/// `x` is `[.., d]`, normalised over its last axis; `weight` is `[d]`.
pub fn rms_norm<const D: usize>(x: Tensor<D>, weight: Tensor<1>, eps: f64) -> Tensor<D> {
    if !(fits(&x) && fits(&weight)) {
        return plain::rms_norm(x, weight, eps);
    }
    Tensor::from_dispatch(Dispatch::fused_rms_norm(x.into_dispatch(), weight.into_dispatch(), eps))
}

/// The gate of SwiGLU (Shazeer 2020, arXiv:2002.05202): `silu(gate) * up`, elementwise, of two
/// tensors of one shape.
pub fn swiglu<const D: usize>(gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
    if !(fits(&gate) && fits(&up)) {
        return plain::swiglu(gate, up);
    }
    Tensor::from_dispatch(Dispatch::fused_swiglu(gate.into_dispatch(), up.into_dispatch()))
}

/// The gate of a series informed activation (Wang et al. 2023, PanGu-π, arXiv:2312.17276, eq. 7) in a
/// gated feed-forward block: `(silu(a_1 gate + b_1) + .. + silu(a_n gate + b_n)) up`.
///
/// `gate` and `up` are `[.., ffn]`, `scale` (the `a`) and `bias` (the `b`) are `[n, ffn]`.
pub fn siaf<const D: usize>(
    gate: Tensor<D>,
    up: Tensor<D>,
    scale: Tensor<2>,
    bias: Tensor<2>,
) -> Tensor<D> {
    if !(fits(&gate) && fits(&up) && fits(&scale) && fits(&bias)) {
        return plain::siaf(gate, up, scale, bias);
    }
    Tensor::from_dispatch(Dispatch::fused_siaf(
        gate.into_dispatch(),
        up.into_dispatch(),
        scale.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// Rotates `x` (`[batch, time, heads, head_dim]`) at the positions `offset..offset + time`.
///
/// # Panics
/// If `offset + time` exceeds the table's context.
pub fn rotate(x: Tensor<4>, table: &RotaryTable, offset: usize) -> Tensor<4> {
    if !(fits(&x) && fits(&table.cos)) {
        return plain::rotate(x, table, offset);
    }
    let (cos, sin) = table.rows(offset, x.dims()[1]);
    Tensor::from_dispatch(Dispatch::fused_rotate(
        x.into_dispatch(),
        cos.into_dispatch(),
        sin.into_dispatch(),
    ))
}

/// Causal attention with scale `1 / sqrt(head_dim)`: query `t` sees keys `0..=t`.
///
/// `q` is `[batch, time, heads, head_dim]`, `k` and `v` are `[batch, time, kv_heads, head_dim]` with
/// `heads` a multiple of `kv_heads`: query head `h` reads key head `h / (heads / kv_heads)`.
/// Returns `[batch, time, heads, head_dim]`.
pub fn causal_attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    cached_attention(q, k, v, 0)
}

/// Attention of `time` new queries to `past + time` keys: query `t` sees keys `0..=past + t`.
///
/// Shapes as in [`causal_attention`], except that `k` and `v` are
/// `[batch, rows, kv_heads, head_dim]` with at least `past + time` rows; a cache may have more.
pub fn cached_attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, past: usize) -> Tensor<4> {
    let keys = past + q.dims()[1];
    // Gradients are made for the keys alone.
    let (k, v) = if k.dims()[1] > keys && k.is_autodiff() {
        (k.narrow(1, 0, keys), v.narrow(1, 0, keys))
    } else {
        (k, v)
    };
    if !(fits(&q) && fits(&k) && fits(&v)) {
        return plain::cached_attention(q, k, v, past);
    }
    Tensor::from_dispatch(Dispatch::fused_attention(
        q.into_dispatch(),
        k.into_dispatch(),
        v.into_dispatch(),
        past,
    ))
}

/// Mean cross-entropy in nats of `logits` (`[n, vocabulary]`) against `targets` (`[n]`): `[1]`.
///
/// # Panics
/// If a target is not below `vocabulary`.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    if !fits(&logits) {
        return plain::cross_entropy(logits, targets);
    }
    Tensor::from_dispatch(Dispatch::fused_cross_entropy(
        logits.into_dispatch(),
        targets.into_dispatch(),
    ))
}

/// Negative log-likelihood in nats of each target: `[n]`.
///
/// # Panics
/// If a target is not below `vocabulary`.
pub fn token_losses(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    if !fits(&logits) {
        return plain::token_losses(logits, targets);
    }
    Tensor::from_dispatch(Dispatch::fused_token_losses(
        logits.into_dispatch(),
        targets.into_dispatch(),
    ))
}

/// Mean cross-entropy in nats of `hidden x head` (`[n, d]` times `[d, vocabulary]`) against
/// `targets` (`[n]`): `[1]`. The kernel computes logits in blocks of rows and keeps none; where a
/// backward pass may follow, it computes the gradients on the way.
///
/// # Panics
/// If a target is not below `vocabulary`.
pub fn head_cross_entropy(
    hidden: Tensor<2>,
    head: Tensor<2>,
    targets: Tensor<1, Int>,
) -> Tensor<1> {
    if !(fits(&hidden) && fits(&head)) {
        return plain::head_cross_entropy(hidden, head, targets);
    }
    Tensor::from_dispatch(Dispatch::fused_head_cross_entropy(
        hidden.into_dispatch(),
        head.into_dispatch(),
        targets.into_dispatch(),
    ))
}

/// `x` (`[.., d_in]`) times `weight` (`[d_in, d_out]`), as one product of two matrices.
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>) -> Tensor<D> {
    if !(fits(&x) && fits(&weight)) {
        return plain::linear(x, weight);
    }
    Tensor::from_dispatch(Dispatch::fused_linear(x.into_dispatch(), weight.into_dispatch()))
}

/// An attention block on the residual stream `x` (`[batch, time, d]`), at the positions from 0 on:
/// `x + attention(n Q, n K, n V) O` with `n = rms_norm(x)`, queries and keys turned by [`rotate`].
///
/// # Panics
/// If `time` exceeds the table's context.
pub fn self_attention(x: Tensor<3>, weights: AttentionWeights, table: &RotaryTable) -> Tensor<3> {
    let w = &weights;
    let matrices = [&w.query, &w.key, &w.value, &w.output];
    if !(fits(&x) && fits(&w.norm) && matrices.into_iter().all(fits) && fits(&table.cos)) {
        return plain::self_attention(x, weights, table);
    }
    let (cos, sin) = table.rows(0, x.dims()[1]);
    Tensor::from_dispatch(Dispatch::fused_self_attention(
        x.into_dispatch(),
        weights.norm.into_dispatch(),
        weights.query.into_dispatch(),
        weights.key.into_dispatch(),
        weights.value.into_dispatch(),
        weights.output.into_dispatch(),
        cos.into_dispatch(),
        sin.into_dispatch(),
        [weights.heads, weights.kv_heads],
        weights.norm_eps,
    ))
}

/// A feed-forward block on the residual stream `x` (`[batch, time, d]`):
/// `x + swiglu(n G, n U) D` with `n = rms_norm(x)`.
pub fn feed_forward(x: Tensor<3>, weights: FeedForwardWeights) -> Tensor<3> {
    let w = &weights;
    if !(fits(&x) && fits(&w.norm) && [&w.gate, &w.up, &w.down].into_iter().all(fits)) {
        return plain::feed_forward(x, weights);
    }
    Tensor::from_dispatch(Dispatch::fused_feed_forward(
        x.into_dispatch(),
        weights.norm.into_dispatch(),
        weights.gate.into_dispatch(),
        weights.up.into_dispatch(),
        weights.down.into_dispatch(),
        weights.norm_eps,
    ))
}

/// Rows of `table` (`[vocabulary, d]`) picked by `ids` (`[batch, time]`): `[batch, time, d]`.
///
/// # Panics
/// If an id is not below `vocabulary`.
pub fn embedding(table: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    if !fits(&table) {
        return plain::embedding(table, ids);
    }
    Tensor::from_dispatch(Dispatch::fused_embedding(table.into_dispatch(), ids.into_dispatch()))
}

/// The sum of the squares of all elements, for the global norm of gradients.
///
/// flex's own `sum()` of 2^22 elements and more adds partial sums in whatever order threads finish:
/// it changes from run to run. This one does not.
pub fn squared_norm<const D: usize>(x: Tensor<D>) -> f64 {
    if !fits(&x) {
        return plain::squared_norm(x);
    }
    let inner = x.clone().inner();
    #[cfg(feature = "tch")]
    let inner = match inner.try_into_primitive::<crate::tch::LibTorch>() {
        Ok(tensor) => return squares::sum(floats(&contiguous(tensor))),
        Err(_) => x.clone().inner(),
    };
    match inner.try_into_primitive::<Flex>() {
        Ok(tensor) => squares::sum(floats(&contiguous(tensor))),
        Err(_) => plain::squared_norm(x),
    }
}

/// AdamW's update (Loshchilov and Hutter 2019, arXiv:1711.05101) of a parameter and of the moments of
/// its gradient, all of one shape and none recorded for a backward pass:
/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, `p = keep p - rate m / (sqrt(v) / root + eps)`,
/// with `g` the gradient times `scale`. Returns the parameter and the moments; the kernel writes
/// them where they were, if nobody else holds that memory.
///
/// # Panics
/// If the shapes differ.
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: [Tensor<D>; 2],
    factors: AdamWFactors,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    if !(fits(&parameter) && fits(&gradient) && moments.iter().all(fits)) {
        return plain::adamw(parameter, gradient, moments, factors);
    }
    let [first, second] = moments;
    let (parameter, first, second) = Dispatch::fused_adamw(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        factors,
    );
    let [parameter, first, second] = [parameter, first, second].map(Tensor::from_dispatch);
    (parameter, [first, second])
}
