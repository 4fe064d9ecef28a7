//! The `[model]` table before its sizes are settled: what depends on the width is still a
//! rule, so that the width can be varied or solved for.

use ablate_cost::{Pi, ShapeError, ffn_width};

use crate::Model;
use crate::blame::Blame;
use crate::reporter::Reporter;
use crate::tables::ModelTable;

/// A decoder up to its depth and width.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    pub(crate) depth: Option<usize>,
    pub(crate) width: Option<usize>,
    pub(crate) heads: Option<Heads>,
    pub(crate) kv_heads: Option<usize>,
    ffn: Ffn,
    activations: usize,
    /// Width over the channels of the bottleneck beside attention.
    shortcut: Option<usize>,
    tied: bool,
    pub(crate) context: usize,
    rope_theta: f64,
    norm_eps: f64,
}

/// How the number of heads follows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heads {
    /// So many.
    Count(usize),
    /// As many of this size as the width holds.
    Of(usize),
}

#[derive(Clone, Copy, Debug)]
enum Ffn {
    Size(usize),
    Rate { rate: f64, multiple: usize },
}

impl Decoder {
    pub(crate) fn new(table: ModelTable) -> Self {
        let size = |size: Option<u64>| size.map(|size| size as usize);
        let dim = size(table.head_dim).map(Heads::Of);
        Self {
            depth: size(table.depth),
            width: size(table.width),
            heads: size(table.heads).map(Heads::Count).or(dim),
            kv_heads: size(table.kv_heads),
            ffn: match size(table.ffn.size) {
                Some(size) => Ffn::Size(size),
                None => Ffn::Rate { rate: table.ffn.rate, multiple: table.ffn.multiple as usize },
            },
            activations: table.pi.activations as usize,
            shortcut: size(table.pi.shortcut),
            tied: table.tied,
            context: table.context as usize,
            rope_theta: table.rope_theta,
            norm_eps: table.norm_eps,
        }
    }

    /// The decoder in numbers. `None` when it has no heads yet or none of them fits.
    pub(crate) fn with(&self, depth: usize, width: usize) -> Option<Model> {
        let heads = match self.heads? {
            Heads::Count(heads) => heads,
            Heads::Of(dim) if width.is_multiple_of(dim) && width > 0 => width / dim,
            Heads::Of(_) => return None,
        };
        Some(Model {
            depth,
            width,
            heads,
            kv_heads: self.kv_heads.unwrap_or(heads),
            ffn: match self.ffn {
                Ffn::Size(size) => size,
                Ffn::Rate { rate, multiple } => ffn_width(width, rate, multiple),
            },
            pi: Pi {
                activations: self.activations,
                shortcut: self.shortcut.map_or(0, |ratio| (width / ratio).max(1)),
            },
            tied: self.tied,
            context: self.context,
            rope_theta: self.rope_theta,
            norm_eps: self.norm_eps,
        })
    }

    /// The decoder at its own depth and width, checked; every problem is reported.
    pub(crate) fn settled(
        &self,
        vocabulary: usize,
        blame: &Blame<'_>,
        report: &mut Reporter,
    ) -> Option<Model> {
        let mut missing = |path: &str, add: &str| blame.missing(report, path, add);
        if self.depth.is_none() {
            missing("model.depth", "depth = 4");
        }
        if self.width.is_none() {
            missing("model.width", "width = 128");
        }
        if self.heads.is_none() {
            missing("model.heads", "heads = 4 or head_dim = 32");
        }
        let (depth, width, heads) = (self.depth?, self.width?, self.heads?);
        let Some(model) = self.with(depth, width) else {
            let Heads::Of(dim) = heads else { return None };
            let below = width / dim * dim;
            let near =
                if below == 0 { dim.to_string() } else { format!("{below} or {}", below + dim) };
            let what = format!("width {width} is not a multiple of head_dim {dim}");
            let help = Some(format!("take {near}"));
            let paths = ["model.width", "model.head_dim"];
            blame.error(report, &paths, what, "heads must fill the width", help);
            return None;
        };
        match model.shape(vocabulary).check() {
            Ok(()) => Some(model),
            Err(error) => {
                let (paths, why): (&[&str], _) = match error {
                    ShapeError::WidthNotDivisible { .. } => {
                        (&["model.width", "model.heads"], "heads must fill the width")
                    }
                    ShapeError::HeadsNotDivisible { .. } => (
                        &["model.kv_heads", "model.heads", "model.head_dim"],
                        "each key and value head serves the same number of query heads",
                    ),
                    ShapeError::OddHeadDim(_) => {
                        (&["model.head_dim", "model.heads", "model.width"], "must be even")
                    }
                    ShapeError::Zero(_) => (&["model"], "must be at least 1"),
                };
                blame.error(report, paths, error.to_string(), why, None);
                None
            }
        }
    }
}
