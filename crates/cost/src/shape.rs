//! The sizes of a LLaMA-like decoder and the parameters that they imply.

use serde::{Deserialize, Serialize};

/// Sizes of a decoder: everything that a parameter count depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// Decoder layers.
    pub depth: usize,
    /// Hidden channels of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads (equal to `heads` without grouping).
    pub kv_heads: usize,
    /// Channels between the up and down projections of a feed-forward block.
    pub ffn: usize,
    /// Whether the output head shares the embedding matrix.
    pub tied: bool,
    /// What PanGu-π adds to a layer.
    #[serde(default, skip_serializing_if = "Pi::is_none")]
    pub pi: Pi,
    /// What attention has besides LLaMA's.
    #[serde(default, skip_serializing_if = "Attention::is_none")]
    pub attention: Attention,
    /// How a layer is put together.
    #[serde(default, skip_serializing_if = "Block::is_llama")]
    pub block: Block,
}

/// How a layer is put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// LLaMA's: attention, then a gated feed-forward block, an RMSNorm before each.
    #[default]
    Llama,
    /// Phi's (Gunasekar et al. 2023, arXiv:2306.11644): attention and a plain feed-forward block side by
    /// side after one LayerNorm, biases everywhere, those of norms and of the head included.
    Phi,
}

impl Block {
    /// Whether it is LLaMA's; files leave it out then.
    pub fn is_llama(&self) -> bool {
        *self == Self::Llama
    }
}

/// What the attention of other families has besides LLaMA's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    /// Channels of a head, where they are not the width over the heads (some of Mistral's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_dim: Option<usize>,
    /// Whether queries, keys and values have biases (Qwen2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bias: bool,
}

impl Attention {
    /// LLaMA's own.
    pub const NONE: Self = Self { head_dim: None, bias: false };

    /// Whether nothing differs; files leave it out then.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

/// What PanGu-π (Wang et al. 2023, arXiv:2312.17276) adds to a layer of LLaMA's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pi {
    /// Activations that the gate of a feed-forward block sums (series informed activation), each
    /// with a scale and a bias of its own for every channel; 1 is a plain gate, which has neither.
    pub activations: usize,
    /// Channels of the bottleneck beside attention (augmented shortcut); 0 is none.
    pub shortcut: usize,
}

impl Pi {
    /// Nothing: LLaMA's own layer.
    pub const NONE: Self = Self { activations: 1, shortcut: 0 };

    /// Whether nothing is added. Files leave it out then, as they did before there was a choice, so
    /// that what they identify stays the same.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Activations with scales and biases.
    pub fn series(&self) -> usize {
        if self.activations > 1 { self.activations } else { 0 }
    }
}

impl Default for Pi {
    fn default() -> Self {
        Self::NONE
    }
}

/// Why a shape cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// A size is zero.
    Zero(&'static str),
    /// The width is not a multiple of the number of heads.
    WidthNotDivisible {
        /// Hidden channels.
        width: usize,
        /// Query heads.
        heads: usize,
    },
    /// Query heads cannot be divided among key and value heads.
    HeadsNotDivisible {
        /// Query heads.
        heads: usize,
        /// Key and value heads.
        kv_heads: usize,
    },
    /// Rotary embeddings turn pairs of channels.
    OddHeadDim(usize),
}

impl std::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Zero(what) => write!(f, "`{what}` is 0, but must be at least 1"),
            Self::WidthNotDivisible { width, heads } => write!(
                f,
                "width {width} is not divisible by {heads} heads; the nearest widths are {} and {}",
                width / heads * heads,
                width.div_ceil(*heads) * heads
            ),
            Self::HeadsNotDivisible { heads, kv_heads } => {
                write!(f, "{heads} heads cannot share {kv_heads} key and value heads evenly")
            }
            Self::OddHeadDim(dim) => write!(
                f,
                "a head has {dim} channels, but rotary embeddings turn pairs: use an even head size"
            ),
        }
    }
}

impl std::error::Error for ShapeError {}

/// Parameters of a model by where they sit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// All of them.
    pub total: u64,
    /// The embedding matrix.
    pub embedding: u64,
    /// The output head; 0 when it shares the embedding.
    pub head: u64,
    /// Everything but embedding and head.
    pub non_embedding: u64,
}

