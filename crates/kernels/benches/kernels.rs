//! The operations one by one, forward and backward, at the shapes of `bench/shapes.toml`.
//!
//! ```sh
//! RAYON_NUM_THREADS=1 cargo bench --workspace --bench kernels -- feed_forward
//! ```
//! Items are floating-point operations of the matrix products, two to a multiply-add.

use ablate_kernels::{
    AttentionWeights, FeedForwardWeights, Precision, RotaryTable, feed_forward, head_cross_entropy,
    linear, rms_norm, self_attention,
};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

fn main() {
    ablate_kernels::tune_allocator();
    divan::main();
}

/// A decoder's sizes: tokens of a step, sequence, width, heads, feed-forward, vocabulary.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    tokens: usize,
    time: usize,
    d: usize,
    heads: usize,
    ffn: usize,
    vocabulary: usize,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

const SHAPES: [Shape; 4] = [
    Shape { name: "600k", tokens: 512, time: 128, d: 80, heads: 2, ffn: 216, vocabulary: 1920 },
    Shape { name: "1m", tokens: 2048, time: 128, d: 128, heads: 4, ffn: 344, vocabulary: 2048 },
    Shape { name: "7m", tokens: 4096, time: 256, d: 256, heads: 8, ffn: 688, vocabulary: 4096 },
    Shape { name: "33m", tokens: 2048, time: 256, d: 512, heads: 8, ffn: 1376, vocabulary: 8192 },
];

fn draw<const D: usize>(size: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(size, Distribution::Uniform(-0.1, 0.1), device)
}

fn drawn<const D: usize>(size: [usize; D]) -> Tensor<D> {
    draw(size, &Device::flex().autodiff()).require_grad()
}

/// Rows of the left operand, inner dimension, columns of the right one.
#[derive(Clone, Copy)]
struct Product(usize, usize, usize);

impl std::fmt::Display for Product {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}x{}x{}", self.0, self.1, self.2)
    }
}

const PRODUCTS: [Product; 7] = [
    Product(512, 80, 216),
    Product(2048, 128, 344),
    Product(4096, 256, 688),
    Product(4096, 688, 256),
    Product(2048, 512, 1376),
    Product(2048, 1376, 512),
    Product(2048, 512, 8192),
];

fn multiply(bencher: Bencher, precision: Precision, Product(m, k, n): Product) {
    let device = Device::flex();
    let (x, weight) = (draw([m, k], &device), draw([k, n], &device));
    bencher
        .counter(ItemsCount::new(2 * m * k * n))
        .bench_local(|| precision.scope(|| linear(x.clone(), weight.clone())));
}

#[divan::bench(args = PRODUCTS)]
fn product(bencher: Bencher, size: Product) {
    multiply(bencher, Precision::F32, size);
}

#[divan::bench(args = PRODUCTS)]
fn product_bf16(bencher: Bencher, size: Product) {
    multiply(bencher, Precision::Bf16, size);
}

fn block(bencher: Bencher, precision: Precision, shape: Shape, attention: bool) {
    let Shape { tokens, time, d, heads, ffn, .. } = shape;
    let x = drawn([tokens / time, time, d]);
    let norm = drawn([d]);
    let table = RotaryTable::new(time, d / heads, 10_000.0, &x.device());
    let square = [(); 4].map(|()| drawn([d, d]));
    let [gate, up, down] = [[d, ffn], [d, ffn], [ffn, d]].map(drawn);
    let run = || {
        let y = if attention {
            let [query, key, value, output] = square.clone();
            let weights = AttentionWeights {
                norm: norm.clone(),
                query,
                key,
                value,
                output,
                heads,
                kv_heads: heads,
                norm_eps: 1e-5,
            };
            self_attention(x.clone(), weights, &table)
        } else {
            let weights = FeedForwardWeights {
                norm: norm.clone(),
                gate: gate.clone(),
                up: up.clone(),
                down: down.clone(),
                norm_eps: 1e-5,
            };
            feed_forward(x.clone(), weights)
        };
        y.mean().backward()
    };
    // A backward pass is twice the forward one; of attention the causal half counts.
    let products = if attention { 4 * d * d + d * (time + 1) } else { 3 * d * ffn };
    bencher.counter(ItemsCount::new(6 * tokens * products)).bench_local(|| precision.scope(run));
}

#[divan::bench(args = SHAPES)]
fn attention_block(bencher: Bencher, shape: Shape) {
    block(bencher, Precision::F32, shape, true);
}

#[divan::bench(args = SHAPES)]
fn attention_block_bf16(bencher: Bencher, shape: Shape) {
    block(bencher, Precision::Bf16, shape, true);
}

#[divan::bench(args = SHAPES)]
fn feed_forward_block(bencher: Bencher, shape: Shape) {
    block(bencher, Precision::F32, shape, false);
}

#[divan::bench(args = SHAPES)]
fn feed_forward_block_bf16(bencher: Bencher, shape: Shape) {
    block(bencher, Precision::Bf16, shape, false);
}

fn loss(bencher: Bencher, precision: Precision, shape: Shape) {
    let Shape { tokens, d, vocabulary, .. } = shape;
    let (hidden, head) = (drawn([tokens, d]), drawn([d, vocabulary]));
    let ids: Vec<i32> = (0..tokens).map(|i| (i * 7919 % vocabulary) as i32).collect();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(ids, [tokens]), &hidden.device());
    bencher.counter(ItemsCount::new(6 * tokens * d * vocabulary)).bench_local(|| {
        precision
            .scope(|| head_cross_entropy(hidden.clone(), head.clone(), targets.clone()).backward())
    });
}

#[divan::bench(args = SHAPES)]
fn head_and_loss(bencher: Bencher, shape: Shape) {
    loss(bencher, Precision::F32, shape);
}

#[divan::bench(args = SHAPES)]
fn head_and_loss_bf16(bencher: Bencher, shape: Shape) {
    loss(bencher, Precision::Bf16, shape);
}

#[divan::bench(args = SHAPES)]
fn norm(bencher: Bencher, shape: Shape) {
    let (x, weight) = (drawn([shape.tokens, shape.d]), drawn([shape.d]));
    bencher
        .counter(BytesCount::of_many::<f32>(shape.tokens * shape.d))
        .bench_local(|| rms_norm(x.clone(), weight.clone(), 1e-5).mean().backward());
}
