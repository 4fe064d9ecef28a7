//! What can be cut out of a decoder, and a number for each of it.

use ablate_cost::Shape;
use serde::{Deserialize, Serialize};

/// A number for every unit of a decoder: a mask, a gradient, a score. What is coupled is one unit: a
/// hidden channel runs through all layers, a key and value head has the query heads that share it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Layers; empty where nothing is said of them.
    pub layers: Vec<f64>,
    /// Hidden channels.
    pub hidden: Vec<f64>,
    /// Key and value heads of each layer.
    pub heads: Vec<Vec<f64>>,
    /// Feed-forward channels of each layer.
    pub ffn: Vec<Vec<f64>>,
    /// Channels of the bottleneck beside attention, of each layer; empty lists where there is none.
    pub shortcut: Vec<Vec<f64>>,
}

impl Units {
    /// The same number for every unit of a shape, layers included.
    pub fn filled(shape: &Shape, value: f64) -> Self {
        let each = |count: usize| vec![vec![value; count]; shape.depth];
        Self {
            layers: vec![value; shape.depth],
            hidden: vec![value; shape.width],
            heads: each(shape.kv_heads),
            ffn: each(shape.ffn),
            shortcut: each(shape.pi.shortcut),
        }
    }

    /// Whether there is a finite number for every unit of a shape; of layers there may be none.
    pub fn fits(&self, shape: &Shape) -> bool {
        let finite = |list: &[f64], count: usize| {
            list.len() == count && list.iter().all(|number| number.is_finite())
        };
        let each = |lists: &[Vec<f64>], count: usize| {
            lists.len() == shape.depth && lists.iter().all(|list| finite(list, count))
        };
        (self.layers.is_empty() || finite(&self.layers, shape.depth))
            && finite(&self.hidden, shape.width)
            && each(&self.heads, shape.kv_heads)
            && each(&self.ffn, shape.ffn)
            && each(&self.shortcut, shape.pi.shortcut)
    }

    /// The numbers of some layers, in this order, and of what all layers share.
    ///
    /// # Panics
    /// If there is no such layer.
    #[must_use]
    pub fn of_layers(&self, layers: &[usize]) -> Self {
        let pick = |lists: &[Vec<f64>]| layers.iter().map(|layer| lists[*layer].clone()).collect();
        Self {
            layers: match self.layers.is_empty() {
                true => Vec::new(),
                false => layers.iter().map(|layer| self.layers[*layer]).collect(),
            },
            hidden: self.hidden.clone(),
            heads: pick(&self.heads),
            ffn: pick(&self.ffn),
            shortcut: pick(&self.shortcut),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_of_a_shape_has_a_number() {
        let shape = Shape {
            vocabulary: 11,
            depth: 3,
            width: 8,
            heads: 4,
            kv_heads: 2,
            ffn: 5,
            tied: false,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        let units = Units::filled(&shape, 0.5);
        assert!(units.fits(&shape));
        assert_eq!((units.layers.len(), units.hidden.len()), (3, 8));
        assert_eq!((units.heads[2].len(), units.ffn[0].len(), units.shortcut[1].len()), (2, 5, 0));
        assert!(Units { layers: Vec::new(), ..units.clone() }.fits(&shape));
        assert!(!Units { hidden: vec![0.5; 7], ..units.clone() }.fits(&shape));
        assert!(!Units { ffn: units.ffn[1..].to_vec(), ..units.clone() }.fits(&shape));
        assert!(!Units { layers: vec![f64::NAN; 3], ..units.clone() }.fits(&shape));
        let mut numbered = units;
        numbered.layers = vec![0.0, 1.0, 2.0];
        numbered.ffn[2] = vec![9.0; 5];
        let picked = numbered.of_layers(&[2, 0]);
        assert_eq!((picked.layers, picked.ffn), (vec![2.0, 0.0], vec![vec![9.0; 5], vec![0.5; 5]]));
    }
}
