//! The kernels on plain slices. They know nothing of tensors, devices or graphs; all matrices are
//! row-major and contiguous, and every reduction has one fixed order.

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
pub(crate) mod squares;
pub(crate) mod swiglu;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Shared;
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
        unsafe { attention::backward(&wave(q.len(), 0.17), saved, shape, places) };
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

    #[test]
    fn all_instruction_sets_agree() {
        let run = |level| held(level, everything);
        let baseline = run(Level::Baseline);
        for level in [Level::Avx2, Level::Avx512] {
            if level > best() {
                continue;
            }
            for (which, (ours, truth)) in run(level).iter().zip(&baseline).enumerate() {
                let scale = truth.iter().fold(0.0f32, |most, value| most.max(value.abs()));
                for (ours, truth) in ours.iter().zip(truth) {
                    assert!((ours - truth).abs() <= 2e-6 * scale, "{level:?}, result {which}");
                }
            }
        }
    }
}
