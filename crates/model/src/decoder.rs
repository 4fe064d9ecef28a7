//! The decoder: embedding, layers of attention and feed-forward blocks, final norm, output head.
//!
//! The architecture is LLaMA's (Touvron et al. 2023, arXiv:2302.13971): norms before the blocks
//! (RMSNorm), rotary positions, SwiGLU, no biases, query heads in groups that share key and value
//! heads, and an output head of its own or the embedding's. Layers may have what PanGu-π adds (`pi`),
//! and what the attention of other families has (`attention`); or all of them are Phi's (`block`).

mod attention;
mod llama;
mod masked;
mod phi;

pub use attention::Biases;
pub use llama::LlamaLayer;
pub use masked::{MaskedDecoder, fold};
pub use phi::PhiLayer;

use ablate_cost::Block;
use ablate_kernels as kernels;
use ablate_kernels::RotaryTable;
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};

use crate::generate::LayerCache;
use crate::{
    Cache, HostTensor, ModelConfig, ModelError, Place, Weights, matrix_from_host, matrix_to_host,
    vector_from_host, vector_to_host,
};

/// A decoder. Token ids in, next-token logits out.
///
/// Token ids must be below the vocabulary, and sequences no longer than the context: callers check
/// both when data meets a model, for here is the inner loop.
#[derive(Module, Debug)]
pub struct Decoder {
    embedding: Param<Tensor<2>>,
    layers: Vec<Layer>,
    norm: Param<Tensor<1>>,
    /// `[width]`, in Phi.
    norm_bias: Option<Param<Tensor<1>>>,
    /// `[width, vocabulary]`; `None` when the head is the embedding, transposed.
    head: Option<Param<Tensor<2>>>,
    /// `[vocabulary]`, in Phi.
    head_bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    rotary: RotaryTable,
    #[module(skip)]
    config: ModelConfig,
}

/// One layer: adds to the residual stream.
#[derive(Module, Debug)]
pub enum Layer {
    /// LLaMA's, with PanGu-π's additions or the attention of other families where there are such.
    Llama(LlamaLayer),
    /// Phi's.
    Phi(PhiLayer),
}

/// Where parameters come from.
struct Source<'a> {
    config: &'a ModelConfig,
    weights: &'a Weights,
    device: &'a Device,
}

impl Source<'_> {
    fn tensor(&self, place: Place) -> Result<&HostTensor, ModelError> {
        let name = place.name();
        let shape = place.shape(&self.config.shape);
        self.weights.get(&name).ok_or(ModelError::Missing { name, shape })
    }

    fn matrix(&self, place: Place) -> Result<Param<Tensor<2>>, ModelError> {
        let tensor = matrix_from_host(&place.name(), self.tensor(place)?, self.device);
        Ok(Param::from_tensor(tensor))
    }

    fn vector(&self, place: Place) -> Result<Param<Tensor<1>>, ModelError> {
        Ok(Param::from_tensor(vector_from_host(self.tensor(place)?, self.device)))
    }
}

impl Decoder {
    /// The residual stream after the last layer and the final norm: `[batch, time, width]` from
    /// `tokens` of `[batch, time]`.
    ///
    /// # Panics
    /// If a sequence is longer than the context, or an id is not below the vocabulary.
    pub fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.run(tokens, None)
    }

    /// Logits of the next token at every position: `[batch, time, vocabulary]`.
    ///
    /// # Panics
    /// As [`Decoder::hidden`].
    pub fn logits(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.head_of(self.hidden(tokens))
    }

    /// Mean cross-entropy of `targets` in nats, `[1]`; `inputs` and `targets` are `[batch, time]`,
    /// and `targets[b, t]` is what should follow `inputs[b, ..=t]`.
    ///
    /// # Panics
    /// As [`Decoder::hidden`], and if the shapes differ.
    pub fn loss(&self, inputs: Tensor<2, Int>, targets: Tensor<2, Int>) -> Tensor<1> {
        let [batch, time] = targets.dims();
        let hidden = self.hidden(inputs);
        if self.head_bias.is_some() {
            return self.losses_after(hidden, targets).mean();
        }
        let hidden = hidden.reshape([batch * time, self.config.shape.width]);
        kernels::head_cross_entropy(hidden, self.head(), targets.reshape([batch * time]))
    }

    /// The loss of every target in nats: `[batch, time]`.
    ///
    /// # Panics
    /// As [`Decoder::loss`].
    pub fn token_losses(&self, inputs: Tensor<2, Int>, targets: Tensor<2, Int>) -> Tensor<2> {
        self.losses_after(self.hidden(inputs), targets)
    }

    /// Runs the layers; with a cache, `tokens` continue the sequences that it holds.
    pub(crate) fn run(&self, tokens: Tensor<2, Int>, mut cache: Option<&mut Cache>) -> Tensor<3> {
        let mut x = self.embed(tokens);
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x, &self.rotary, cache.as_mut().map(|cache| cache.layer(index)));
        }
        self.last_norm(x)
    }

    /// The residual stream before the first layer.
    pub(crate) fn embed(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        kernels::embedding(self.embedding.val(), tokens)
    }

    /// The norm after the last layer.
    pub(crate) fn last_norm(&self, stream: Tensor<3>) -> Tensor<3> {
        match &self.norm_bias {
            None => kernels::rms_norm(stream, self.norm.val(), self.config.norm_eps),
            Some(bias) => phi::layer_norm(stream, &self.norm, bias, self.config.norm_eps),
        }
    }

    pub(crate) fn rotary(&self) -> &RotaryTable {
        &self.rotary
    }

    /// The output head as `[width, vocabulary]`, without its bias.
    fn head(&self) -> Tensor<2> {
        match &self.head {
            Some(head) => head.val(),
            None => self.embedding.val().transpose(),
        }
    }

    /// Logits (`[.., vocabulary]`) of the last residual stream (`[.., width]`).
    pub(crate) fn head_of<const D: usize>(&self, hidden: Tensor<D>) -> Tensor<D> {
        let logits = kernels::linear(hidden, self.head());
        match &self.head_bias {
            Some(bias) => logits + bias.val().unsqueeze(),
            None => logits,
        }
    }
}

