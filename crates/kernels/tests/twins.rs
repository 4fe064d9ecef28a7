//! Every kernel against its plain twin, forwards and backwards, on shapes that fill vectors and
//! blocks and on shapes that do not.

mod draw;

use ablate_kernels as fused;
use ablate_kernels::{RotaryTable, plain};
use burn::tensor::Tensor;
use draw::{Draw, distance, values};

/// Relative to the largest value. Sums of a few thousand terms in f32, in two different orders.
const VALUES: f32 = 1e-5;
const GRADIENTS: f32 = 1e-5;

/// Runs `op` and `twin` on the same inputs and compares outputs and all gradients, under an
/// output gradient drawn at random.
fn check<const A: usize, const B: usize, const N: usize>(
    name: &str,
    inputs: [Tensor<A>; N],
    op: impl Fn([Tensor<A>; N]) -> Tensor<B>,
    twin: impl Fn([Tensor<A>; N]) -> Tensor<B>,
) {
    let run = |f: &dyn Fn([Tensor<A>; N]) -> Tensor<B>| {
        let inputs = inputs.clone().map(|x| x.autodiff().detach().require_grad());
        let out = f(inputs.clone());
        let weights = Draw(7).floats(out.dims(), 1.0, &out.device());
        let gradients = (out.clone() * weights).sum().backward();
        (out.inner(), inputs.map(|x| x.grad(&gradients).expect("every input has a gradient")))
    };
    let (ours, our_gradients) = run(&op);
    let (truth, gradients) = run(&twin);
    let error = distance(&ours, &truth);
    assert!(error < VALUES, "{name}: values differ by {error:e}");
    for (input, (ours, truth)) in our_gradients.iter().zip(&gradients).enumerate() {
        let error = distance(ours, truth);
        assert!(error < GRADIENTS, "{name}: gradient {input} differs by {error:e}");
    }
    // Without autodiff the same kernel must give the same bits.
    let untracked = op(inputs.clone());
    assert!(!untracked.is_autodiff(), "{name}");
    assert_eq!(values(untracked), values(ours), "{name} without autodiff");
}

#[test]
fn rms_norm() {
    let device = draw::device();
    for [batch, time, d] in
        [[1, 1, 3], [1, 1, 8], [2, 3, 31], [3, 5, 64], [2, 70, 100], [4, 96, 128]]
    {
        let x = Draw(1).floats([batch, time, d], 2.0, &device);
        let weight = Draw(2).floats([1, 1, d], 1.0, &device);
        check(
            &format!("rms_norm {batch} {time} {d}"),
            [x, weight],
            |[x, w]| fused::rms_norm(x, w.reshape([d]), 1e-5),
            |[x, w]| plain::rms_norm(x, w.reshape([d]), 1e-5),
        );
    }
}

#[test]
fn swiglu() {
    let device = draw::device();
    for shape in [[1, 1], [3, 7], [5, 33], [64, 172], [200, 128]] {
        for scale in [1.0, 30.0] {
            check(
                &format!("swiglu {shape:?} {scale}"),
                [Draw(1).floats(shape, scale, &device), Draw(2).floats(shape, 2.0, &device)],
                |[gate, up]| fused::swiglu(gate, up),
                |[gate, up]| plain::swiglu(gate, up),
            );
        }
    }
}

#[test]
fn siaf() {
    let device = draw::device();
    for [rows, ffn, n] in [[1, 1, 1], [3, 7, 2], [33, 33, 3], [64, 172, 2], [200, 128, 4]] {
        let mut draw = Draw(1);
        let inputs = [
            draw.floats([rows, ffn], 2.0, &device),
            draw.floats([rows, ffn], 2.0, &device),
            draw.floats([n, ffn], 1.0, &device),
            draw.floats([n, ffn], 1.0, &device),
        ];
        check(
            &format!("siaf {rows} {ffn} {n}"),
            inputs,
            |[gate, up, scale, bias]| fused::siaf(gate, up, scale, bias),
            |[gate, up, scale, bias]| plain::siaf(gate, up, scale, bias),
        );
    }
}

