//! Random weights: the four schemes that the paper compares.
//!
//! Every matrix is drawn from a normal distribution of mean 0; the schemes differ in its standard
//! deviation. Norms start at 1, embedding and output head at `std` in every scheme. Of n activations
//! that a gate sums, the scales start at 1 / n and the biases are drawn with `std`: the sum starts near a
//! single activation, and its terms differ from each other.
//!
//! Each tensor has a random stream of its own, keyed by the seed and the tensor's name: two models
//! share the values of every tensor that has the same name and shape, up to the scheme's factor,
//! however much the rest of them differs.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::{HostTensor, ModelConfig, Part, Place, Weights, places};

/// How the standard deviation depends on the matrix and its layer (PanGu-π Pro, section 3.3 and
/// appendix B).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// `std` everywhere.
    #[default]
    Constant,
    /// Every projection scaled by `1 / sqrt(N)`, N the number of residual layers. A decoder layer
    /// adds to the residual stream twice (attention, feed-forward), so N is twice the depth, as in
    /// GPT-2's code.
    Gpt2,
    /// Attention output and down projection of layer l (from 0) scaled by `1 / sqrt(2 (l + 1))`,
    /// as in the InternEvo framework; all others `std`.
    Internlm,
    /// Query and key fall from `sqrt(2) std` at the first layer to `std` at the last, value and
    /// attention output rise from `std / sqrt(2)` to `std`, linearly in the layer's index; the
    /// feed-forward block has `std`. A single layer counts as the last.
    DepthAdaptive,
}

impl Scheme {
    /// The factor on `std` for a matrix.
    fn factor(self, place: Place, depth: usize) -> f64 {
        let Place::Layer(layer, part) = place else { return 1.0 };
        match (self, part) {
            (_, Part::SeriesBias(_)) => 1.0,
            (Self::Gpt2, _) => 1.0 / (2.0 * depth as f64).sqrt(),
            (Self::Internlm, Part::Output | Part::Down) => {
                1.0 / (2.0 * (layer as f64 + 1.0)).sqrt()
            }
            (Self::DepthAdaptive, Part::Query | Part::Key) => {
                let progress = progress(layer, depth);
                2f64.sqrt() * (1.0 - progress) + progress
            }
            (Self::DepthAdaptive, Part::Value | Part::Output) => {
                let progress = progress(layer, depth);
                0.5f64.sqrt() * (1.0 - progress) + progress
            }
            (Self::Constant | Self::Internlm | Self::DepthAdaptive, _) => 1.0,
        }
    }
}

/// 0 at the first layer, 1 at the last.
fn progress(layer: usize, depth: usize) -> f64 {
    if depth < 2 { 1.0 } else { layer as f64 / (depth - 1) as f64 }
}

/// Weights drawn by a scheme. `std` is the scheme's sigma; the paper's framework uses 0.02.
pub fn random_weights(config: &ModelConfig, scheme: Scheme, std: f64, seed: u64) -> Weights {
    let draw = |place: Place| {
        let name = place.name();
        let shape = place.shape(&config.shape);
        let tensor = if place.is_norm() {
            HostTensor::filled(shape, 1.0)
        } else if place.is_bias() {
            HostTensor::filled(shape, 0.0)
        } else if let Place::Layer(_, Part::SeriesScale(_)) = place {
            HostTensor::filled(shape, 1.0 / config.shape.pi.activations as f32)
        } else {
            let scale = std * scheme.factor(place, config.shape.depth);
            let count = shape.iter().product();
            let mut normal = Normal::new(seed, &name);
            let values = (0..count).map(|_| (scale * normal.next()) as f32).collect();
            HostTensor { shape, values }
        };
        (name, tensor)
    };
    places(config).map(draw).collect()
}

/// Standard normal numbers from ChaCha8 by Box and Muller's transform in f64. Written out because
/// the algorithms of random-number crates change between versions, and stored results must not.
struct Normal {
    random: ChaCha8Rng,
    spare: Option<f64>,
}

impl Normal {
    fn new(seed: u64, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("ablate model weights v1");
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        let random = ChaCha8Rng::from_seed(*hasher.finalize().as_bytes());
        Self { random, spare: None }
    }

    /// Uniform on multiples of 2^-53 in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 - u is in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }
}

#[cfg(test)]
mod tests {
    use ablate_cost::Shape;

    use super::*;

