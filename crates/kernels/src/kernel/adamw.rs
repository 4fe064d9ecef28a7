//! AdamW's update of one parameter: one pass over parameter, gradient and both moments. Elements do
//! not meet each other, so the number of threads changes nothing.

use rayon::prelude::*;

use crate::simd::vectorised;

/// Elements of one piece of work.
const CHUNK: usize = 1 << 13;

/// The numbers of one update with AdamW, the same for all elements of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWFactors {
    /// Decays of the moments.
    pub beta: [f64; 2],
    /// What gradients are multiplied by: clipping, folded in.
    pub scale: f64,
    /// What the parameter is multiplied by: `1 - lr decay`.
    pub keep: f64,
    /// `lr / (1 - beta1^t)`.
    pub rate: f64,
    /// `sqrt(1 - beta2^t)`.
    pub root: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

/// Updates a parameter and its moments, all of the same length, from its gradient.
pub(crate) fn advance(
    parameter: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    factors: AdamWFactors,
) {
    let pieces = parameter
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK)));
    pieces.for_each(|((p, g), (m, v))| piece(p, g, m, v, factors));
}

vectorised! {
    fn piece(
        parameter: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
        factors: AdamWFactors,
    ) {
        let beta = factors.beta.map(|beta| beta as f32);
        let rest = factors.beta.map(|beta| (1.0 - beta) as f32);
        let (scale, keep, rate) = (factors.scale as f32, factors.keep as f32, factors.rate as f32);
        let (root, epsilon) = (factors.root as f32, factors.epsilon as f32);
        for (((p, g), m), v) in parameter.iter_mut().zip(gradient).zip(first).zip(second) {
            let g = g * scale;
            *m = *m * beta[0] + g * rest[0];
            *v = *v * beta[1] + g * g * rest[1];
            *p = *p * keep - *m / (v.sqrt() / root + epsilon) * rate;
        }
    }
}
