//! The operations composed from burn's own, for any backend. They are what the fused kernels are
//! tested against, and what runs where there is no kernel. With [`Precision::Bf16`] products are
//! computed on tensors of bf16, as PyTorch's autocast does: their results are rounded as well.

use burn::tensor::activation::{log_softmax, silu, softmax};
use burn::tensor::{Bool, FloatDType, Int, Tensor};

use crate::{AdamWFactors, AttentionWeights, FeedForwardWeights, Precision, RotaryTable};

/// A product of matrices in the precision of the calling thread.
fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    match Precision::current() {
        Precision::F32 => a.matmul(b),
        Precision::Bf16 => {
            let rounded = a.cast(FloatDType::BF16).matmul(b.cast(FloatDType::BF16));
            rounded.cast(FloatDType::F32)
        }
    }
}

/// RMSNorm (Zhang and Sennrich 2019, arXiv:1910.07467): `x / sqrt(mean(x^2) + eps) * weight`.
///
/// `x` is `[.., d]`, normalised over its last axis; `weight` is `[d]`.
pub fn rms_norm<const D: usize>(x: Tensor<D>, weight: Tensor<1>, eps: f64) -> Tensor<D> {
    let rms = (x.clone() * x.clone()).mean_dim(D - 1).add_scalar(eps).sqrt();
    x / rms * weight.unsqueeze()
}

/// The gate of SwiGLU (Shazeer 2020, arXiv:2002.05202): `silu(gate) * up`, elementwise.
pub fn swiglu<const D: usize>(gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
    silu(gate) * up
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
    let [n, ffn] = scale.dims();
    let row = |series: &Tensor<2>, index: usize| {
        series.clone().narrow(0, index, 1).reshape([ffn]).unsqueeze::<D>()
    };
    let term = |index| silu(gate.clone() * row(&scale, index) + row(&bias, index));
    (1..n).fold(term(0), |sum, index| sum + term(index)) * up
}

/// Rotates `x` (`[batch, time, heads, head_dim]`) at the positions `offset..offset + time`.
///
/// # Panics
/// If `offset + time` exceeds the table's context.
pub fn rotate(x: Tensor<4>, table: &RotaryTable, offset: usize) -> Tensor<4> {
    let [_, time, _, head_dim] = x.dims();
    let half = head_dim / 2;
    let (cos, sin) = table.rows(offset, time);
    let cos = cos.reshape([1, time, 1, half]);
    let sin = sin.reshape([1, time, 1, half]);
    let first = x.clone().narrow(3, 0, half);
    let second = x.narrow(3, half, half);
    Tensor::cat(
        vec![
            first.clone() * cos.clone() - second.clone() * sin.clone(),
            second * cos + first * sin,
        ],
        3,
    )
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
    let [_, time, heads, head_dim] = q.dims();
    let keys = past + time;
    let (k, v) = (k.narrow(1, 0, keys), v.narrow(1, 0, keys));
    let device = q.device();
    let q = q.swap_dims(1, 2);
    let k = repeat_heads(k.swap_dims(1, 2), heads);
    let v = repeat_heads(v.swap_dims(1, 2), heads);
    let scores = product(q, k.swap_dims(2, 3)).div_scalar((head_dim as f64).sqrt());
    let hidden = Tensor::<2, Bool>::tril_mask([time, keys], past as i64, &device);
    let scores = scores.mask_fill(hidden.unsqueeze(), f32::NEG_INFINITY);
    product(softmax(scores, 3), v).swap_dims(1, 2)
}

/// `[batch, kv_heads, time, head_dim]` to `[batch, heads, time, head_dim]`.
fn repeat_heads(x: Tensor<4>, heads: usize) -> Tensor<4> {
    let [batch, kv_heads, time, head_dim] = x.dims();
    if heads == kv_heads {
        return x;
    }
    x.unsqueeze_dim::<5>(2)
        .expand([batch, kv_heads, heads / kv_heads, time, head_dim])
        .reshape([batch, heads, time, head_dim])
}

/// Mean cross-entropy in nats of `logits` (`[n, vocabulary]`) against `targets` (`[n]`): `[1]`.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    token_losses(logits, targets).mean()
}

