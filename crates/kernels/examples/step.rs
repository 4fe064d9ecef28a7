//! Times forward and backward passes of a LLaMA-like stack made of this crate's operations: plain
//! twins against kernels, in alternation.
//!
//! ```sh
//! RAYON_NUM_THREADS=2 cargo run --release -p ablate-kernels --example step -- b 5
//! ```
//! The first argument is the shape (`a`, `b` or `c`), the second the number of steps of each kind, a
//! third, if any, runs only `plain` or only `fused`. `KEEP_MALLOC=1` leaves the allocator alone.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use ablate_kernels::{self as kernels, AttentionWeights, FeedForwardWeights, RotaryTable, plain};
use burn::tensor::{Device, Int, Tensor, TensorData};

struct Shape {
    d: usize,
    layers: usize,
    heads: usize,
    ffn: usize,
    time: usize,
    batch: usize,
    vocabulary: usize,
}

/// The operations under test, as either set.
struct Set {
    name: &'static str,
    norm: fn(Tensor<3>, Tensor<1>, f64) -> Tensor<3>,
    attention: fn(Tensor<3>, AttentionWeights, &RotaryTable) -> Tensor<3>,
    feed_forward: fn(Tensor<3>, FeedForwardWeights) -> Tensor<3>,
    embedding: fn(Tensor<2>, Tensor<2, Int>) -> Tensor<3>,
    loss: fn(Tensor<2>, Tensor<2>, Tensor<1, Int>) -> Tensor<1>,
}

const PLAIN: Set = Set {
    name: "plain",
    norm: plain::rms_norm,
    attention: plain::self_attention,
    feed_forward: plain::feed_forward,
    embedding: plain::embedding,
    loss: plain::head_cross_entropy,
};

const FUSED: Set = Set {
    name: "fused",
    norm: kernels::rms_norm,
    attention: kernels::self_attention,
    feed_forward: kernels::feed_forward,
    embedding: kernels::embedding,
    loss: kernels::head_cross_entropy,
};

struct Layer {
    norms: [Tensor<1>; 2],
    qkvo: [Tensor<2>; 4],
    gate: Tensor<2>,
    up: Tensor<2>,
    down: Tensor<2>,
}

struct Model {
    shape: Shape,
    table: Tensor<2>,
    layers: Vec<Layer>,
    norm: Tensor<1>,
    head: Tensor<2>,
    rotary: RotaryTable,
}

impl Model {
    fn new(shape: Shape, device: &Device) -> Self {
        let mut state = 1u64;
        let mut draw = |rows: usize, columns: usize| {
            let scale = (rows as f32).powf(-0.5);
            let values: Vec<f32> = (0..rows * columns)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * scale
                })
                .collect();
            let data = TensorData::new(values, [rows, columns]);
            Tensor::<2>::from_data(data, device).require_grad()
        };
        let Shape { d, ffn, vocabulary, .. } = shape;
        let ones = || Tensor::<1>::ones([d], device).require_grad();
        let layers = (0..shape.layers)
            .map(|_| Layer {
                norms: [ones(), ones()],
                qkvo: [draw(d, d), draw(d, d), draw(d, d), draw(d, d)],
                gate: draw(d, ffn),
                up: draw(d, ffn),
                down: draw(ffn, d),
            })
            .collect();
        let rotary = RotaryTable::new(shape.time, d / shape.heads, 10_000.0, device);
        let (table, head) = (draw(vocabulary, d), draw(d, vocabulary));
        Self { shape, table, layers, norm: ones(), head, rotary }
    }

    fn loss(&self, set: &Set, ids: Tensor<2, Int>, targets: Tensor<1, Int>) -> Tensor<1> {
        let Shape { batch, time, heads, d, .. } = self.shape;
        let mut x = (set.embedding)(self.table.clone(), ids);
        for layer in &self.layers {
            let [query, key, value, output] = layer.qkvo.clone();
            let [norm, post_norm] = layer.norms.clone();
            let norm_eps = 1e-5;
            let weights = AttentionWeights {
                norm,
                query,
                key,
                value,
                output,
                heads,
                kv_heads: heads,
                norm_eps,
            };
            x = (set.attention)(x, weights, &self.rotary);
            let weights = FeedForwardWeights {
                norm: post_norm,
                gate: layer.gate.clone(),
                up: layer.up.clone(),
                down: layer.down.clone(),
                norm_eps,
            };
            x = (set.feed_forward)(x, weights);
        }
        let x = (set.norm)(x, self.norm.clone(), 1e-5).reshape([batch * time, d]);
        (set.loss)(x, self.head.clone(), targets)
    }

    fn step(&self, set: &Set, ids: Tensor<2, Int>, targets: Tensor<1, Int>) -> (f64, f32, f32) {
        let start = Instant::now();
        let loss = self.loss(set, ids, targets);
        let gradients = loss.backward();
        let seconds = start.elapsed().as_secs_f64();
        let first = self.layers[0].qkvo[0].grad(&gradients).expect("a gradient");
        (seconds, loss.into_scalar(), (first.clone() * first).sum().into_scalar())
    }
}

fn main() {
    if std::env::var_os("KEEP_MALLOC").is_none() {
        kernels::tune_allocator();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let which = arguments.first().map_or("a", String::as_str);
    let steps = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(5);
    let only = arguments.get(2).map(String::as_str);
    let shape = match which {
        "b" => {
            Shape { d: 256, layers: 6, heads: 8, ffn: 688, time: 256, batch: 16, vocabulary: 4096 }
        }
        "c" => {
            Shape { d: 512, layers: 8, heads: 8, ffn: 1376, time: 256, batch: 8, vocabulary: 8192 }
        }
        _ => {
            Shape { d: 128, layers: 4, heads: 4, ffn: 384, time: 128, batch: 16, vocabulary: 2048 }
        }
    };
    let device = Device::flex().autodiff();
    let (batch, time, vocabulary) = (shape.batch, shape.time, shape.vocabulary);
    let model = Model::new(shape, &device);
    let ids: Vec<i32> = (0..batch * time).map(|i| (i * 7919 % vocabulary) as i32).collect();
    let targets: Vec<i32> = (0..batch * time).map(|i| (i * 104_729 % vocabulary) as i32).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [batch, time]), &device);
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [batch * time]), &device);

    let sets: Vec<&Set> = [&PLAIN, &FUSED]
        .into_iter()
        .filter(|set| only.is_none_or(|name| name == set.name))
        .collect();
    let mut seconds = vec![Vec::new(); sets.len()];
    for step in 0..=steps {
        for (set, seconds) in sets.iter().zip(&mut seconds) {
            let (time, loss, norm) = model.step(set, ids.clone(), targets.clone());
            if step == 0 {
                let bits = (loss.to_bits(), norm.to_bits());
                println!("{}: loss {loss} gradient {norm} bits {bits:08x?}", set.name);
            } else {
                seconds.push(time);
            }
        }
    }
    for (set, mut seconds) in sets.iter().zip(seconds) {
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        let rate = |seconds: f64| (batch * time) as f64 / seconds;
        println!(
            "shape {which}, {}: median {:.1} ms a step, {:.0} tokens/s; best {:.0} tokens/s",
            set.name,
            median * 1e3,
            rate(median),
            rate(seconds[0])
        );
    }
}
