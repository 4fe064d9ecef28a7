//! The kernels as operations of burn's backends: shapes checked, results wrapped. The recording for
//! the backward pass is in `autodiff`.

// What the macro below writes names libtorch's backend.
#![cfg_attr(feature = "tch", allow(deprecated))]

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Flex, backend_extension};

use crate::host::{HostTensor, changed, contiguous, dims, floats, indices, tensor, with_last};
use crate::kernel::adamw::{self, AdamWFactors};
use crate::kernel::{attention, embedding, head, linear, loss, norm, rotary, siaf, swiglu};
use crate::layer;
#[cfg(feature = "tch")]
use crate::tch::{LibTorch, TchTensor};

/// Operations with a kernel. Shapes are those of the public functions; floats are f32.
#[cfg_attr(not(feature = "tch"), backend_extension(Flex, Autodiff))]
#[cfg_attr(feature = "tch", backend_extension(Flex, LibTorch, Autodiff))]
pub(crate) trait Kernels: Backend {
    fn fused_rms_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self>;

    fn fused_swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self>;

    fn fused_siaf(
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        past: usize,
    ) -> FloatTensor<Self>;

    #[allow(clippy::too_many_arguments)]
    fn fused_self_attention(
        x: FloatTensor<Self>,
        norm: FloatTensor<Self>,
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        output: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: [usize; 2],
        eps: f64,
    ) -> FloatTensor<Self>;