impl Parameters {
    /// Share of the embedding and the output head, as a fraction of 1. The paper calls it
    /// PEHL: 2 V d / N for an untied head.
    pub fn embedding_head_share(&self) -> f64 {
        (self.embedding + self.head) as f64 / self.total as f64
    }
}

impl Shape {
    /// Channels of one head.
    pub fn head_dim(&self) -> usize {
        self.attention.head_dim.unwrap_or(self.width / self.heads)
    }

    /// Channels of all query heads together: the width, unless heads have a size of their own.
    pub fn query_width(&self) -> usize {
        match self.attention.head_dim {
            Some(head_dim) => head_dim * self.heads,
            None => self.width,
        }
    }

    /// Channels of all key (or value) heads together.
    pub fn kv_width(&self) -> usize {
        self.head_dim() * self.kv_heads
    }

    /// Checks that the shape can be built.
    ///
    /// # Errors
    /// The first [`ShapeError`] found.
    pub fn check(&self) -> Result<(), ShapeError> {
        for (what, size) in [
            ("vocabulary", self.vocabulary),
            ("depth", self.depth),
            ("width", self.width),
            ("heads", self.heads),
            ("kv_heads", self.kv_heads),
            ("ffn", self.ffn),
            ("pi.activations", self.pi.activations),
            ("attention.head_dim", self.attention.head_dim.unwrap_or(1)),
        ] {
            if size == 0 {
                return Err(ShapeError::Zero(what));
            }
        }
        if self.attention.head_dim.is_none() && !self.width.is_multiple_of(self.heads) {
            return Err(ShapeError::WidthNotDivisible { width: self.width, heads: self.heads });
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(ShapeError::HeadsNotDivisible {
                heads: self.heads,
                kv_heads: self.kv_heads,
            });
        }
        if !self.head_dim().is_multiple_of(2) {
            return Err(ShapeError::OddHeadDim(self.head_dim()));
        }
        Ok(())
    }

    /// Parameters of one layer: those of its products and of its vectors.
    pub fn layer_parameters(&self) -> u64 {
        self.layer_products() + self.layer_vectors()
    }

    /// Parameters of a layer's matrices: q and o (2 d·d_q, d_q = d unless heads have a size of their
    /// own), k and v (2 d·d_kv), gate (not Phi's), up and down (3 d·I), and a shortcut of b channels
    /// (2 d·b).
    pub fn layer_products(&self) -> u64 {
        let (d, kv, ffn) = (self.width as u64, self.kv_width() as u64, self.ffn as u64);
        let feed_forward = match self.block {
            Block::Llama => 3,
            Block::Phi => 2,
        };
        2 * d * self.query_width() as u64
            + 2 * d * kv
            + feed_forward * d * ffn
            + 2 * d * self.pi.shortcut as u64
    }

    /// Parameters that are multiplied or added channel by channel: two norms (2 d), scales and
    /// biases of n activations (2 n·I), and biases of queries, keys and values (d_q + 2 d_kv). Phi has one
    /// norm with a bias, and biases of o, up and down (2 d + I).
    fn layer_vectors(&self) -> u64 {
        let others = match self.block {
            Block::Llama => 0,
            Block::Phi => 2 * self.width + self.ffn,
        };
        let biases = match self.attention.bias {
            true => self.query_width() + 2 * self.kv_width(),
            false => 0,
        };
        2 * self.width as u64 + 2 * (self.pi.series() * self.ffn) as u64 + (biases + others) as u64
    }

    /// N = V d (+ V d if untied) + L · layer + d. With as many key heads as query heads
    /// this is `2 V d + L (4 d² + 3 d I + 2 d) + d`, which fits every model of the
    /// PanGu-π Pro paper whose size can be checked. Phi's last norm and head have biases (d + V).
    pub fn parameters(&self) -> Parameters {
        let embedding = (self.vocabulary * self.width) as u64;
        let (norm, bias) = match self.block {
            Block::Llama => (self.width, 0),
            Block::Phi => (2 * self.width, self.vocabulary),
        };
        let head = if self.tied { 0 } else { embedding } + bias as u64;
        let non_embedding = self.depth as u64 * self.layer_parameters() + norm as u64;
        Parameters { total: embedding + head + non_embedding, embedding, head, non_embedding }
    }
}