    fn config(depth: usize) -> ModelConfig {
        let shape = Shape {
            vocabulary: 300,
            depth,
            width: 96,
            heads: 4,
            kv_heads: 2,
            ffn: 128,
            tied: false,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        ModelConfig {
            shape,
            context: 64,
            rope_theta: 1e4,
            norm_eps: 1e-5,
            rope_scaling: Default::default(),
        }
    }

    fn std(weights: &Weights, place: Place) -> f64 {
        let values = &weights.get(&place.name()).unwrap().values;
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        // The mean of n normal numbers has the deviation std / sqrt(n).
        assert!(mean.abs() < 5.0 * (variance / n).sqrt(), "{}: mean {mean}", place.name());
        variance.sqrt()
    }

    /// Checks every matrix of a model of 4 layers against the deviation that `expected` gives.
    fn check(scheme: Scheme, expected: impl Fn(Place) -> f64) {
        let config = config(4);
        let weights = random_weights(&config, scheme, 0.02, 11);
        for place in places(&config) {
            if place.is_norm() {
                assert!(weights.get(&place.name()).unwrap().values.iter().all(|v| *v == 1.0));
                continue;
            }
            let count = place.shape(&config.shape).iter().product::<usize>() as f64;
            let relative = std(&weights, place) / expected(place) - 1.0;
            // The deviation of n normal numbers is known to 1 / sqrt(2 n).
            assert!(relative.abs() < 4.5 / (2.0 * count).sqrt(), "{}: {relative}", place.name());
        }
    }

    #[test]
    fn constant_is_the_same_everywhere() {
        check(Scheme::Constant, |_| 0.02);
    }

    #[test]
    fn gpt2_scales_every_projection_by_the_residual_layers() {
        check(Scheme::Gpt2, |place| match place {
            Place::Layer(..) => 0.02 / 8f64.sqrt(),
            _ => 0.02,
        });
    }

    #[test]
    fn internlm_scales_output_and_down_by_their_layer() {
        check(Scheme::Internlm, |place| match place {
            Place::Layer(layer, Part::Output | Part::Down) => {
                0.02 / [2f64, 4.0, 6.0, 8.0][layer].sqrt()
            }
            _ => 0.02,
        });
    }

    #[test]
    fn depth_adaptive_falls_and_rises() {
        let (high, low) = (2f64.sqrt(), 0.5f64.sqrt());
        check(Scheme::DepthAdaptive, |place| match place {
            Place::Layer(layer, Part::Query | Part::Key) => {
                0.02 * [high, (2.0 * high + 1.0) / 3.0, (high + 2.0) / 3.0, 1.0][layer]
            }
            Place::Layer(layer, Part::Value | Part::Output) => {
                0.02 * [low, (2.0 * low + 1.0) / 3.0, (low + 2.0) / 3.0, 1.0][layer]
            }
            _ => 0.02,
        });
    }

    #[test]
    fn a_single_layer_counts_as_the_last() {
        let single = |scheme| random_weights(&config(1), scheme, 0.02, 1);
        assert_eq!(single(Scheme::DepthAdaptive), single(Scheme::Constant));
    }

    #[test]
    fn the_distribution_is_normal() {
        let mut normal = Normal::new(1, "x");
        let draws: Vec<f64> = (0..200_000).map(|_| normal.next()).collect();
        let moment = |k: i32| draws.iter().map(|x| x.powi(k)).sum::<f64>() / draws.len() as f64;
        // Standard errors of the first four moments: 1, sqrt 2, sqrt 15, sqrt 96 over sqrt n.
        let n = (draws.len() as f64).sqrt();
        for (k, expected, error) in [(1, 0.0, 1.0), (2, 1.0, 1.42), (3, 0.0, 3.88), (4, 3.0, 9.8)] {
            assert!((moment(k) - expected).abs() < 4.0 * error / n, "moment {k}: {}", moment(k));
        }
        let within = draws.iter().filter(|x| x.abs() < 1.0).count() as f64 / draws.len() as f64;
        assert!((within - 0.682_689).abs() < 0.005, "{within}");
    }

    #[test]
    fn equal_names_and_shapes_share_values_between_models() {
        let (shallow, deep) = (config(2), config(5));
        let tied = ModelConfig { shape: Shape { tied: true, ..deep.shape }, ..deep.clone() };
        let [a, b, c] =
            [&shallow, &deep, &tied].map(|c| random_weights(c, Scheme::Constant, 0.02, 9));
        for (name, tensor) in a.iter() {
            assert_eq!(b.get(name), Some(tensor), "{name}");
        }
        for (name, tensor) in c.iter() {
            assert_eq!(b.get(name), Some(tensor), "{name}");
        }
        let other = random_weights(&deep, Scheme::Constant, 0.02, 10);
        let name = "model.layers.0.self_attn.q_proj.weight";
        assert_ne!(other.get(name), b.get(name));
        let key = "model.layers.0.self_attn.o_proj.weight";
        assert_ne!(b.get(name), b.get(key));
    }

    #[test]
    fn values_stay_what_they_are() {
        // Stored initial weights are part of a result's identity: a change here is a new version.
        let weights = random_weights(&config(2), Scheme::Constant, 0.02, 1);
        let first = &weights.get("model.embed_tokens.weight").unwrap().values[..4];
        assert_eq!(first, [0.010283895, 0.0033482616, -0.01615497, -0.03234818]);
    }
}
