//! A short timing of one shape: forward pass, backward pass and update on made-up tokens.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use ablate_cost::Shape;
use ablate_model::{
    Backend, Decoder, ModelConfig, ParameterMap, Scheme, random_weights, training_device,
};
use burn::tensor::{Int, Tensor, TensorData};
use rayon::ThreadPool;

use super::timings::{Measured, Workload};

/// What one timed step should take: long enough for the clock, short enough to wait for.
const STEP: Duration = Duration::from_millis(300);
/// When to stop measuring.
const ENOUGH: Duration = Duration::from_millis(800);
/// AdamW reads and writes seven numbers per weight, plain descent three; both wait for memory.
const ADAMW: f64 = 7.0 / 3.0;

/// The shape whose speed stands for those that are too large to be timed.
pub fn reference() -> (ModelConfig, usize) {
    let shape = Shape {
        vocabulary: 2048,
        depth: 4,
        width: 256,
        heads: 4,
        kv_heads: 4,
        ffn: 688,
        tied: false,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    (
        ModelConfig {
            shape,
            context: 256,
            rope_theta: 10_000.0,
            norm_eps: 1e-5,
            rope_scaling: Default::default(),
        },
        16,
    )
}

/// Times one workload with one thread, on at most its sequences at a time, by so many workers at once:
/// that is how trainings run, and they slow each other. `None` when its model cannot be built.
pub fn measure(workload: Workload<'_>, workers: usize) -> Option<Measured> {
    let times = together(workers, 1, |start| {
        workload.precision.scope(|| time(workload.model, workload.sequences, start))
    })?;
    let mean = |of: fn(&Step) -> f64| times.iter().map(of).sum::<f64>() / times.len() as f64;
    Measured::new(workload.model, mean(|time| time.pass), mean(|time| time.update * ADAMW))
}

/// What so many workers at once, with so many threads each, say. `None` if one of them has nothing to
/// say, which all of them must find out before they wait for each other.
pub fn together<T: Send>(
    workers: usize,
    threads: usize,
    run: impl Fn(&Barrier) -> Option<T> + Sync,
) -> Option<Vec<T>> {
    let pools: Vec<ThreadPool> = (0..workers)
        .map(|_| rayon::ThreadPoolBuilder::new().num_threads(threads).build())
        .collect::<Result<_, _>>()
        .ok()?;
    let start = Barrier::new(workers);
    std::thread::scope(|scope| {
        let running: Vec<_> =
            pools.iter().map(|pool| scope.spawn(|| pool.install(|| run(&start)))).collect();
        running.into_iter().map(|worker| worker.join().ok().flatten()).collect()
    })
}

fn decoder(config: &ModelConfig) -> Option<Decoder> {
    let weights = random_weights(config, Scheme::Gpt2, 0.02, 0);
    Decoder::from_weights(config, &weights, &training_device(Backend::Flex)).ok()
}

/// So many sequences as a step can have in its time, at most those asked for.
fn fitting(model: Decoder, most: usize) -> (Decoder, usize) {
    // The first step touches fresh memory; the second says how much fits into the time.
    let (model, _) = step(model, 1);
    let (model, one) = step(model, 1);
    let fitting = (STEP.as_secs_f64() / one.pass.max(1e-6)) as usize;
    (model, fitting.clamp(1, most.max(1)))
}

/// Tokens per second of a workload on the threads of the calling pool, from when all that wait at
/// `start` are there. `None`, before that, when its model cannot be built.
pub fn rate(workload: Workload<'_>, start: &Barrier) -> Option<f64> {
    workload.precision.scope(|| {
        let (mut model, sequences) = fitting(decoder(workload.model)?, workload.sequences);
        start.wait();
        let begun = Instant::now();
        let mut steps = 0;
        while steps < 2 || begun.elapsed() < ENOUGH {
            (model, _) = step(model, sequences);
            steps += 1;
        }
        let tokens = steps * sequences * workload.model.context;
        Some(tokens as f64 / begun.elapsed().as_secs_f64())
    })
}

/// Means over steps, of the pass by token.
fn time(config: &ModelConfig, most: usize, start: &Barrier) -> Option<Step> {
    let (mut model, sequences) = fitting(decoder(config)?, most);
    start.wait();
    let begun = Instant::now();
    let (mut steps, mut sum) = (0, Step { pass: 0.0, update: 0.0 });
    while steps < 2 || begun.elapsed() < ENOUGH {
        let one;
        (model, one) = step(model, sequences);
        sum = Step { pass: sum.pass + one.pass, update: sum.update + one.update };
        steps += 1;
    }
    let tokens = steps * sequences * config.context;
    Some(Step { pass: sum.pass / tokens as f64, update: sum.update / steps as f64 })
}

/// Seconds.
struct Step {
    pass: f64,
    update: f64,
}

fn step(model: Decoder, sequences: usize) -> (Decoder, Step) {
    let (context, vocabulary) = (model.config().context, model.config().shape.vocabulary);
    let device = model.device();
    let tokens = |shift: usize| -> Tensor<2, Int> {
        // Neighbouring tokens far apart in the vocabulary, as in text.
        let ids: Vec<i32> =
            (0..sequences * context).map(|i| ((i + shift) * 7919 % vocabulary) as i32).collect();
        Tensor::from_data(TensorData::new(ids, [sequences, context]), &device)
    };
    let (inputs, targets) = (tokens(0), tokens(1));
    let start = Instant::now();
    let loss = model.loss(inputs, targets);
    let gradients = model.gradients(&loss);
    // Lazy backends compute when they are asked for a value.
    let _ = loss.into_scalar::<f64>();
    let pass = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let _ = gradients.squared_norm();
    let model = model.update(gradients, &mut Descent);
    (model, Step { pass, update: start.elapsed().as_secs_f64() })
}

/// Plain gradient descent.
struct Descent;

const RATE: f64 = 1e-4;

impl ParameterMap for Descent {
    fn matrix(&mut self, _: &str, value: Tensor<2>, gradient: Option<Tensor<2>>) -> Tensor<2> {
        match gradient {
            Some(gradient) => value - gradient.mul_scalar(RATE),
            None => value,
        }
    }

    fn vector(&mut self, _: &str, value: Tensor<1>, gradient: Option<Tensor<1>>) -> Tensor<1> {
        match gradient {
            Some(gradient) => value - gradient.mul_scalar(RATE),
            None => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use ablate_train::Precision;

    use super::*;

    #[test]
    fn a_tiny_shape_is_timed_in_about_a_second() {
        let shape = Shape {
            vocabulary: 300,
            depth: 2,
            width: 32,
            heads: 2,
            kv_heads: 1,
            ffn: 64,
            tied: true,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        let model = ModelConfig {
            shape,
            context: 32,
            rope_theta: 10_000.0,
            norm_eps: 1e-5,
            rope_scaling: Default::default(),
        };
        let start = Instant::now();
        let workload = Workload { model: &model, sequences: 8, precision: Precision::F32 };
        let measured = measure(workload, 2).unwrap();
        assert!(start.elapsed() < Duration::from_secs(10));
        // Between a very slow core and more than any core can do.
        assert!((1e7..1e13).contains(&measured.flops_per_second), "{measured:?}");
        let flops = ablate_cost::flops_per_token(&shape, 32).training;
        let product = measured.flops_per_second * measured.seconds_per_token;
        assert!((product / flops - 1.0).abs() < 1e-9);
    }
}