    fn fused_feed_forward(
        x: FloatTensor<Self>,
        norm: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
        down: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self>;

    fn fused_linear(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;

    fn fused_embedding(table: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self>;

    fn fused_cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_token_losses(logits: FloatTensor<Self>, targets: IntTensor<Self>)
    -> FloatTensor<Self>;

    fn fused_head_cross_entropy(
        hidden: FloatTensor<Self>,
        head: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        factors: AdamWFactors,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// The kernels on a backend whose tensors lie in ordinary memory.
macro_rules! kernels {
    ($backend:ty, $tensor:ty) => {
        impl Kernels for $backend {
            fn fused_rms_norm(x: $tensor, weight: $tensor, eps: f64) -> $tensor {
                rms_norm(&contiguous(x), &contiguous(weight), eps).0
            }

            fn fused_swiglu(gate: $tensor, up: $tensor) -> $tensor {
                swiglu(&contiguous(gate), &contiguous(up))
            }

            fn fused_siaf(gate: $tensor, up: $tensor, scale: $tensor, bias: $tensor) -> $tensor {
                siaf([gate, up, scale, bias].map(contiguous).each_ref())
            }

            fn fused_rotate(x: $tensor, cos: $tensor, sin: $tensor) -> $tensor {
                rotate(&contiguous(x), &contiguous(cos), &contiguous(sin), false)
            }

            fn fused_attention(q: $tensor, k: $tensor, v: $tensor, past: usize) -> $tensor {
                attention(&contiguous(q), &contiguous(k), &contiguous(v), past).0
            }

            fn fused_self_attention(
                x: $tensor,
                norm: $tensor,
                query: $tensor,
                key: $tensor,
                value: $tensor,
                output: $tensor,
                cos: $tensor,
                sin: $tensor,
                heads: [usize; 2],
                eps: f64,
            ) -> $tensor {
                let weights = [norm, query, key, value, output].map(contiguous);
                let angles = [cos, sin].map(contiguous);
                layer::Attention { weights, angles, heads, eps }.forward(contiguous(x)).0
            }

            fn fused_feed_forward(
                x: $tensor,
                norm: $tensor,
                gate: $tensor,
                up: $tensor,
                down: $tensor,
                eps: f64,
            ) -> $tensor {
                let weights = [norm, gate, up, down].map(contiguous);
                layer::FeedForward { weights, eps }.forward(contiguous(x), false).0
            }

            fn fused_linear(x: $tensor, weight: $tensor) -> $tensor {
                linear(&contiguous(x), &contiguous(weight))
            }

            fn fused_embedding(table: $tensor, ids: $tensor) -> $tensor {
                embed(&contiguous(table), &ids).0
            }

            fn fused_cross_entropy(logits: $tensor, targets: $tensor) -> $tensor {
                mean_loss(&contiguous(logits), &targets)
            }

            fn fused_token_losses(logits: $tensor, targets: $tensor) -> $tensor {
                token_losses(&contiguous(logits), &targets)
            }

            fn fused_head_cross_entropy(
                hidden: $tensor,
                head: $tensor,
                targets: $tensor,
            ) -> $tensor {
                let wanted = head::Wanted { hidden: false, head: false };
                head_loss(&contiguous(hidden), &contiguous(head), &targets, wanted).loss
            }

            fn fused_adamw(
                parameter: $tensor,
                gradient: $tensor,
                first: $tensor,
                second: $tensor,
                factors: AdamWFactors,
            ) -> ($tensor, $tensor, $tensor) {
                adamw(parameter, &contiguous(gradient), [first, second], factors)
            }
        }
    };
}

kernels!(Flex, FlexTensor);
#[cfg(feature = "tch")]
kernels!(LibTorch, TchTensor);

// The functions below take contiguous tensors.

/// The normalised `x` and the inverse root mean square of each row.
pub(crate) fn rms_norm<T: HostTensor>(x: &T, weight: &T, eps: f64) -> (T, T) {
    let [d] = dims(weight, "the weight of rms_norm");
    let shape = x.shape();
    assert_eq!(shape.as_slice().last(), Some(&d), "rms_norm: x {shape:?}, weight [{d}]");
    let [out, inverse] = norm::forward(floats(x), floats(weight), eps);
    let rows = inverse.len();
    (tensor(out, shape), tensor(inverse, [rows]))
}

pub(crate) fn swiglu<T: HostTensor>(gate: &T, up: &T) -> T {
    let shape = gate.shape();
    assert_eq!(shape, up.shape(), "swiglu: gate and up must have one shape");
    tensor(swiglu::forward(floats(gate), floats(up)), shape)
}

/// Scales and biases of a series of activations, checked against what they are for.
pub(crate) fn series<'a, T: HostTensor>([gate, up, scale, bias]: [&'a T; 4]) -> siaf::Series<'a> {
    let shape = gate.shape();
    assert_eq!(shape, up.shape(), "siaf: gate and up must have one shape");
    let size @ [_, ffn] = dims(scale, "the scales of siaf");
    assert_eq!(size, dims(bias, "the biases of siaf"), "siaf: scales and biases");
    assert_eq!(shape.as_slice().last(), Some(&ffn), "siaf: gate {shape:?}, scales {size:?}");
    siaf::Series { scale: floats(scale), bias: floats(bias), ffn }
}

pub(crate) fn siaf<T: HostTensor>(inputs: [&T; 4]) -> T {
    let [gate, up, ..] = inputs;
    tensor(siaf::forward(floats(gate), floats(up), series(inputs)), gate.shape())
}

pub(crate) fn rotate<T: HostTensor>(x: &T, cos: &T, sin: &T, back: bool) -> T {
    let shape @ [_, time, heads, width] = dims(x, "x of rotate");
    let [rows, half] = dims(cos, "the table of rotate");
    assert_eq!([rows, 2 * half], [time, width], "rotate: x {shape:?}, angles [{rows}, {half}]");
    assert_eq!(dims(sin, "the table of rotate"), [rows, half]);
    tensor(rotary::rotate(floats(x), floats(cos), floats(sin), heads, half, back), shape)
}

/// The shapes of an attention call, checked against each other.
pub(crate) fn attention_shape<T: HostTensor>(q: &T, k: &T, v: &T, past: usize) -> attention::Shape {
    let [batch, time, heads, width] = dims(q, "q");
    let key_dims @ [_, rows, kv_heads, _] = dims(k, "k");
    assert_eq!(key_dims, [batch, rows, kv_heads, width], "k does not fit q");
    assert!(past + time <= rows, "{past} and {time} keys are more than the {rows} of k");
    assert_eq!(key_dims, dims(v, "v"), "k and v must have one shape");
    assert!(
        kv_heads > 0 && heads.is_multiple_of(kv_heads),
        "{heads} query heads cannot share {kv_heads} key heads evenly"
    );
    attention::Shape { batch, time, past, heads, kv_heads, width }
}

/// Queries, keys and values in tensors of their own.
pub(crate) fn attention_heads<'a, T: HostTensor>(
    [q, k, v]: [&'a T; 3],
) -> [attention::Heads<'a>; 3] {
    [q, k, v].map(|data| {
        let [_, rows, heads, width] = dims(data, "q, k and v");
        attention::Heads::alone(floats(data), [rows, heads, width])
    })
}

/// The output and the log-sum-exp of each query.
pub(crate) fn attention<T: HostTensor>(q: &T, k: &T, v: &T, past: usize) -> (T, T) {
    let shape = attention_shape(q, k, v, past);
    let [q, k, v] = attention_heads([q, k, v]);
    let [out, lse] = attention::forward(q, k, v, shape);
    (
        tensor(out, [shape.batch, shape.time, shape.heads, shape.width]),
        tensor(lse, [shape.batch, shape.heads, shape.time]),
    )
}

/// Rows, `d_in` and `d_out` of a linear layer.
pub(crate) fn linear_dims<T: HostTensor>(x: &T, weight: &T) -> [usize; 3] {
    let [d_in, d_out] = dims(weight, "the weight of linear");
    let shape = x.shape();
    assert_eq!(
        shape.as_slice().last(),
        Some(&d_in),
        "linear: x {shape:?}, weight [{d_in}, {d_out}]"
    );
    [shape.num_elements() / d_in, d_in, d_out]
}

pub(crate) fn linear<T: HostTensor>(x: &T, weight: &T) -> T {
    let size = linear_dims(x, weight);
    tensor(linear::forward(floats(x), floats(weight), size), with_last(x, size[2]))
}

/// The rows of the table, and the ids as read.
pub(crate) fn embed<T: HostTensor>(table: &T, ids: &T) -> (T, Vec<usize>) {
    let [vocabulary, d] = dims(table, "the table of embedding");
    let [batch, time] = dims(ids, "the ids of embedding");
    let ids = indices(ids, vocabulary);
    (tensor(embedding::forward(floats(table), &ids, d), [batch, time, d]), ids)
}

/// Targets fitting `n` rows over `vocabulary` columns.
fn targets_of<T: HostTensor>(targets: &T, [n, vocabulary]: [usize; 2]) -> Vec<usize> {
    let [count] = dims(targets, "the targets");
    assert_eq!(count, n, "there must be one target for each row");
    indices(targets, vocabulary)
}

pub(crate) fn token_losses<T: HostTensor>(logits: &T, targets: &T) -> T {
    let size @ [n, vocabulary] = dims(logits, "logits");
    let targets = targets_of(targets, size);
    tensor(loss::token_losses(floats(logits), &targets, vocabulary), [n])
}

pub(crate) fn mean_loss<T: HostTensor>(logits: &T, targets: &T) -> T {
    tensor(vec![loss::mean(floats(&token_losses(logits, targets)))], [1])
}

/// The losses of all rows, and the logits overwritten with the gradient of `weight` times their
/// sum.
pub(crate) fn losses_and_gradient<T: HostTensor>(logits: T, targets: &T, weight: f32) -> (T, T) {
    let size @ [n, vocabulary] = dims(&logits, "logits");
    let targets = targets_of(targets, size);
    let mut losses = Vec::new();
    let gradient = changed(logits, |logits| {
        losses = loss::losses_into_gradient(logits, &targets, vocabulary, weight);
    });
    (tensor(losses, [n]), gradient)
}

/// The mean loss and the wanted gradients of `hidden x head`.
pub(crate) struct HeadLoss<T> {
    pub(crate) loss: T,
    pub(crate) gradients: [Option<T>; 2],
}

pub(crate) fn head_loss<T: HostTensor>(
    hidden: &T,
    head: &T,
    targets: &T,
    wanted: head::Wanted,
) -> HeadLoss<T> {
    let [n, d] = dims(hidden, "hidden");
    let [d_in, vocabulary] = dims(head, "head");
    assert_eq!(d, d_in, "hidden [{n}, {d}] does not fit head [{d_in}, {vocabulary}]");
    let targets = targets_of(targets, [n, vocabulary]);
    let (hidden, head) = (floats(hidden), floats(head));
    let result = head::loss(hidden, head, &targets, [d, vocabulary], wanted);
    HeadLoss {
        loss: tensor(vec![result.loss], [1]),
        gradients: [
            result.d_hidden.map(|values| tensor(values, [n, d])),
            result.d_head.map(|values| tensor(values, [d, vocabulary])),
        ],
    }
}

/// The parameter and its moments, advanced.
pub(crate) fn adamw<T: HostTensor>(
    parameter: T,
    gradient: &T,
    [first, second]: [T; 2],
    factors: AdamWFactors,
) -> (T, T, T) {
    let shapes = [&parameter, &first, &second].map(|tensor| tensor.shape());
    assert!(shapes.iter().all(|shape| *shape == gradient.shape()), "adamw: {shapes:?}");
    let gradient = floats(gradient);
    let mut moments = None;
    let parameter = changed(parameter, |p| {
        let mut advanced = None;
        let first = changed(first, |m| {
            advanced = Some(changed(second, |v| adamw::advance(p, gradient, m, v, factors)));
        });
        moments = advanced.map(|second| (first, second));
    });
    let (first, second) = moments.expect("changed calls its argument");
    (parameter, first, second)
}
