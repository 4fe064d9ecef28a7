//! How widely the weights of every matrix spread, layer by layer (the paper's Figure 11).

use serde::{Deserialize, Serialize};

use crate::{ModelConfig, Part, Place, Weights};

/// The standard deviation of one matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Layer, from 0.
    pub layer: usize,
    /// `q`, `k`, `v`, `o`, `gate`, `up` or `down`.
    pub matrix: String,
    /// Standard deviation of its entries (divided by their number, as in `numpy.std`).
    pub std: f64,
}

/// The matrices that are looked at, with their short names.
const MATRICES: [(Part, &str); 7] = [
    (Part::Query, "q"),
    (Part::Key, "k"),
    (Part::Value, "v"),
    (Part::Output, "o"),
    (Part::Gate, "gate"),
    (Part::Up, "up"),
    (Part::Down, "down"),
];

/// Standard deviations of the seven matrices of every layer; what is missing is left out.
pub fn spreads(config: &ModelConfig, weights: &Weights) -> Vec<Spread> {
    let layers = 0..config.shape.depth;
    let places = layers.flat_map(|layer| MATRICES.map(|(part, name)| (layer, part, name)));
    places
        .filter_map(|(layer, part, name)| {
            let values = &weights.get(&Place::Layer(layer, part).name())?.values;
            let matrix = name.to_owned();
            Some(Spread { layer, matrix, std: standard_deviation(values) })
        })
        .collect()
}

/// In two passes: weights may lie far from zero.
fn standard_deviation(values: &[f32]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum();
    (squares / n).sqrt()
}

#[cfg(test)]
mod tests {
    use ablate_cost::Shape;

    use super::*;
    use crate::{Scheme, random_weights};

    #[test]
    fn deviations_are_those_of_the_entries() {
        // numpy.std([1, 2, 4, 7]) and of the same far from zero.
        assert!((standard_deviation(&[1.0, 2.0, 4.0, 7.0]) - 2.291_287_847).abs() < 1e-9);
        assert!(
            (standard_deviation(&[4001.0, 4002.0, 4004.0, 4007.0]) - 2.291_287_847).abs() < 1e-9
        );
        assert_eq!(standard_deviation(&[3.0; 5]), 0.0);
    }

    #[test]
    fn every_matrix_of_every_layer_is_there() {
        let shape = Shape {
            vocabulary: 20,
            depth: 3,
            width: 32,
            heads: 2,
            kv_heads: 1,
            ffn: 40,
            tied: true,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        let config = ModelConfig {
            shape,
            context: 8,
            rope_theta: 1e4,
            norm_eps: 1e-5,
            rope_scaling: Default::default(),
        };
        let mut weights = random_weights(&config, Scheme::Internlm, 0.02, 1);
        let name = Place::Layer(1, Part::Key).name();
        weights.get_mut(&name).unwrap().values.fill(0.5);
        let found = spreads(&config, &weights);
        assert_eq!(found.len(), 3 * 7);
        let of = |layer: usize, matrix: &str| {
            found.iter().find(|s| s.layer == layer && s.matrix == matrix).unwrap().std
        };
        assert_eq!(of(1, "k"), 0.0);
        assert!((of(0, "q") / 0.02 - 1.0).abs() < 0.1);
        assert!((of(2, "down") / (0.02 / 6f64.sqrt()) - 1.0).abs() < 0.1);
    }
}