/// One activation with scale 1 and bias 0 is SwiGLU's.
#[test]
fn siaf_of_one_is_swiglu() {
    let device = draw::device();
    let [gate, up] = [1, 2].map(|seed| Draw(seed).floats([5, 33], 2.0, &device));
    let scale = Tensor::ones([1, 33], &device);
    let bias = Tensor::zeros([1, 33], &device);
    let one = fused::siaf(gate.clone(), up.clone(), scale, bias);
    assert!(distance(&one, &fused::swiglu(gate, up)) < 1e-6);
}

#[test]
fn rotate() {
    let device = draw::device();
    for [batch, time, heads, width] in
        [[1, 1, 1, 2], [2, 3, 2, 8], [2, 33, 3, 10], [3, 40, 4, 64], [1, 65, 2, 32]]
    {
        let table = RotaryTable::new(80, width, 10_000.0, &device);
        for offset in [0, 5] {
            check(
                &format!("rotate {batch} {time} {heads} {width} at {offset}"),
                [Draw(1).floats([batch, time, heads, width], 1.0, &device)],
                |[x]| fused::rotate(x, &table, offset),
                |[x]| plain::rotate(x, &table, offset),
            );
        }
    }
}

#[test]
fn causal_attention() {
    let device = draw::device();
    for ([batch, time, heads, kv_heads, width], past) in [
        ([1, 1, 1, 1, 8], 0),
        ([2, 1, 2, 1, 8], 6),
        ([2, 3, 2, 2, 16], 0),
        ([1, 17, 6, 2, 24], 0),
        ([2, 64, 4, 4, 32], 0),
        ([2, 65, 4, 1, 32], 0),
        ([1, 100, 2, 2, 33], 0),
        ([1, 131, 4, 2, 64], 0),
        ([1, 70, 2, 1, 16], 30),
        ([3, 1, 6, 2, 24], 40),
        ([20, 1, 4, 4, 32], 100),
    ] {
        let mut draw = Draw(1);
        let q = draw.floats([batch, time, heads, width], 2.0, &device);
        let kv = draw.floats([2 * batch, past + time, kv_heads, width], 2.0, &device);
        // `check` takes inputs of one rank: k and v come as one tensor.
        let split = |kv: Tensor<4>| (kv.clone().narrow(0, 0, batch), kv.narrow(0, batch, batch));
        check(
            &format!("attention {batch} {time} {heads} {kv_heads} {width} past {past}"),
            [q, kv],
            |[q, kv]| {
                let (k, v) = split(kv);
                fused::cached_attention(q, k, v, past)
            },
            |[q, kv]| {
                let (k, v) = split(kv);
                plain::cached_attention(q, k, v, past)
            },
        );
    }
}