/// Negative log-likelihood in nats of each target: `[n]`.
pub fn token_losses(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, targets.unsqueeze_dim(1)).squeeze_dim::<1>(1).neg()
}

/// Mean cross-entropy in nats of `hidden x head` (`[n, d]` times `[d, vocabulary]`) against
/// `targets` (`[n]`): `[1]`.
pub fn head_cross_entropy(
    hidden: Tensor<2>,
    head: Tensor<2>,
    targets: Tensor<1, Int>,
) -> Tensor<1> {
    cross_entropy(product(hidden, head), targets)
}

/// `x` (`[.., d_in]`) times `weight` (`[d_in, d_out]`), as one product of two matrices.
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>) -> Tensor<D> {
    let mut dims = x.dims();
    let [d_in, d_out] = weight.dims();
    let rows = dims[..D - 1].iter().product::<usize>();
    dims[D - 1] = d_out;
    product(x.reshape([rows, d_in]), weight).reshape(dims)
}

/// An attention block on the residual stream `x` (`[batch, time, d]`), at the positions from 0 on:
/// `x + attention(n Q, n K, n V) O` with `n = rms_norm(x)`.
pub fn self_attention(x: Tensor<3>, weights: AttentionWeights, table: &RotaryTable) -> Tensor<3> {
    let AttentionWeights { norm, query, key, value, output, heads, kv_heads, norm_eps } = weights;
    let [batch, time, _] = x.dims();
    let normed = rms_norm(x.clone(), norm, norm_eps);
    let split = |matrix: Tensor<2>, heads: usize| {
        let head_dim = matrix.dims()[1] / heads;
        linear(normed.clone(), matrix).reshape([batch, time, heads, head_dim])
    };
    let q = rotate(split(query, heads), table, 0);
    let k = rotate(split(key, kv_heads), table, 0);
    let mixed = causal_attention(q, k, split(value, kv_heads));
    let [_, _, heads, head_dim] = mixed.dims();
    x + linear(mixed.reshape([batch, time, heads * head_dim]), output)
}

/// A feed-forward block on the residual stream `x` (`[batch, time, d]`):
/// `x + swiglu(n G, n U) D` with `n = rms_norm(x)`.
pub fn feed_forward(x: Tensor<3>, weights: FeedForwardWeights) -> Tensor<3> {
    let FeedForwardWeights { norm, gate, up, down, norm_eps } = weights;
    let normed = rms_norm(x.clone(), norm, norm_eps);
    let gated = swiglu(linear(normed.clone(), gate), linear(normed, up));
    x + linear(gated, down)
}

/// Rows of `table` (`[vocabulary, d]`) picked by `ids` (`[batch, time]`): `[batch, time, d]`.
pub fn embedding(table: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    burn::tensor::module::embedding(table, ids)
}

/// The sum of the squares of all elements.
pub fn squared_norm<const D: usize>(x: Tensor<D>) -> f64 {
    let x = x.inner();
    f64::from((x.clone() * x).sum().into_scalar::<f32>())
}

/// AdamW's update (Loshchilov and Hutter 2019, arXiv:1711.05101) of a parameter and of the moments of
/// its gradient, all of one shape: `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`,
/// `p = keep p - rate m / (sqrt(v) / root + eps)`, with `g` the gradient times `scale`. Returns the
/// parameter and the moments.
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    [first, second]: [Tensor<D>; 2],
    factors: AdamWFactors,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let AdamWFactors { beta, scale, keep, rate, root, epsilon } = factors;
    let gradient = gradient.mul_scalar(scale);
    let square = gradient.clone() * gradient.clone();
    let first = first.mul_scalar(beta[0]) + gradient.mul_scalar(1.0 - beta[0]);
    let second = second.mul_scalar(beta[1]) + square.mul_scalar(1.0 - beta[1]);
    let divisor = second.clone().sqrt().div_scalar(root).add_scalar(epsilon);
    let change = (first.clone() / divisor).mul_scalar(rate);
    (parameter.mul_scalar(keep) - change, [first, second])
}
