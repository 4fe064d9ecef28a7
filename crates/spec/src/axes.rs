//! Where each variant stands on the factors of its study: what figures are drawn over.

use crate::changes::{self, Leaf};
use crate::naming::short_names;
use crate::{Axis, AxisValue};

/// The axes of these factors; `variants` has the values of every variant.
pub(crate) fn read(variants: &[Vec<Leaf>], factors: &[String]) -> Vec<Axis> {
    let paths: Vec<&str> = factors.iter().map(String::as_str).collect();
    let value = |leaves: &Vec<Leaf>, path: &str| {
        let (text, number) = changes::value(leaves, path).unwrap_or_default();
        AxisValue { text: text.trim_matches('"').to_string(), number }
    };
    short_names(&paths)
        .into_iter()
        .zip(&paths)
        .map(|(name, path)| Axis {
            path: (*path).to_string(),
            name,
            values: variants.iter().map(|leaves| value(leaves, path)).collect(),
        })
        .collect()
}
