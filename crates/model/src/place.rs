//! Where each tensor of a decoder sits, and its name in Hugging Face's LLaMA files (or what it would
//! be called there).

use ablate_cost::{Block, Shape};

use crate::ModelConfig;

/// A tensor of one decoder layer, in the order in which the forward pass meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Norm before attention.
    InputNorm,
    /// Its bias, in a layer of Phi's.
    InputNormBias,
    /// Query projection.
    Query,
    /// Key projection.
    Key,
    /// Value projection.
    Value,
    /// Bias of the query projection, in models that have one.
    QueryBias,
    /// Bias of the key projection.
    KeyBias,
    /// Bias of the value projection.
    ValueBias,
    /// Projection of the attention's output.
    Output,
    /// Its bias, in a layer of Phi's.
    OutputBias,
    /// Into the bottleneck beside attention, in layers that have one.
    ShortcutDown,
    /// Out of it.
    ShortcutUp,
    /// Norm before the feed-forward block.
    PostNorm,
    /// Gate projection of the feed-forward block.
    Gate,
    /// Up projection of the feed-forward block.
    Up,
    /// Its bias, in a layer of Phi's.
    UpBias,
    /// Scales of one of the gate's activations, in layers that sum several.
    SeriesScale(usize),
    /// Its biases.
    SeriesBias(usize),
    /// Down projection of the feed-forward block.
    Down,
    /// Its bias, in a layer of Phi's.
    DownBias,
}

impl Part {
    /// Those of a layer, in order.
    pub fn of(shape: &Shape) -> Vec<Self> {
        let pi = &shape.pi;
        let phi = shape.block == Block::Phi;
        let mut parts = vec![Self::InputNorm];
        parts.extend(phi.then_some(Self::InputNormBias));
        parts.extend([Self::Query, Self::Key, Self::Value]);
        if shape.attention.bias {
            parts.extend([Self::QueryBias, Self::KeyBias, Self::ValueBias]);
        }
        parts.push(Self::Output);
        if phi {
            parts.extend([Self::OutputBias, Self::Up, Self::UpBias, Self::Down, Self::DownBias]);
            return parts;
        }
        if pi.shortcut > 0 {
            parts.extend([Self::ShortcutDown, Self::ShortcutUp]);
        }
        parts.extend([Self::PostNorm, Self::Gate, Self::Up]);
        parts.extend((0..pi.series()).flat_map(|n| [Self::SeriesScale(n), Self::SeriesBias(n)]));
        parts.push(Self::Down);
        parts
    }

    fn name(self) -> String {
        let module = match self {
            Self::InputNorm => "input_layernorm",
            Self::InputNormBias => return "input_layernorm.bias".into(),
            Self::Query => "self_attn.q_proj",
            Self::QueryBias => return "self_attn.q_proj.bias".into(),
            Self::Key => "self_attn.k_proj",
            Self::KeyBias => return "self_attn.k_proj.bias".into(),
            Self::Value => "self_attn.v_proj",
            Self::ValueBias => return "self_attn.v_proj.bias".into(),
            Self::Output => "self_attn.o_proj",
            Self::OutputBias => return "self_attn.o_proj.bias".into(),
            Self::ShortcutDown => "self_attn.shortcut.down_proj",
            Self::ShortcutUp => "self_attn.shortcut.up_proj",
            Self::PostNorm => "post_attention_layernorm",
            Self::Gate => "mlp.gate_proj",
            Self::Up => "mlp.up_proj",
            Self::UpBias => return "mlp.up_proj.bias".into(),
            Self::SeriesScale(n) => return format!("mlp.series.{n}.scale"),
            Self::SeriesBias(n) => return format!("mlp.series.{n}.bias"),
            Self::Down => "mlp.down_proj",
            Self::DownBias => return "mlp.down_proj.bias".into(),
        };
        format!("{module}.weight")
    }
}

