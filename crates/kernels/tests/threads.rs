//! Results are the same bits for any number of threads: the kernels', and what training relies on
//! in flex itself.

mod draw;

use ablate_kernels as fused;
use ablate_kernels::{AttentionWeights, FeedForwardWeights, RotaryTable};
use burn::tensor::{Int, Tensor};
use draw::{Draw, values};

/// Bits of everything `work` returns, on `threads` threads.
fn bits(threads: usize, work: impl Fn() -> Vec<Vec<f32>> + Send + Sync) -> Vec<Vec<u32>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let results = pool.install(work);
    results.into_iter().map(|values| values.into_iter().map(f32::to_bits).collect()).collect()
}

fn same_on_any_number_of_threads(work: impl Fn() -> Vec<Vec<f32>> + Send + Sync) {
    let alone = bits(1, &work);
    assert!(alone.iter().flatten().any(|&bits| bits != 0));
    for threads in [2, 3, 5] {
        assert!(bits(threads, &work) == alone, "{threads} threads");
    }
}

/// Two layers, one in blocks and one in pieces, and a loss out of all kernels, with the gradients of all weights.
fn layer() -> Vec<Vec<f32>> {
    let (batch, time, heads, kv_heads, width, hidden, vocabulary) = (4, 96, 4, 2, 32, 340, 1000);
    let d = heads * width;
    let device = draw::device().autodiff();
    let mut draw = Draw(1);
    let mut weight = |shape: [usize; 2]| {
        draw.floats(shape, (shape[0] as f32).powf(-0.5), &device).require_grad()
    };
    let weights = [
        weight([vocabulary, d]),
        weight([d, d]),
        weight([d, kv_heads * width]),
        weight([d, kv_heads * width]),
        weight([d, d]),
        weight([d, hidden]),
        weight([d, hidden]),
        weight([hidden, d]),
        weight([d, vocabulary]),
        weight([1, d]),
    ];
    let [table, q, k, v, o, gate, up, down, head, norm] = weights.clone();
    let norm: Tensor<1> = norm.reshape([d]);
    let rotary = RotaryTable::new(time, width, 10_000.0, &device);
    let ids = Draw(2).ids([batch, time], vocabulary, &device);
    let targets: Tensor<1, Int> = Draw(3).ids([batch * time], vocabulary, &device);

    let x = fused::embedding(table, ids);
    let attention = AttentionWeights {
        norm: norm.clone(),
        query: q.clone(),
        key: k.clone(),
        value: v.clone(),
        output: o.clone(),
        heads,
        kv_heads,
        norm_eps: 1e-5,
    };
    let x = fused::self_attention(x, attention, &rotary);
    let feed_forward = FeedForwardWeights {
        norm: norm.clone(),
        gate: gate.clone(),
        up: up.clone(),
        down: down.clone(),
        norm_eps: 1e-5,
    };
    let x = fused::feed_forward(x, feed_forward);
    let y = fused::rms_norm(x.clone(), norm.clone(), 1e-5);
    let split = |x: Tensor<3>, heads| x.reshape([batch, time, heads, width]);
    let q = fused::rotate(split(fused::linear(y.clone(), q), heads), &rotary, 0);
    let k = fused::rotate(split(fused::linear(y.clone(), k), kv_heads), &rotary, 0);
    let v = split(fused::linear(y, v), kv_heads);
    let y = fused::causal_attention(q, k, v).reshape([batch, time, d]);
    let x = x + fused::linear(y, o);
    let y = fused::rms_norm(x.clone(), norm, 1e-5);
    let y = fused::swiglu(fused::linear(y.clone(), gate), fused::linear(y, up));
    let x = (x + fused::linear(y, down)).reshape([batch * time, d]);
    let logits = fused::linear(x.clone(), head.clone());
    let first = fused::cross_entropy(logits.clone(), targets.clone());
    let second = fused::head_cross_entropy(x, head, targets.clone());
    let losses = fused::token_losses(logits, targets);
    let loss = first.clone() + second.clone() + losses.clone().sum();
    let gradients = loss.backward();
    let mut out = vec![values(first), values(second), values(losses)];
    out.extend(weights.map(|weight| values(weight.grad(&gradients).unwrap())));
    out
}

#[test]
fn kernels() {
    same_on_any_number_of_threads(layer);
}

/// burn's own product of two matrices, forwards and backwards, on shapes of training.
#[test]
fn products_of_flex() {
    same_on_any_number_of_threads(|| {
        let device = draw::device().autodiff();
        let mut out = Vec::new();
        for [n, d_in, d_out] in [[1024, 128, 384], [1000, 130, 257], [512, 1376, 64]] {
            let x = Draw(1).floats([n, d_in], 1.0, &device).require_grad();
            let weight = Draw(2).floats([d_in, d_out], 1.0, &device).require_grad();
            let y = x.clone().matmul(weight.clone());
            let slope = Draw(3).floats([n, d_out], 1.0, &device);
            let gradients = (y.clone() * slope).sum().backward();
            out.extend([values(y), values(x.grad(&gradients).unwrap())]);
            out.push(values(weight.grad(&gradients).unwrap()));
        }
        out
    });
}

/// Long enough (2^22 elements) for flex's own sum to depend on the threads' timing.
#[test]
fn squared_norm() {
    let x = Draw(1).floats([4_200_001], 3.0, &draw::device());
    same_on_any_number_of_threads(|| {
        let norm = fused::squared_norm(x.clone());
        vec![vec![
            f32::from_bits((norm.to_bits() >> 32) as u32),
            f32::from_bits(norm.to_bits() as u32),
        ]]
    });
    let truth: f64 = values(x.clone()).iter().map(|v| f64::from(*v).powi(2)).sum();
    assert!((fused::squared_norm(x) / truth - 1.0).abs() < 1e-7);
}