/// Channels of a feed-forward block for an expansion rate: `int(rate · width)` rounded up
/// to a multiple. LLaMA and the paper use rate 8/3 and multiple 256.
pub fn ffn_width(width: usize, rate: f64, multiple: usize) -> usize {
    // The tiny addend keeps exact products (8/3 of a multiple of 3) from falling below.
    let raw = (rate * width as f64 + 1e-9).floor() as usize;
    raw.max(1).div_ceil(multiple.max(1)) * multiple.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn llama(vocabulary: usize, depth: usize, width: usize, ffn: usize) -> Shape {
        let heads = width / 128;
        Shape {
            vocabulary,
            depth,
            width,
            heads,
            kv_heads: heads,
            ffn,
            tied: false,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        }
    }

    fn percent(shape: Shape) -> f64 {
        shape.parameters().embedding_head_share() * 100.0
    }

    #[test]
    fn embedding_shares_of_table_1() {
        // The last row prints 38.19 in the paper; the arithmetic gives 38.20.
        for (vocabulary, depth, share) in [
            (8_000, 24, 2.97),
            (16_000, 23, 6.01),
            (32_000, 22, 11.79),
            (48_000, 20, 18.07),
            (72_000, 18, 26.88),
            (100_883, 15, 38.20),
        ] {
            let shape = llama(vocabulary, depth, 1792, ffn_width(1792, 8.0 / 3.0, 256));
            assert!((percent(shape) - share).abs() < 0.005, "{vocabulary}: {}", percent(shape));
        }
    }

    #[test]
    fn additions_of_pi() {
        let plain = llama(100, 3, 256, 512);
        let pi = Pi { activations: 2, shortcut: 8 };
        let more = Shape { pi, ..plain };
        // Two scales and two biases of 512 channels, and 256 to 8 and back.
        let added = 3 * (2 * 2 * 512 + 2 * 256 * 8);
        assert_eq!(more.parameters().total, plain.parameters().total + added);
        let one = Shape { pi: Pi { activations: 1, ..Pi::NONE }, ..plain };
        assert_eq!(one.parameters(), plain.parameters());
        let zero = Shape { pi: Pi { activations: 0, ..Pi::NONE }, ..plain };
        assert_eq!(zero.check(), Err(ShapeError::Zero("pi.activations")));
        // The cost that the authors give for the bottleneck: 2 d² / r, r = 32.
        let bottleneck = Shape { pi: Pi { shortcut: 256 / 32, ..Pi::NONE }, ..plain };
        assert_eq!(bottleneck.layer_parameters() - plain.layer_parameters(), 2 * 256 * 256 / 32);
    }

    #[test]
    fn attention_of_other_families() {
        // Qwen2.5-0.5B as published: 494.0 M parameters, 0.36 B of them not the embedding.
        let qwen = Shape {
            heads: 14,
            kv_heads: 2,
            tied: true,
            attention: Attention { bias: true, ..Attention::NONE },
            ..llama(151_936, 24, 896, 4864)
        };
        assert_eq!(qwen.parameters().total, 494_032_768);
        // Mistral-Nemo-12B: 32 heads of 128 channels beside a width of 5120.
        let nemo = Shape {
            heads: 32,
            kv_heads: 8,
            attention: Attention { head_dim: Some(128), ..Attention::NONE },
            ..llama(131_072, 40, 5120, 14_336)
        };
        assert_eq!(nemo.check(), Ok(()));
        assert_eq!(nemo.parameters().total, 12_247_782_400);
        // Phi-1.5 as published: model.safetensors has 1,418,270,720 numbers.
        let phi = Shape {
            heads: 32,
            kv_heads: 32,
            attention: Attention { bias: true, ..Attention::NONE },
            block: Block::Phi,
            ..llama(51_200, 24, 2048, 8192)
        };
        assert_eq!(phi.parameters().total, 1_418_270_720);
        let zero = Shape { attention: Attention { head_dim: Some(0), bias: false }, ..nemo };
        assert_eq!(zero.check(), Err(ShapeError::Zero("attention.head_dim")));
        let odd = Shape { attention: Attention { head_dim: Some(7), bias: false }, ..nemo };
        assert_eq!(odd.check(), Err(ShapeError::OddHeadDim(7)));
        let json = serde_json::to_value(nemo).unwrap();
        assert_eq!(serde_json::from_value::<Shape>(json).unwrap(), nemo);
    }

    #[test]
    fn plain_layers_are_written_as_before_there_were_others() {
        let shape = llama(100, 3, 256, 512);
        let json = serde_json::to_value(shape).unwrap();
        assert!(json.get("pi").is_none() && json.get("attention").is_none());
        assert_eq!(serde_json::from_value::<Shape>(json).unwrap(), shape);
    }

    #[test]
    fn totals_of_table_1() {
        for (vocabulary, depth, millions) in [
            (8_000, 24, 964.6),
            (16_000, 23, 954.3),
            (32_000, 22, 972.6),
            (48_000, 20, 952.0),
            (72_000, 18, 960.0),
            (100_883, 15, 946.5),
        ] {
            let total = llama(vocabulary, depth, 1792, 4864).parameters().total as f64 / 1e6;
            assert!((total - millions).abs() < 0.05, "{vocabulary}: {total}");
        }
    }

    #[test]
    fn models_of_figure_4() {
        let rows = include_str!("../tests/fixtures/figure4.csv");
        let mut seen = 0;
        for line in rows.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let shape = llama(48_000, cells[0] as usize, cells[1] as usize, cells[2] as usize);
            let millions = shape.parameters().total as f64 / 1e6;
            assert!((millions - cells[3]).abs() < 0.051, "{line}: {millions}");
            seen += 1;
        }
        assert_eq!(seen, 34);
    }

    #[test]
    fn shares_quoted_for_other_models() {
        // Qwen-7B and Baichuan2-7B: published shapes, shares printed in the paper.
        let qwen = llama(151_936, 32, 4096, 11_008);
        assert!((percent(qwen) - 16.12).abs() < 0.005);
        let baichuan = llama(125_696, 32, 4096, 11_008);
        assert!((percent(baichuan) - 13.72).abs() < 0.005);
    }

    #[test]
    fn ffn_rule() {
        assert_eq!(ffn_width(1792, 8.0 / 3.0, 256), 4864);
        assert_eq!(ffn_width(2048, 8.0 / 3.0, 256), 5632);
        assert_eq!(ffn_width(96, 8.0 / 3.0, 1), 256);
        assert_eq!(ffn_width(96, 8.0 / 3.0, 64), 256);
    }

    #[test]
    fn impossible_shapes_say_why() {
        let good = Shape {
            vocabulary: 512,
            depth: 2,
            width: 64,
            heads: 4,
            kv_heads: 2,
            ffn: 128,
            tied: true,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        assert_eq!(good.check(), Ok(()));
        let error = Shape { heads: 5, ..good }.check().unwrap_err().to_string();
        assert_eq!(error, "width 64 is not divisible by 5 heads; the nearest widths are 60 and 65");
        assert!(Shape { kv_heads: 3, ..good }.check().is_err());
        assert!(Shape { heads: 64, kv_heads: 64, ..good }.check().is_err());
        assert!(Shape { depth: 0, ..good }.check().is_err());
    }

    proptest! {
        #[test]
        fn parts_add_up(v in 256usize..5000, l in 1usize..40, h in 1usize..9, hd in 1usize..33, i in 1usize..900, tied: bool) {
            let shape = Shape { vocabulary: v, depth: l, width: h * hd * 2, heads: h, kv_heads: 1, ffn: i, tied, pi: Pi::NONE, attention: Default::default(), block: Default::default() };
            let p = shape.parameters();
            prop_assert_eq!(p.total, p.embedding + p.head + p.non_embedding);
            let deeper = Shape { depth: l + 1, ..shape }.parameters();
            prop_assert_eq!(deeper.total - p.total, shape.layer_parameters());
        }
    }
}