/// A tensor of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The embedding matrix, `[vocabulary, width]`.
    Embedding,
    /// A tensor of the layer with this index, from 0.
    Layer(usize, Part),
    /// The norm after the last layer.
    FinalNorm,
    /// Its bias, in Phi.
    FinalNormBias,
    /// The output head, `[vocabulary, width]`; absent when it shares the embedding.
    Head,
    /// Its bias, in Phi.
    HeadBias,
}

impl Place {
    /// The tensor's name in Hugging Face's LLaMA files.
    pub fn name(self) -> String {
        match self {
            Self::Embedding => "model.embed_tokens.weight".into(),
            Self::Layer(layer, part) => format!("model.layers.{layer}.{}", part.name()),
            Self::FinalNorm => "model.norm.weight".into(),
            Self::FinalNormBias => "model.norm.bias".into(),
            Self::Head => "lm_head.weight".into(),
            Self::HeadBias => "lm_head.bias".into(),
        }
    }

    /// The tensor's shape in Hugging Face's LLaMA files: `[out, in]` for a projection, `[width]`
    /// for a norm, `[ffn]` for the scales and biases of an activation, `[out]` for the bias of a
    /// projection.
    pub fn shape(self, shape: &Shape) -> Vec<usize> {
        let (width, ffn) = (shape.width, shape.ffn);
        let (query, kv) = (shape.query_width(), shape.kv_width());
        match self {
            Self::Embedding | Self::Head => vec![shape.vocabulary, width],
            Self::HeadBias => vec![shape.vocabulary],
            Self::FinalNorm | Self::FinalNormBias => vec![width],
            Self::Layer(_, Part::InputNorm | Part::InputNormBias | Part::PostNorm) => vec![width],
            Self::Layer(_, Part::OutputBias | Part::DownBias) => vec![width],
            Self::Layer(_, Part::UpBias) => vec![ffn],
            Self::Layer(_, Part::Query) => vec![query, width],
            Self::Layer(_, Part::Output) => vec![width, query],
            Self::Layer(_, Part::Key | Part::Value) => vec![kv, width],
            Self::Layer(_, Part::QueryBias) => vec![query],
            Self::Layer(_, Part::KeyBias | Part::ValueBias) => vec![kv],
            Self::Layer(_, Part::Gate | Part::Up) => vec![ffn, width],
            Self::Layer(_, Part::Down) => vec![width, ffn],
            Self::Layer(_, Part::ShortcutDown) => vec![shape.pi.shortcut, width],
            Self::Layer(_, Part::ShortcutUp) => vec![width, shape.pi.shortcut],
            Self::Layer(_, Part::SeriesScale(_) | Part::SeriesBias(_)) => vec![ffn],
        }
    }

    /// Whether the tensor is the bias of a projection or of a norm.
    pub fn is_bias(self) -> bool {
        matches!(
            self,
            Self::FinalNormBias
                | Self::HeadBias
                | Self::Layer(
                    _,
                    Part::QueryBias
                        | Part::KeyBias
                        | Part::ValueBias
                        | Part::InputNormBias
                        | Part::OutputBias
                        | Part::UpBias
                        | Part::DownBias
                )
        )
    }

    /// Whether the tensor scales the channels of a norm.
    pub fn is_norm(self) -> bool {
        matches!(self, Self::FinalNorm | Self::Layer(_, Part::InputNorm | Part::PostNorm))
    }
}

/// Every tensor of a decoder, in the order of [`Decoder::names`](crate::Decoder::names).
pub fn places(config: &ModelConfig) -> impl Iterator<Item = Place> + use<> {
    let phi = config.shape.block == Block::Phi;
    let norm_bias = phi.then_some(Place::FinalNormBias);
    let head = (!config.shape.tied).then_some(Place::Head);
    let head_bias = phi.then_some(Place::HeadBias);
    let parts = Part::of(&config.shape);
    std::iter::once(Place::Embedding)
        .chain((0..config.shape.depth).flat_map(move |layer| {
            parts.clone().into_iter().map(move |part| Place::Layer(layer, part))
        }))
        .chain([Place::FinalNorm])
        .chain(norm_bias)
        .chain(head)
        .chain(head_bias)
}