impl Layer {
    /// The residual stream after this layer, from the one before it: `[batch, time, width]`.
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        rotary: &RotaryTable,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        match self {
            Self::Llama(layer) => layer.forward(x, rotary, cache),
            Self::Phi(layer) => layer.forward(x, rotary, cache),
        }
    }

    fn walk(self, index: usize, walk: &mut impl Walk) -> Self {
        match self {
            Self::Llama(layer) => Self::Llama(layer.walk(index, walk)),
            Self::Phi(layer) => Self::Phi(layer.walk(index, walk)),
        }
    }
}

/// Something done to every parameter, in the order of [`Decoder::names`].
pub(crate) trait Walk {
    fn matrix(&mut self, place: Place, parameter: Param<Tensor<2>>) -> Param<Tensor<2>>;
    fn vector(&mut self, place: Place, parameter: Param<Tensor<1>>) -> Param<Tensor<1>>;
}

impl Decoder {
    /// A decoder with these weights. On a device with autodiff its parameters are trainable.
    ///
    /// # Errors
    /// If the configuration is impossible, or the weights are not exactly the finite tensors that
    /// it names.
    pub fn from_weights(
        config: &ModelConfig,
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, ModelError> {
        weights.check(config)?;
        let source = Source { config, weights, device };
        let layer = |index: usize| match config.shape.block {
            Block::Llama => LlamaLayer::read(index, &source).map(Layer::Llama),
            Block::Phi => PhiLayer::read(index, &source).map(Layer::Phi),
        };
        let phi = config.shape.block == Block::Phi;
        let frequencies =
            config.rope_scaling.frequencies(config.shape.head_dim(), config.rope_theta);
        let rotary = RotaryTable::with_frequencies(config.context, &frequencies, device);
        Ok(Self {
            embedding: source.matrix(Place::Embedding)?,
            layers: (0..config.shape.depth).map(layer).collect::<Result<_, _>>()?,
            norm: source.vector(Place::FinalNorm)?,
            norm_bias: phi.then(|| source.vector(Place::FinalNormBias)).transpose()?,
            head: if config.shape.tied { None } else { Some(source.matrix(Place::Head)?) },
            head_bias: phi.then(|| source.vector(Place::HeadBias)).transpose()?,
            rotary,
            config: config.clone(),
        })
    }

    /// The weights, under Hugging Face names and in the layout of files.
    pub fn to_weights(&self) -> Weights {
        struct Export(Weights);
        impl Export {
            fn keep(&mut self, place: Place, tensor: HostTensor) {
                self.0.insert(place.name(), tensor);
            }
        }
        impl Walk for Export {
            fn matrix(&mut self, place: Place, parameter: Param<Tensor<2>>) -> Param<Tensor<2>> {
                self.keep(place, matrix_to_host(&place.name(), parameter.val()));
                parameter
            }
            fn vector(&mut self, place: Place, parameter: Param<Tensor<1>>) -> Param<Tensor<1>> {
                self.keep(place, vector_to_host(parameter.val()));
                parameter
            }
        }
        let mut export = Export(Weights::new());
        self.clone().walk(&mut export);
        export.0
    }

    /// The Hugging Face names of the parameters, in the order in which burn's `ModuleVisitor` and
    /// `ModuleMapper`, [`Decoder::gradients`] and [`Decoder::update`] go through them.
    pub fn names(&self) -> Vec<String> {
        crate::places(&self.config).map(Place::name).collect()
    }

    /// What the decoder was built from.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Where the parameters are.
    pub fn device(&self) -> Device {
        self.embedding.val().device()
    }

    /// The same decoder with its table of angles on another device.
    pub(crate) fn with_rotary_on(self, device: &Device) -> Self {
        Self { rotary: self.rotary.to_device(device), ..self }
    }

    pub(crate) fn walk(self, walk: &mut impl Walk) -> Self {
        Self {
            embedding: walk.matrix(Place::Embedding, self.embedding),
            layers: (0..).zip(self.layers).map(|(index, layer)| layer.walk(index, walk)).collect(),
            norm: walk.vector(Place::FinalNorm, self.norm),
            norm_bias: self.norm_bias.map(|bias| walk.vector(Place::FinalNormBias, bias)),
            head: self.head.map(|head| walk.matrix(Place::Head, head)),
            head_bias: self.head_bias.map(|bias| walk.vector(Place::HeadBias, bias)),
            rotary: self.rotary,
            config: self.config,
        }
    }
}
