//! The two blocks of a layer against their plain twins and against central differences, forwards
//! and backwards.

mod draw;

use ablate_kernels as fused;
use ablate_kernels::{AttentionWeights, FeedForwardWeights, Keep, Precision, RotaryTable, plain};
use burn::tensor::{Device, Tensor};
use draw::{Draw, distance, values};

/// Relative to the largest value: sums of up to a few thousand terms in f32, in two orders.
const NEAR: f32 = 1e-5;

/// Values of `x` and of all weights, all of rank 2 so that one array holds them.
type Inputs = Vec<Tensor<2>>;

/// The output and the gradients of all inputs, under an output gradient drawn at random.
fn run(inputs: &Inputs, op: &dyn Fn(&[Tensor<2>]) -> Tensor<3>) -> Vec<Tensor<2>> {
    let tracked: Inputs =
        inputs.iter().map(|x| x.clone().autodiff().detach().require_grad()).collect();
    let out = op(&tracked);
    let [batch, time, d] = out.dims();
    let slope = Draw(7).floats(out.dims(), 1.0, &out.device());
    let gradients = (out.clone() * slope).sum().backward();
    let mut results = vec![out.inner().reshape([batch * time, d])];
    results.extend(tracked.iter().map(|x| x.grad(&gradients).expect("every input has a gradient")));
    results
}

fn check(
    name: &str,
    inputs: &Inputs,
    op: &dyn Fn(&[Tensor<2>]) -> Tensor<3>,
    twin: &dyn Fn(&[Tensor<2>]) -> Tensor<3>,
) {
    let ours = run(inputs, op);
    for (which, (ours, truth)) in ours.iter().zip(run(inputs, twin)).enumerate() {
        let error = distance(ours, &truth);
        assert!(error < NEAR, "{name}: result {which} differs by {error:e}");
    }
    let untracked = op(inputs);
    assert!(!untracked.is_autodiff(), "{name}");
    assert_eq!(values(untracked), values(ours[0].clone()), "{name} without autodiff");
    // What is not kept is computed again, to the same bits.
    let again = Keep::Inputs.scope(|| run(inputs, op));
    for (which, (again, ours)) in again.into_iter().zip(ours).enumerate() {
        assert_eq!(values(again), values(ours), "{name}: result {which} without activations");
    }
}

struct Attention {
    batch: usize,
    time: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    d: usize,
}

impl Attention {
    fn inputs(&self, device: &Device) -> Inputs {
        let (q, k, d) = (self.heads * self.head_dim, self.kv_heads * self.head_dim, self.d);
        let mut draw = Draw(1);
        let mut matrix = |shape: [usize; 2], scale: f32| draw.floats(shape, scale, device);
        let small = 1.5 * (d as f32).powf(-0.5);
        vec![
            matrix([self.batch * self.time, d], 2.0),
            matrix([1, d], 1.0),
            matrix([d, q], small),
            matrix([d, k], small),
            matrix([d, k], small),
            matrix([q, d], small),
        ]
    }

    fn split(&self, inputs: &[Tensor<2>]) -> (Tensor<3>, AttentionWeights) {
        let [x, norm, query, key, value, output] =
            std::array::from_fn(|which| inputs[which].clone());
        let weights = AttentionWeights {
            norm: norm.reshape([self.d]),
            query,
            key,
            value,
            output,
            heads: self.heads,
            kv_heads: self.kv_heads,
            norm_eps: 1e-5,
        };
        (x.reshape([self.batch, self.time, self.d]), weights)
    }
}

#[test]
fn self_attention() {
    let device = draw::device();
    for [batch, time, heads, kv_heads, head_dim, d] in [
        [1, 1, 1, 1, 2, 3],
        [2, 3, 2, 1, 4, 8],
        [3, 33, 4, 2, 10, 36],
        [2, 70, 4, 4, 16, 64],
        [1, 130, 6, 2, 32, 100],
        [5, 61, 3, 3, 36, 108],
    ] {
        let shape = Attention { batch, time, heads, kv_heads, head_dim, d };
        let table = RotaryTable::new(time + 3, head_dim, 10_000.0, &device);
        check(
            &format!("self_attention {batch} {time} {heads} {kv_heads} {head_dim} {d}"),
            &shape.inputs(&device),
            &|inputs| {
                let (x, weights) = shape.split(inputs);
                fused::self_attention(x, weights, &table)
            },
            &|inputs| {
                let (x, weights) = shape.split(inputs);
                plain::self_attention(x, weights, &table)
            },
        );
    }
}

fn feed_forward_inputs([batch, time, d, ffn]: [usize; 4], device: &Device) -> Inputs {
    let mut draw = Draw(1);
    let mut matrix = |shape: [usize; 2], scale: f32| draw.floats(shape, scale, device);
    let small = 1.5 * (d as f32).powf(-0.5);
    vec![
        matrix([batch * time, d], 2.0),
        matrix([1, d], 1.0),
        matrix([d, ffn], small),
        matrix([d, ffn], small),
        matrix([ffn, d], small),
    ]
}

