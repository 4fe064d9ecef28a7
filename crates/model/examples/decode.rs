//! Times greedy decoding with random weights: a batch of equal prompts, so many new tokens each.
//!
//! ```sh
//! cargo run --release -p ablate-model --example decode -- \
//!     --batch 20 --prompt 2 --new 510 --threads 2 --shape 256,6,8,688,4096
//! ```
//! The shape is width, depth, heads, FFN, vocabulary. Prints a JSON object.
#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::time::Instant;

use ablate_cost::Shape;
use ablate_model::{
    Backend, Decoder, GenerateOptions, ModelConfig, Scheme, device, generate_batch, random_weights,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    ablate_kernels::tune_allocator();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let options: HashMap<&str, &str> =
        words.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let number = |name: &str, default: usize| -> Result<usize, std::num::ParseIntError> {
        options.get(name).map_or(Ok(default), |text| text.parse())
    };
    let (batch, prompt, new) =
        (number("--batch", 20)?, number("--prompt", 2)?, number("--new", 510)?);
    let threads = number("--threads", 2)?;
    let shape = options.get("--shape").unwrap_or(&"256,6,8,688,4096");
    let sizes = shape.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let [width, depth, heads, ffn, vocabulary] =
        sizes.try_into().map_err(|_| "a shape has five numbers")?;

    let shape = Shape {
        vocabulary,
        depth,
        width,
        heads,
        kv_heads: heads,
        ffn,
        tied: false,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    let config = ModelConfig {
        shape,
        context: prompt + new,
        rope_theta: 10_000.0,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    };
    let weights = random_weights(&config, Scheme::Gpt2, 0.02, 1);
    let model = Decoder::from_weights(&config, &weights, &device(Backend::Flex))?;
    let prompts: Vec<Vec<u32>> = (0..batch)
        .map(|row| (0..prompt).map(|i| ((row * 31 + i * 7 + 1) % vocabulary) as u32).collect())
        .collect();
    let prompts: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let run = |new: usize| {
        let options = GenerateOptions { max_new_tokens: new, stop: Vec::new() };
        pool.install(|| generate_batch(&model, &prompts, &options))
    };
    run(8);
    let start = Instant::now();
    let generated: usize = run(new).iter().map(Vec::len).sum();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{{\"tokens\": {generated}, \"seconds\": {seconds:.3}, \"tokens_per_second\": {:.1}}}",
        generated as f64 / seconds
    );
    Ok(())
}
