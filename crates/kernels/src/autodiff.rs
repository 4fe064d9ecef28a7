//! The kernels recorded for burn's backward pass.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, TensorMetadata};

use crate::buffer::Shared;
use crate::extension::{self, Kernels};
use crate::host::{Host, HostTensor, changed, contiguous, dims, floats, tensor, with_last};
use crate::kernel::adamw::AdamWFactors;
use crate::kernel::{attention, embedding, head, linear, loss, norm, siaf, swiglu};
use crate::layer::{self, AttentionState, FeedForwardState};

type Recorded<B, C> = FloatTensor<Autodiff<B, C>>;
type Held<B> = <B as Host>::Tensor;

/// Runs `forward`, which returns the output and what the backward pass of `operation` needs, and
/// records it if any parent is tracked.
fn record<B: Host, K: Backward<B, N>, C: CheckpointStrategy, const N: usize>(
    operation: K,
    parents: [NodeGuard; N],
    forward: impl FnOnce() -> (Held<B>, K::State),
) -> Recorded<B, C> {
    let (out, state) = forward();
    match Backward::<B, _>::prepare::<C>(operation, parents).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The values, contiguous, and the nodes of recorded tensors.
fn parts<B: Host, C: CheckpointStrategy, const N: usize>(
    recorded: [Recorded<B, C>; N],
) -> ([Held<B>; N], [NodeGuard; N]) {
    let mut nodes = Vec::with_capacity(N);
    let tensors = recorded.map(|recorded| {
        let (tensor, node) = recorded.into_parts();
        nodes.push(node);
        contiguous(tensor)
    });
    let Ok(nodes) = nodes.try_into() else { unreachable!("one node each") };
    (tensors, nodes)
}

/// Defines one operation's backward pass: from its state, the output's gradient and whether each
/// parent wants one, to the gradients of the parents.
macro_rules! backward {
    ($name:ident, $parents:literal, $state:ty, |$saved:pat_param, $gradient:ident, $wanted:pat_param| $body:expr) => {
        #[derive(Debug)]
        struct $name;

        impl<B: Host> Backward<B, $parents> for $name {
            type State = $state;

            fn backward(
                self,
                ops: Ops<Self::State, $parents>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let $gradient = contiguous(grads.consume::<B>(&ops.node));
                let $wanted = ops.parents.each_ref().map(Option::is_some);
                let $saved = ops.state;
                let results: [Option<Held<B>>; $parents] = $body;
                for (parent, result) in ops.parents.into_iter().zip(results) {
                    if let (Some(parent), Some(result)) = (parent, result) {
                        grads.register::<B>(parent.id, result);
                    }
                }
            }
        }
    };
}

backward!(RmsNorm, 2, [Held<B>; 3], |[x, weight, inverse], gradient, _| {
    let [dx, dw] = norm::backward(floats(&gradient), floats(&x), floats(&weight), floats(&inverse));
    let d = dw.len();
    [Some(tensor(dx, x.shape())), Some(tensor(dw, [d]))]
});

backward!(Swiglu, 2, [Held<B>; 2], |[gate, up], gradient, _| {
    let shape = gate.shape();
    swiglu::backward(floats(&gradient), floats(&gate), floats(&up))
        .map(|values| Some(tensor(values, shape.clone())))
});

backward!(Siaf, 4, [Held<B>; 4], |[gate, up, scale, bias], gradient, _| {
    let series = extension::series([&gate, &up, &scale, &bias]);
    let result = siaf::backward(floats(&gradient), floats(&gate), floats(&up), series);
    let values = [result.gate, result.up, result.scale, result.bias];
    layer::shaped(values, [&gate, &up, &scale, &bias]).map(Some)
});

backward!(Rotate, 1, [Held<B>; 2], |[cos, sin], gradient, _| {
    [Some(extension::rotate(&gradient, &cos, &sin, true))]
});

backward!(Attention, 3, ([Held<B>; 4], usize), |([q, k, v, lse], past), gradient, _| {
    let shape = extension::attention_shape(&q, &k, &v, past);
    let [of_q, of_k, of_v] = extension::attention_heads([&q, &k, &v]);
    let saved = attention::Saved { q: of_q, k: of_k, v: of_v, lse: floats(&lse) };
    let mut gradients = [&q, &k, &v].map(|like| vec![0.0; floats(like).len()]);
    let mut heads = [shape.heads, shape.kv_heads, shape.kv_heads].into_iter();
    let places = gradients.each_mut().map(|data| {
        let heads = heads.next().expect("one number of heads each");
        attention::Place::alone(Shared::of(data), heads, shape.width)
    });
    let size = [shape.time, shape.heads, shape.width];
    let gradient = attention::Heads::alone(floats(&gradient), size);
    // SAFETY: each place has the size of its input.
    unsafe { attention::backward(gradient, saved, shape, places) };
    let mut like = [&q, &k, &v].into_iter();
    gradients.map(|values| {
        let like = like.next().expect("one input each");
        Some(tensor(values, like.shape()))
    })
});

backward!(SelfAttention, 6, AttentionState<Held<B>>, |state, gradient, _| {
    state.backward(&gradient).map(Some)
});

backward!(FeedForward, 5, FeedForwardState<Held<B>>, |state, gradient, _| {
    state.backward(&gradient).map(Some)
});

backward!(Linear, 2, [Held<B>; 2], |[x, weight], gradient, [for_x, for_weight]| {
    let size @ [_, d_in, d_out] = extension::linear_dims(&x, &weight);
    let dx = || linear::backward_x(floats(&gradient), floats(&weight), size);
    let dw = || linear::backward_weight(floats(&gradient), floats(&x), size);
    [
        for_x.then(|| tensor(dx(), with_last(&x, d_in))),
        for_weight.then(|| tensor(dw(), [d_in, d_out])),
    ]
});

backward!(Embedding, 1, (Vec<usize>, [usize; 2]), |(ids, [vocabulary, d]), gradient, _| {
    let values = embedding::backward(floats(&gradient), &ids, vocabulary, d);
    [Some(tensor(values, [vocabulary, d]))]
});

// The forward pass left the gradients of the mean loss: they only need its own gradient.
backward!(CrossEntropy, 1, Held<B>, |saved, gradient, _| {
    [Some(scaled(saved, floats(&gradient)[0]))]
});

backward!(HeadCrossEntropy, 2, [Option<Held<B>>; 2], |saved, gradient, _| {
    saved.map(|saved| saved.map(|saved| scaled(saved, floats(&gradient)[0])))
});

// As above, but each row has a gradient of its own.
backward!(TokenLosses, 1, Held<B>, |saved, gradient, _| {
    let [_, vocabulary] = dims(&saved, "logits");
    [Some(changed(saved, |rows| {
        for (row, gradient) in rows.chunks_exact_mut(vocabulary).zip(floats(&gradient)) {
            loss::scale(row, *gradient);
        }
    }))]
});

fn scaled<T: HostTensor>(saved: T, factor: f32) -> T {
    if factor == 1.0 { saved } else { changed(saved, |values| loss::scale(values, factor)) }
}

impl<B: Host + Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn fused_rms_norm(x: Recorded<B, C>, weight: Recorded<B, C>, eps: f64) -> Recorded<B, C> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let (x, weight) = (contiguous(x), contiguous(weight));
        record::<B, _, C, 2>(RmsNorm, [x_node, weight_node], || {
            let (out, inverse) = extension::rms_norm(&x, &weight, eps);
            (out, [x, weight, inverse])
        })
    }

    fn fused_swiglu(gate: Recorded<B, C>, up: Recorded<B, C>) -> Recorded<B, C> {
        let ((gate, gate_node), (up, up_node)) = (gate.into_parts(), up.into_parts());
        let (gate, up) = (contiguous(gate), contiguous(up));
        record::<B, _, C, 2>(Swiglu, [gate_node, up_node], || {
            (extension::swiglu(&gate, &up), [gate, up])
        })
    }

    fn fused_siaf(
        gate: Recorded<B, C>,
        up: Recorded<B, C>,
        scale: Recorded<B, C>,
        bias: Recorded<B, C>,
    ) -> Recorded<B, C> {
        let (inputs, nodes) = parts::<B, C, 4>([gate, up, scale, bias]);
        record::<B, _, C, 4>(Siaf, nodes, || (extension::siaf(inputs.each_ref()), inputs))
    }

    fn fused_rotate(x: Recorded<B, C>, cos: Recorded<B, C>, sin: Recorded<B, C>) -> Recorded<B, C> {
        let (x, x_node) = x.into_parts();
        let (cos, sin) = (contiguous(cos.into_primitive()), contiguous(sin.into_primitive()));
        record::<B, _, C, 1>(Rotate, [x_node], || {
            (extension::rotate(&contiguous(x), &cos, &sin, false), [cos, sin])
        })
    }

    fn fused_attention(
        q: Recorded<B, C>,
        k: Recorded<B, C>,
        v: Recorded<B, C>,
        past: usize,
    ) -> Recorded<B, C> {
        let [(q, q_node), (k, k_node), (v, v_node)] = [q, k, v].map(|x| x.into_parts());
        let [q, k, v] = [q, k, v].map(contiguous);
        record::<B, _, C, 3>(Attention, [q_node, k_node, v_node], || {
            let (out, lse) = extension::attention(&q, &k, &v, past);
            (out, ([q, k, v, lse], past))
        })
    }

    fn fused_self_attention(
        x: Recorded<B, C>,
        norm: Recorded<B, C>,
        query: Recorded<B, C>,
        key: Recorded<B, C>,
        value: Recorded<B, C>,
        output: Recorded<B, C>,
        cos: Recorded<B, C>,
        sin: Recorded<B, C>,
        heads: [usize; 2],
        eps: f64,
    ) -> Recorded<B, C> {
        let angles = [cos, sin].map(|angles| contiguous(angles.into_primitive()));
        let (tensors, nodes) = parts::<B, C, 6>([x, norm, query, key, value, output]);
        record::<B, _, C, 6>(SelfAttention, nodes, || {
            let [x, weights @ ..] = tensors;
            layer::Attention { weights, angles, heads, eps }.forward(x)
        })
    }

    fn fused_feed_forward(
        x: Recorded<B, C>,
        norm: Recorded<B, C>,
        gate: Recorded<B, C>,
        up: Recorded<B, C>,
        down: Recorded<B, C>,
        eps: f64,
    ) -> Recorded<B, C> {
        let (tensors, nodes) = parts::<B, C, 5>([x, norm, gate, up, down]);
        let run = |keep: bool| {
            let [x, weights @ ..] = tensors;
            layer::FeedForward { weights, eps }.forward(x, keep)
        };
        match Backward::<B, _>::prepare::<C>(FeedForward, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (out, state) = run(true);
                prep.finish(state.expect("a state was asked for"), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(run(false).0),
        }
    }

    fn fused_linear(x: Recorded<B, C>, weight: Recorded<B, C>) -> Recorded<B, C> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let (x, weight) = (contiguous(x), contiguous(weight));
        record::<B, _, C, 2>(Linear, [x_node, weight_node], || {
            (extension::linear(&x, &weight), [x, weight])
        })
    }

    fn fused_embedding(table: Recorded<B, C>, ids: Held<B>) -> Recorded<B, C> {
        let (table, node) = table.into_parts();
        let size = dims(&table, "the table of embedding");
        record::<B, _, C, 1>(Embedding, [node], || {
            let (out, ids) = extension::embed(&contiguous(table), &ids);
            (out, (ids, size))
        })
    }

    fn fused_cross_entropy(logits: Recorded<B, C>, targets: Held<B>) -> Recorded<B, C> {
        let (logits, node) = logits.into_parts();
        match Backward::<B, _>::prepare::<C>(CrossEntropy, [node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let [n, _] = dims(&logits, "logits");
                let weight = 1.0 / n as f32;
                let (losses, gradient) = extension::losses_and_gradient(logits, &targets, weight);
                prep.finish(gradient, tensor(vec![loss::mean(floats(&losses))], [1]))
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(extension::mean_loss(&contiguous(logits), &targets))
            }
        }
    }

    fn fused_token_losses(logits: Recorded<B, C>, targets: Held<B>) -> Recorded<B, C> {
        let (logits, node) = logits.into_parts();
        match Backward::<B, _>::prepare::<C>(TokenLosses, [node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (losses, gradient) = extension::losses_and_gradient(logits, &targets, 1.0);
                prep.finish(gradient, losses)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(extension::token_losses(&contiguous(logits), &targets))
            }
        }
    }

    fn fused_head_cross_entropy(
        hidden: Recorded<B, C>,
        head: Recorded<B, C>,
        targets: Held<B>,
    ) -> Recorded<B, C> {
        let wanted = head::Wanted { hidden: hidden.is_tracked(), head: head.is_tracked() };
        let ((hidden, hidden_node), (head, head_node)) = (hidden.into_parts(), head.into_parts());
        record::<B, _, C, 2>(HeadCrossEntropy, [hidden_node, head_node], || {
            let (hidden, head) = (contiguous(hidden), contiguous(head));
            let result = extension::head_loss(&hidden, &head, &targets, wanted);
            (result.loss, result.gradients)
        })
    }

    fn fused_adamw(
        parameter: Recorded<B, C>,
        gradient: Recorded<B, C>,
        first: Recorded<B, C>,
        second: Recorded<B, C>,
        factors: AdamWFactors,
    ) -> (Recorded<B, C>, Recorded<B, C>, Recorded<B, C>) {
        let [p, g, m, v] = [parameter, gradient, first, second].map(|x| x.into_parts().0);
        let (p, m, v) = extension::adamw(p, &contiguous(g), [m, v], factors);
        // An update is nothing that a backward pass goes through.
        (Self::from_inner(p), Self::from_inner(m), Self::from_inner(v))
    }
}
