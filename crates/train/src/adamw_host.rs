//! AdamW's update of one parameter where tensors lie in ordinary memory: one pass over plain
//! slices instead of a dozen over tensors. Elements do not meet each other, so the number of
//! threads changes nothing.

use rayon::prelude::*;

/// Elements of one piece of work.
const CHUNK: usize = 1 << 15;

/// What an element's update is made of.
#[derive(Clone, Copy)]
pub(crate) struct Factors {
    /// Decays of the moments.
    pub(crate) beta: [f64; 2],
    /// What gradients are multiplied by.
    pub(crate) scale: f64,
    /// What the parameter is multiplied by: `1 - lr decay`.
    pub(crate) keep: f64,
    /// `lr / (1 - beta1^t)`.
    pub(crate) rate: f64,
    /// `sqrt(1 - beta2^t)`.
    pub(crate) root: f64,
    /// Added to the root of the second moment.
    pub(crate) epsilon: f64,
}

/// Updates a parameter and its moments, all of the same length, from its gradient.
pub(crate) fn advance(
    parameter: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    factors: Factors,
) {
    let single = factors.to_single();
    let pieces = parameter
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK)));
    pieces.for_each(|((p, g), (m, v))| single.advance(p, g, m, v));
}

/// The factors in single precision, as they meet the elements.
struct Single {
    beta: [f32; 2],
    rest: [f32; 2],
    scale: f32,
    keep: f32,
    rate: f32,
    root: f32,
    epsilon: f32,
}

impl Factors {
    fn to_single(self) -> Single {
        Single {
            beta: self.beta.map(|beta| beta as f32),
            rest: self.beta.map(|beta| (1.0 - beta) as f32),
            scale: self.scale as f32,
            keep: self.keep as f32,
            rate: self.rate as f32,
            root: self.root as f32,
            epsilon: self.epsilon as f32,
        }
    }
}

impl Single {
    fn advance(&self, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * self.scale;
            *m = *m * self.beta[0] + g * self.rest[0];
            *v = *v * self.beta[1] + g * g * self.rest[1];
            *p = *p * self.keep - *m / (v.sqrt() / self.root + self.epsilon) * self.rate;
        }
    }
}
