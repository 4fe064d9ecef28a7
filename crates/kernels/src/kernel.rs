//! The kernels on plain slices. They know nothing of tensors, devices or graphs; all matrices are
//! row-major and contiguous, and every reduction has one fixed order.

pub(crate) mod adamw;
pub(crate) mod attention;
pub(crate) mod embedding;
pub(crate) mod feed_forward;
pub(crate) mod head;
pub(crate) mod linear;
pub(crate) mod loss;
pub(crate) mod norm;
pub(crate) mod one_query;
pub(crate) mod projection;
pub(crate) mod residual;
pub(crate) mod rotary;
pub(crate) mod rows;
pub(crate) mod self_attention;
pub(crate) mod siaf;
pub(crate) mod squares;
pub(crate) mod swiglu;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Shared;
    use crate::gemm::Precision;
    use crate::simd::{Level, best, held};

    /// Every kernel once, on sizes that leave a remainder everywhere.
    fn everything() -> Vec<Vec<f32>> {
        let wave = |length: usize, rate: f32| -> Vec<f32> {
            (0..length).map(|i| (i as f32 * rate).sin() * 3.0).collect()
        };
        let (rows, d) = (70, 45);
        let (x, y, weight) = (wave(rows * d, 0.37), wave(rows * d, 0.73), wave(d, 0.11));
        let mut out = Vec::new();
        let [normed, inverse] = norm::forward(&x, &weight, 1e-5);
        out.extend(norm::backward(&y, &x, &weight, &inverse));
        out.extend([normed, inverse, swiglu::forward(&x, &y)]);
        out.extend(swiglu::backward(&weight.repeat(rows), &x, &y));
        let (scale, bias) = (wave(3 * d, 0.17), wave(3 * d, 0.29));
        let series = siaf::Series { scale: &scale, bias: &bias, ffn: d };
        let back = siaf::backward(&weight.repeat(rows), &x, &y, series);
        out.extend([siaf::forward(&x, &y, series), back.gate, back.up, back.scale, back.bias]);
        let (heads, half, time) = (3, 5, 35);
        let angles = wave(time * half, 0.19);
        let turned =
            rotary::rotate(&x[..2 * time * heads * 10], &angles, &angles, heads, half, false);
        out.push(turned);

        let shape =
            attention::Shape { batch: 2, time: 67, past: 5, heads: 4, kv_heads: 2, width: 11 };
        let q = wave(2 * 67 * 4 * 11, 0.41);
        let (k, v) = (wave(2 * 72 * 2 * 11, 0.29), wave(2 * 72 * 2 * 11, 0.53));
        let [heads, keys, values] = [(&q, 67, 4), (&k, 72, 2), (&v, 72, 2)]
            .map(|(data, rows, heads)| attention::Heads::alone(data, [rows, heads, 11]));
        let [attended, lse] = attention::forward(heads, keys, values, shape);
        let saved = attention::Saved { q: heads, k: keys, v: values, lse: &lse };
        let mut gradients = [&q, &k, &v].map(|like| vec![0.0; like.len()]);
        let [dq, dk, dv] = &mut gradients;
        let places = [(dq, 4), (dk, 2), (dv, 2)]
            .map(|(data, heads)| attention::Place::alone(Shared::of(data), heads, 11));
        // SAFETY: the places have the sizes of their inputs.
        let slopes = wave(q.len(), 0.17);
        let slopes = attention::Heads::alone(&slopes, [67, 4, 11]);
        unsafe { attention::backward(slopes, saved, shape, places) };
        out.extend(gradients);
        out.extend([attended, lse]);

        let targets: Vec<usize> = (0..rows).map(|row| row * 7 % d).collect();
        out.push(loss::token_losses(&x, &targets, d));
        let mut logits = x.clone();
        out.push(loss::losses_into_gradient(&mut logits, &targets, d, 0.5));
        out.push(logits);
        out.push(vec![squares::sum(&y) as f32]);
        out
    }

    /// The blocks that are made of the kernels above and of products.
    fn blocks() -> Vec<Vec<f32>> {
        // Irregular: sums of regular waves cancel, and nothing but rounding is left of them.
        let noise = |x: f32| (f64::from(x + 1.0).sin() * 43_758.547).fract() as f32 * 0.5;
        let matrix = |rows: usize, columns: usize, rate: f32| -> Vec<f32> {
            (0..rows * columns).map(|i| noise(i as f32 * rate)).collect()
        };
        let (rows, d, ffn, q, k) = (70, 45, 67, 40, 20);
        let eps = 1e-5;
        let (x, y, norm) = (&matrix(rows, d, 0.37), &matrix(rows, d, 0.73), &matrix(1, d, 0.11));
        let mut out = Vec::new();

        let (gate, up, down) = (matrix(d, ffn, 0.7), matrix(d, ffn, 0.9), matrix(ffn, d, 1.1));
        let weights = feed_forward::Weights { norm, gate: &gate, up: &up, down: &down, eps };
        let forward = feed_forward::forward(x, weights, true);
        let saved = forward.saved.unwrap();
        let parts = [saved.inverse.as_slice(), &saved.gate, &saved.up];
        let back = feed_forward::backward(y, x, parts, weights);
        out.extend([forward.out, back.x, back.norm, back.gate, back.up, back.down]);
        out.extend([saved.inverse, saved.gate, saved.up]);

        let matrices = [matrix(d, q, 0.5), matrix(d, k, 0.6), matrix(d, k, 0.8)];
        let [to_q, to_k, to_v] = &matrices;
        let weights = projection::Weights { norm, matrices: [to_q, to_k, to_v], eps };
        let (cos, sin) = (matrix(35, 5, 0.19), matrix(35, 5, 0.23));
        let angles = projection::Angles { cos: &cos, sin: &sin, half: 5 };
        let [heads, inverse] = projection::forward(x, weights, angles);
        let mut slopes = matrix(rows, projection::stride([q, k, k]), 0.21);
        let back = projection::backward(&mut slopes, y, (x, &inverse), weights, angles);
        out.extend([heads, inverse, slopes, back.x, back.norm]);
        out.extend(back.matrices);

        let (mixed, weight) = (matrix(rows, q, 0.31), matrix(q, d, 0.43));
        out.push(residual::forward(x, &mixed, &weight, [rows, q, d]));
        let back = residual::backward(y, &mixed, &weight, [rows, q, d]);
        out.extend([back.x, back.weight]);

        let (head, vocabulary) = (matrix(d, 83, 0.77), 83);
        let targets: Vec<usize> = (0..rows).map(|row| row * 5 % vocabulary).collect();
        let wanted = head::Wanted { hidden: true, head: true };
        let loss = head::loss(x, &head, &targets, [d, vocabulary], wanted);
        out.extend([vec![loss.loss], loss.d_hidden.unwrap(), loss.d_head.unwrap()]);
        out
    }

    /// Runs `work` on every instruction set of this machine and compares with the baseline.
    fn agree(work: impl Fn() -> Vec<Vec<f32>> + Send + Sync, near: f32) {
        let run = |level| held(level, &work);
        let baseline = run(Level::Baseline);
        for level in [Level::Avx2, Level::Avx512] {
            if level > best() {
                continue;
            }
            for (which, (ours, truth)) in run(level).iter().zip(&baseline).enumerate() {
                let scale = truth.iter().fold(0.0f32, |most, value| most.max(value.abs()));
                let error = ours.iter().zip(truth).map(|(ours, truth)| (ours - truth).abs());
                let worst = error.fold(0.0, f32::max) / scale;
                assert!(worst <= near, "{level:?}, result {which}: {worst:e}");
            }
        }
    }

    #[test]
    fn all_instruction_sets_agree() {
        agree(everything, 2e-6);
    }

    #[test]
    fn blocks_agree_on_all_instruction_sets() {
        // Sums over rows follow chunks, whose size depends on the instruction set.
        agree(blocks, 1e-5);
        // Where a chain of rounded factors is rounded again, a last bit decides between neighbours
        // that are 2^-8 apart.
        agree(|| Precision::Bf16.scope(blocks), 1e-2);
    }
}