/// Rows beyond the keys are not read, whatever they hold.
#[test]
fn a_cache_may_have_rows_to_spare() {
    let device = draw::device();
    for (time, past) in [(1, 9), (7, 3), (10, 0)] {
        let mut draw = Draw(4);
        let q = draw.floats([3, time, 4, 16], 2.0, &device);
        let [k, v] = [(); 2].map(|()| draw.floats([3, 10, 2, 16], 2.0, &device));
        let spare = Tensor::full([3, 6, 2, 16], f32::NAN, &device);
        let [roomy_k, roomy_v] =
            [&k, &v].map(|held| Tensor::cat(vec![held.clone(), spare.clone()], 1));
        let truth = plain::cached_attention(q.clone(), k, v, past);
        let ours = fused::cached_attention(q.clone(), roomy_k.clone(), roomy_v.clone(), past);
        assert!(distance(&ours, &truth) < VALUES, "{time} {past}");
        let twin = plain::cached_attention(q, roomy_k, roomy_v, past);
        assert!(distance(&twin, &truth) < VALUES, "{time} {past}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn attention_of_any_shape(
        batch in 1usize..3, time in 1usize..90, past in 0usize..40,
        kv_heads in 1usize..3, group in 1usize..4, width in 1usize..40,
    ) {
        let device = draw::device();
        let mut draw = Draw(9);
        let q = draw.floats([batch, time, kv_heads * group, width], 2.0, &device);
        let [k, v] = [(); 2].map(|()| draw.floats([batch, past + time, kv_heads, width], 2.0, &device));
        let ours = fused::cached_attention(q.clone(), k.clone(), v.clone(), past);
        let truth = plain::cached_attention(q, k, v, past);
        proptest::prop_assert!(distance(&ours, &truth) < VALUES);
    }

    #[test]
    fn losses_of_any_shape(n in 1usize..60, d in 1usize..20, vocabulary in 2usize..300) {
        let device = draw::device();
        let targets = Draw(3).ids([n], vocabulary, &device);
        let hidden = Draw(1).floats([n, d], 2.0, &device);
        let head = Draw(2).floats([d, vocabulary], 2.0, &device);
        let ours = fused::head_cross_entropy(hidden.clone(), head.clone(), targets.clone());
        let truth = plain::head_cross_entropy(hidden, head, targets);
        proptest::prop_assert!(distance(&ours, &truth) < VALUES);
    }
}

#[test]
fn attention_reads_transposed_heads() {
    let device = draw::device();
    let mut draw = Draw(3);
    // [batch, heads, time, width] in memory: what the kernel takes is a view.
    let inputs = [(); 3].map(|()| draw.floats([2, 4, 20, 16], 1.0, &device));
    check(
        "attention on views",
        inputs,
        |x| {
            let [q, k, v] = x.map(|x| x.swap_dims(1, 2));
            fused::causal_attention(q, k, v)
        },
        |x| {
            let [q, k, v] = x.map(|x| x.swap_dims(1, 2));
            plain::causal_attention(q, k, v)
        },
    );
}

#[test]
fn linear() {
    let device = draw::device();
    for [batch, time, d_in, d_out] in
        [[1, 1, 1, 1], [2, 3, 5, 7], [4, 33, 64, 100], [4, 64, 128, 130]]
    {
        check(
            &format!("linear {batch} {time} {d_in} {d_out}"),
            [
                Draw(1).floats([batch, time, d_in], 1.0, &device),
                Draw(2).floats([1, d_in, d_out], 1.0, &device),
            ],
            |[x, w]| fused::linear(x, w.reshape([d_in, d_out])),
            |[x, w]| plain::linear(x, w.reshape([d_in, d_out])),
        );
    }
}

#[test]
fn embedding() {
    let device = draw::device();
    for [batch, time, vocabulary, d] in [[1, 1, 1, 1], [2, 3, 5, 7], [4, 100, 50, 64]] {
        let ids = Draw(3).ids([batch, time], vocabulary, &device);
        check(
            &format!("embedding {batch} {time} {vocabulary} {d}"),
            [Draw(1).floats([vocabulary, d], 1.0, &device)],
            |[table]| fused::embedding(table, ids.clone()),
            |[table]| plain::embedding(table, ids.clone()),
        );
    }
}

#[test]
fn losses() {
    let device = draw::device();
    for [n, d, vocabulary] in [[1, 4, 2], [3, 8, 31], [17, 16, 100], [70, 24, 257], [130, 32, 1000]]
    {
        let targets = Draw(3).ids([n], vocabulary, &device);
        let logits = || Draw(1).floats([n, vocabulary], 6.0, &device);
        let hidden = || Draw(1).floats([n, d], 1.0, &device);
        let head = || Draw(2).floats([d, vocabulary], 1.0, &device);
        let name = format!("{n} {d} {vocabulary}");
        check(
            &format!("cross_entropy {name}"),
            [logits()],
            |[logits]| fused::cross_entropy(logits, targets.clone()),
            |[logits]| plain::cross_entropy(logits, targets.clone()),
        );
        check(
            &format!("token_losses {name}"),
            [logits()],
            |[logits]| fused::token_losses(logits, targets.clone()),
            |[logits]| plain::token_losses(logits, targets.clone()),
        );
        check(
            &format!("head_cross_entropy {name}"),
            [hidden(), head()],
            |[hidden, head]| fused::head_cross_entropy(hidden, head, targets.clone()),
            |[hidden, head]| plain::head_cross_entropy(hidden, head, targets.clone()),
        );
    }
}

#[test]
fn head_cross_entropy_in_several_blocks() {
    // 2^21 logits fit a block: 40 960 columns make blocks of 64 rows.
    let (n, d, vocabulary) = (150, 8, 40_960);
    let device = draw::device();
    let targets = Draw(3).ids([n], vocabulary, &device);
    check(
        "head_cross_entropy in three blocks",
        [Draw(1).floats([n, d], 1.0, &device), Draw(2).floats([d, vocabulary], 1.0, &device)],
        |[hidden, head]| fused::head_cross_entropy(hidden, head, targets.clone()),
        |[hidden, head]| plain::head_cross_entropy(hidden, head, targets.clone()),
    );
}

#[test]
fn large_logits_stay_finite() {
    let device = draw::device().autodiff();
    let targets = Draw(3).ids([6], 50, &device);
    let logits = Draw(1).floats([6, 50], 1e4, &device).require_grad();
    let loss = fused::cross_entropy(logits.clone(), targets);
    assert!(loss.clone().into_scalar::<f32>().is_finite());
    let gradient = logits.grad(&loss.backward()).unwrap();
    assert!(values(gradient).iter().all(|value| value.is_finite()));

    let q = Draw(2).floats([1, 40, 2, 8], 1e3, &device).require_grad();
    let out = fused::causal_attention(q.clone(), q.clone(), q.clone());
    assert!(values(out.clone()).iter().all(|value| value.is_finite()));
    let gradient = q.grad(&out.sum().backward()).unwrap();
    assert!(values(gradient).iter().all(|value| value.is_finite()));

    let gate = Draw(2).floats([5, 40], 1e4, &device).require_grad();
    let out = fused::swiglu(gate.clone(), gate.clone());
    assert!(values(out.clone()).iter().all(|value| value.is_finite()));
    let gradient = gate.grad(&out.sum().backward()).unwrap();
    assert!(values(gradient).iter().all(|value| value.is_finite()));
}

#[test]
fn a_diverged_model_shows() {
    let device = draw::device();
    let mut logits = vec![0.5f32; 40];
    logits[37] = f32::NAN;
    let logits = Tensor::<1>::from_floats(logits.as_slice(), &device).reshape([1, 40]);
    let targets = Draw(3).ids([1], 40, &device);
    assert!(fused::cross_entropy(logits, targets).into_scalar::<f32>().is_nan());
}

#[test]
fn the_logits_of_others_are_left_alone() {
    let device = draw::device().autodiff();
    let logits = Draw(1).floats([6, 50], 3.0, &device).require_grad();
    let before = values(logits.clone());
    let loss = fused::cross_entropy(logits.clone(), Draw(3).ids([6], 50, &device));
    loss.backward();
    assert_eq!(values(logits), before);
}

#[test]
fn untracked_inputs_are_constants() {
    let device = draw::device();
    let x = Draw(1).floats([4, 8], 1.0, &device.clone().autodiff()).require_grad();
    let frozen = Draw(2).floats([8, 8], 1.0, &device);
    let out = fused::linear(x.clone(), frozen.clone());
    let gradients = out.sum().backward();
    let expected = Tensor::<2>::ones([4, 8], &device).matmul(frozen.transpose());
    assert!(distance(&x.grad(&gradients).unwrap(), &expected) < GRADIENTS);
}

#[test]
#[should_panic(expected = "outside the vocabulary of 5")]
fn a_target_outside_the_vocabulary_is_refused() {
    let device = draw::device();
    let logits = Draw(1).floats([1, 5], 1.0, &device);
    fused::cross_entropy(logits, Tensor::from_ints([5], &device));
}

#[test]
fn adamw() {
    let device = draw::device();
    let factors = fused::AdamWFactors {
        beta: [0.9, 0.95],
        scale: 0.3,
        keep: 0.999,
        rate: 3e-3,
        root: 0.6,
        epsilon: 1e-8,
    };
    for [rows, columns] in [[1, 1], [3, 5], [31, 7], [300, 257]] {
        let [p, g, m, v] =
            [1, 2, 3, 4].map(|seed| Draw(seed).floats([rows, columns], 1.0, &device));
        let moments = || [m.clone(), v.clone().abs()];
        let (ours, [first, second]) = fused::adamw(p.clone(), g.clone(), moments(), factors);
        let (truth, [true_first, true_second]) = plain::adamw(p.clone(), g, moments(), factors);
        for (ours, truth) in [(&ours, truth), (&first, true_first), (&second, true_second)] {
            assert!(distance(ours, &truth) < VALUES, "{rows} x {columns}");
        }
        assert_ne!(values(p), values(ours), "what others hold is left as it was");
    }
}
