//! Sizes of variants that scores are correlated with.

use crate::rows::VariantRow;

/// Variants below which a rank correlation says nothing.
pub(crate) const FEWEST: usize = 5;

/// A size that may vary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// As study files write it.
    pub(crate) name: &'static str,
    /// As tables show it.
    pub(crate) title: &'static str,
    pub(crate) of: fn(&VariantRow) -> f64,
}

/// Every size.
pub(crate) const SIZES: [Size; 6] = [
    Size { name: "depth", title: "Depth", of: |row| row.depth as f64 },
    Size { name: "width", title: "Width", of: |row| row.width as f64 },
    Size {
        name: "rate",
        title: "Expansion rate (FFN / width)",
        of: |row| row.ffn as f64 / row.width as f64,
    },
    Size { name: "heads", title: "Heads", of: |row| row.heads as f64 },
    Size { name: "vocabulary", title: "Vocabulary", of: |row| row.vocabulary as f64 },
    Size { name: "parameters", title: "Parameters", of: |row| row.params.total as f64 },
];