fn feed_forward_parts(
    [batch, time, d, _]: [usize; 4],
    inputs: &[Tensor<2>],
) -> (Tensor<3>, FeedForwardWeights) {
    let [x, norm, gate, up, down] = std::array::from_fn(|which| inputs[which].clone());
    let weights = FeedForwardWeights { norm: norm.reshape([d]), gate, up, down, norm_eps: 1e-5 };
    (x.reshape([batch, time, d]), weights)
}

#[test]
fn feed_forward() {
    let device = draw::device();
    // The last ones need several rounds over the held rows of the backward pass.
    for shape in [
        [1, 1, 1, 1],
        [2, 3, 5, 7],
        [1, 40, 64, 172],
        [3, 67, 100, 264],
        [2, 150, 33, 2100],
        [3, 200, 48, 5000],
    ] {
        check(
            &format!("feed_forward {shape:?}"),
            &feed_forward_inputs(shape, &device),
            &|inputs| {
                let (x, weights) = feed_forward_parts(shape, inputs);
                fused::feed_forward(x, weights)
            },
            &|inputs| {
                let (x, weights) = feed_forward_parts(shape, inputs);
                plain::feed_forward(x, weights)
            },
        );
    }
}

/// The fused gradients themselves, without the twin in between.
fn check_differences(name: &str, inputs: &Inputs, op: &dyn Fn(&[Tensor<2>]) -> Tensor<3>) {
    let results = run(inputs, op);
    let loss = |inputs: &Inputs| {
        let out = op(inputs);
        let slope = Draw(7).floats(out.dims(), 1.0, &out.device());
        f64::from((out * slope).sum().into_scalar::<f32>())
    };
    for (which, gradient) in results[1..].iter().enumerate() {
        let gradient = values(gradient.clone());
        let scale = gradient.iter().fold(0.1f32, |most, value| most.max(value.abs()));
        for (element, slope) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut inputs = inputs.clone();
                let mut at = values(inputs[which].clone());
                at[element] += by;
                let data = burn::tensor::TensorData::new(at, inputs[which].dims());
                inputs[which] = Tensor::from_data(data, &draw::device());
                loss(&inputs)
            };
            let step = 1e-2f32;
            let difference = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            let error = (difference - f64::from(*slope)).abs() / f64::from(scale);
            assert!(error < 5e-3, "{name}: {which}, {element}: {slope} against {difference}");
        }
    }
}

#[test]
fn gradients_are_those_of_differences() {
    let device = draw::device();
    let shape = Attention { batch: 2, time: 3, heads: 2, kv_heads: 1, head_dim: 4, d: 6 };
    let table = RotaryTable::new(3, 4, 100.0, &device);
    check_differences("self_attention", &shape.inputs(&device), &|inputs| {
        let (x, weights) = shape.split(inputs);
        fused::self_attention(x, weights, &table)
    });
    let shape = [2, 2, 5, 9];
    check_differences("feed_forward", &feed_forward_inputs(shape, &device), &|inputs| {
        let (x, weights) = feed_forward_parts(shape, inputs);
        fused::feed_forward(x, weights)
    });
}

/// With factors in bf16 the twin rounds results as well, so the two are that far apart: eight bits
/// after the first, in a chain of a few products.
#[test]
fn twins_in_bf16() {
    let device = draw::device();
    let near = |name: &str, ours: Vec<Tensor<2>>, truth: Vec<Tensor<2>>, exact: &[Tensor<2>]| {
        for (which, (ours, truth)) in ours.iter().zip(&truth).enumerate() {
            let error = distance(ours, truth);
            assert!(error < 3e-2, "{name}: result {which} differs by {error:e}");
        }
        // They are rounded at all.
        assert!(distance(&truth[0], &exact[0]) > 1e-4, "{name}: as in f32");
    };
    let bf16 = |inputs: &Inputs, op: &dyn Fn(&[Tensor<2>]) -> Tensor<3>| {
        Precision::Bf16.scope(|| run(inputs, op))
    };
    let shape = Attention { batch: 2, time: 33, heads: 4, kv_heads: 2, head_dim: 8, d: 32 };
    let table = RotaryTable::new(40, 8, 10_000.0, &device);
    let inputs = shape.inputs(&device);
    let op = |inputs: &[Tensor<2>]| {
        let (x, weights) = shape.split(inputs);
        fused::self_attention(x, weights, &table)
    };
    let twin = |inputs: &[Tensor<2>]| {
        let (x, weights) = shape.split(inputs);
        plain::self_attention(x, weights, &table)
    };
    near("self_attention", bf16(&inputs, &op), bf16(&inputs, &twin), &run(&inputs, &twin));

    let shape = [2, 33, 40, 104];
    let inputs = feed_forward_inputs(shape, &device);
    let op = |inputs: &[Tensor<2>]| {
        let (x, weights) = feed_forward_parts(shape, inputs);
        fused::feed_forward(x, weights)
    };
    let twin = |inputs: &[Tensor<2>]| {
        let (x, weights) = feed_forward_parts(shape, inputs);
        plain::feed_forward(x, weights)
    };
    near("feed_forward", bf16(&inputs, &op), bf16(&inputs, &twin), &run(&inputs, &twin));
}
