//! The plain twins' gradients against central differences, and their values against closed forms.

mod draw;

use ablate_kernels::{RotaryTable, plain};
use burn::tensor::{Tensor, TensorData};
use draw::{Draw, values};

/// Compares the gradient of a weighted sum of `op`'s output with central differences, input by
/// input and element by element.
fn check<const A: usize, const B: usize, const N: usize>(
    name: &str,
    inputs: [Tensor<A>; N],
    op: impl Fn([Tensor<A>; N]) -> Tensor<B>,
) {
    let loss = |inputs: [Tensor<A>; N]| {
        let out = op(inputs);
        let weights = Draw(7).floats(out.dims(), 1.0, &out.device());
        (out * weights).sum()
    };
    let tracked = inputs.clone().map(|x| x.autodiff().detach().require_grad());
    let gradients = loss(tracked.clone()).backward();
    for (which, input) in tracked.iter().enumerate() {
        let gradient = values(input.grad(&gradients).unwrap());
        let scale = gradient.iter().fold(0.1f32, |most, value| most.max(value.abs()));
        let at = values(inputs[which].clone());
        for (element, slope) in gradient.iter().enumerate() {
            let step = 1e-2f32;
            let moved = |by: f32| {
                let mut at = at.clone();
                at[element] += by;
                let mut inputs = inputs.clone();
                let data = TensorData::new(at, inputs[which].dims());
                inputs[which] = Tensor::from_data(data, &inputs[which].device());
                f64::from(loss(inputs).into_scalar::<f32>())
            };
            let difference = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            let error = (difference - f64::from(*slope)).abs() / f64::from(scale);
            assert!(
                error < 3e-3,
                "{name}: input {which}, element {element}: {slope} against {difference}"
            );
        }
    }
}

#[test]
fn against_differences() {
    let device = draw::device();
    let mut draw = Draw(11);
    let x = draw.floats([2, 2, 6], 1.0, &device);
    let weight = draw.floats([1, 1, 6], 1.0, &device);
    check("rms_norm", [x.clone(), weight], |[x, w]| plain::rms_norm(x, w.reshape([6]), 1e-5));
    let up = draw.floats([2, 2, 6], 1.0, &device);
    check("swiglu", [x.clone(), up], |[gate, up]| plain::swiglu(gate, up));
    let [gate, up, scale, bias] = [(); 4].map(|()| draw.floats([3, 5], 1.0, &device));
    check("siaf", [gate, up, scale, bias], |[gate, up, scale, bias]| {
        plain::siaf(gate, up, scale, bias)
    });
    let weight = draw.floats([1, 6, 4], 1.0, &device);
    check("linear", [x, weight], |[x, w]| plain::linear(x, w.reshape([6, 4])));

    let table = RotaryTable::new(8, 4, 100.0, &device);
    let heads = draw.floats([1, 3, 2, 4], 1.0, &device);
    check("rotate", [heads.clone()], |[x]| plain::rotate(x, &table, 2));
    let kv = draw.floats([2, 3, 1, 4], 1.0, &device);
    check("attention", [heads, kv], |[q, kv]| {
        plain::causal_attention(q, kv.clone().narrow(0, 0, 1), kv.narrow(0, 1, 1))
    });

    let targets = draw.ids([3], 5, &device);
    let logits = draw.floats([3, 5], 1.0, &device);
    check("cross_entropy", [logits], |[logits]| plain::cross_entropy(logits, targets.clone()));
    let (hidden, head) = (draw.floats([3, 4], 1.0, &device), draw.floats([4, 5], 1.0, &device));
    check("head_cross_entropy", [hidden, head], |[hidden, head]| {
        plain::head_cross_entropy(hidden, head, targets.clone())
    });
    let ids = draw.ids([2, 3], 5, &device);
    check("embedding", [draw.floats([5, 2], 1.0, &device)], |[table]| {
        plain::embedding(table, ids.clone())
    });
}

#[test]
fn closed_forms() {
    let device = draw::device();
    // RMS of (3, 4) is sqrt(12.5).
    let x = Tensor::<2>::from_floats([[3.0, 4.0]], &device);
    let weight = Tensor::<1>::from_floats([1.0, 2.0], &device);
    let out = values(plain::rms_norm(x, weight, 0.0));
    let rms = 12.5f32.sqrt();
    assert!((out[0] - 3.0 / rms).abs() < 1e-6 && (out[1] - 8.0 / rms).abs() < 1e-6);

    // Equal logits cost ln(vocabulary) whatever the target.
    let logits = Tensor::<2>::zeros([3, 7], &device);
    let losses = values(plain::token_losses(logits, Draw(1).ids([3], 7, &device)));
    assert!(losses.iter().all(|loss| (loss - 7f32.ln()).abs() < 1e-6));

    // silu(1) = 1 / (1 + 1/e).
    let one = Tensor::<1>::ones([1], &device);
    let gate = plain::swiglu(one.clone(), one).into_scalar::<f32>();
    assert!((f64::from(gate) - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-6);

    // Position p turns the pair (1, 0) to (cos p, sin p) in the first channel, whose rate is 1.
    let table = RotaryTable::new(10, 4, 10_000.0, &device);
    let x = Tensor::<1>::from_floats([1.0, 1.0, 0.0, 0.0], &device).reshape([1, 1, 1, 4]);
    let turned = values(plain::rotate(x, &table, 3));
    let slow = 3.0 * 10_000f64.powf(-0.5);
    for (ours, truth) in turned.iter().zip([3f64.cos(), slow.cos(), 3f64.sin(), slow.sin()]) {
        assert!((f64::from(*ours) - truth).abs() < 1e-6);
    }

    // With equal keys a query sees the mean of the values so far.
    let q = Draw(2).floats([1, 3, 1, 2], 1.0, &device);
    let k = Tensor::<4>::ones([1, 3, 1, 2], &device);
    let v = Tensor::<1>::from_floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &device).reshape([1, 3, 1, 2]);
    let out = values(plain::causal_attention(q, k, v));
    for (ours, truth) in out.iter().zip([0.0, 1.0, 1.0, 2.0, 2.0, 3.0]) {
        assert!((ours - truth).abs() < 1e-6);
    }
}

#[test]
fn a_cache_changes_nothing() {
    let device = draw::device();
    let mut draw = Draw(5);
    let [q, k, v] = [4, 2, 2].map(|heads| draw.floats([2, 9, heads, 8], 1.0, &device));
    let whole = plain::causal_attention(q.clone(), k.clone(), v.clone());
    let last = plain::cached_attention(q.narrow(1, 6, 3), k, v, 6);
    assert!(draw::distance(&last, &whole.narrow(1, 6, 3)) < 1e-6);
}
