//! The decoder: embedding, layers of attention and feed-forward blocks, final norm, output head.
//!
//! The architecture is LLaMA's (Touvron et al. 2023, arXiv:2302.13971): norms before the blocks
//! (RMSNorm), rotary positions, SwiGLU, no biases, query heads in groups that share key and value
//! heads, and an output head of its own or the embedding's. Layers may have what PanGu-π adds (`pi`),
//! and what the attention of other families has (`attention`).

mod attention;
mod masked;

pub use attention::Biases;
pub use masked::{MaskedDecoder, fold};

use ablate_kernels as kernels;
use ablate_kernels::{FeedForwardWeights, RotaryTable};
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};

use crate::generate::LayerCache;
use crate::pi::{self, Activation, Shortcut};
use crate::{
    Cache, HostTensor, ModelConfig, ModelError, Part, Place, Weights, matrix_from_host,
    matrix_to_host, vector_from_host, vector_to_host,
};

/// A LLaMA-like decoder. Token ids in, next-token logits out.
///
/// Token ids must be below the vocabulary, and sequences no longer than the context: callers check
/// both when data meets a model, for here is the inner loop.
#[derive(Module, Debug)]
pub struct Decoder {
    embedding: Param<Tensor<2>>,
    layers: Vec<Layer>,
    norm: Param<Tensor<1>>,
    /// `[width, vocabulary]`; `None` when the head is the embedding, transposed.
    head: Option<Param<Tensor<2>>>,
    #[module(skip)]
    rotary: RotaryTable,
    #[module(skip)]
    config: ModelConfig,
}

/// One layer: attention and a feed-forward block, each added to the residual stream.
#[derive(Module, Debug)]
pub struct Layer {
    input_norm: Param<Tensor<1>>,
    query: Param<Tensor<2>>,
    key: Param<Tensor<2>>,
    value: Param<Tensor<2>>,
    biases: Option<Biases>,
    output: Param<Tensor<2>>,
    shortcut: Option<Shortcut>,
    post_norm: Param<Tensor<1>>,
    gate: Param<Tensor<2>>,
    up: Param<Tensor<2>>,
    /// Empty where the gate has a single plain activation.
    series: Vec<Activation>,
    down: Param<Tensor<2>>,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    kv_heads: usize,
    #[module(skip)]
    norm_eps: f64,
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
        kernels::linear(self.hidden(tokens), self.head())
    }

    /// Mean cross-entropy of `targets` in nats, `[1]`; `inputs` and `targets` are `[batch, time]`,
    /// and `targets[b, t]` is what should follow `inputs[b, ..=t]`.
    ///
    /// # Panics
    /// As [`Decoder::hidden`], and if the shapes differ.
    pub fn loss(&self, inputs: Tensor<2, Int>, targets: Tensor<2, Int>) -> Tensor<1> {
        let [batch, time] = targets.dims();
        let hidden = self.hidden(inputs).reshape([batch * time, self.config.shape.width]);
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
        kernels::rms_norm(stream, self.norm.val(), self.config.norm_eps)
    }

    pub(crate) fn rotary(&self) -> &RotaryTable {
        &self.rotary
    }

    /// The output head as `[width, vocabulary]`.
    pub(crate) fn head(&self) -> Tensor<2> {
        match &self.head {
            Some(head) => head.val(),
            None => self.embedding.val().transpose(),
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
        let beside = self.shortcut.as_ref().map(|shortcut| {
            let normed = kernels::rms_norm(x.clone(), self.input_norm.val(), self.norm_eps);
            shortcut.forward(normed)
        });
        let x = match cache {
            None => self.attend(x, self.attention(), rotary),
            Some(cache) => self.attend_to_cache(x, rotary, cache),
        };
        let x = match beside {
            Some(beside) => x + beside,
            None => x,
        };
        if self.series.is_empty() {
            return kernels::feed_forward(x, self.feed_forward());
        }
        let normed = kernels::rms_norm(x.clone(), self.post_norm.val(), self.norm_eps);
        let gate = kernels::linear(normed.clone(), self.gate.val());
        let gated = pi::series(&self.series, gate, kernels::linear(normed, self.up.val()));
        x + kernels::linear(gated, self.down.val())
    }

    fn feed_forward(&self) -> FeedForwardWeights {
        FeedForwardWeights {
            norm: self.post_norm.val(),
            gate: self.gate.val(),
            up: self.up.val(),
            down: self.down.val(),
            norm_eps: self.norm_eps,
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
        let tensor = |place: Place| {
            let name = place.name();
            let shape = place.shape(&config.shape);
            weights.get(&name).ok_or(ModelError::Missing { name, shape })
        };
        let matrix = |place: Place| {
            Ok::<_, ModelError>(Param::from_tensor(matrix_from_host(
                &place.name(),
                tensor(place)?,
                device,
            )))
        };
        let vector = |place: Place| {
            Ok::<_, ModelError>(Param::from_tensor(vector_from_host(tensor(place)?, device)))
        };
        let layer = |index: usize| {
            let at = |part| Place::Layer(index, part);
            let shortcut = || {
                Ok::<_, ModelError>(Shortcut {
                    down: matrix(at(Part::ShortcutDown))?,
                    up: matrix(at(Part::ShortcutUp))?,
                })
            };
            let biases = || {
                Ok::<_, ModelError>(Biases {
                    query: vector(at(Part::QueryBias))?,
                    key: vector(at(Part::KeyBias))?,
                    value: vector(at(Part::ValueBias))?,
                })
            };
            let activation = |n: usize| {
                Ok::<_, ModelError>(Activation {
                    scale: vector(at(Part::SeriesScale(n)))?,
                    bias: vector(at(Part::SeriesBias(n)))?,
                })
            };
            let pi = config.shape.pi;
            Ok::<_, ModelError>(Layer {
                input_norm: vector(at(Part::InputNorm))?,
                query: matrix(at(Part::Query))?,
                key: matrix(at(Part::Key))?,
                value: matrix(at(Part::Value))?,
                biases: config.shape.attention.bias.then(biases).transpose()?,
                output: matrix(at(Part::Output))?,
                shortcut: (pi.shortcut > 0).then(shortcut).transpose()?,
                post_norm: vector(at(Part::PostNorm))?,
                gate: matrix(at(Part::Gate))?,
                up: matrix(at(Part::Up))?,
                series: (0..pi.series()).map(activation).collect::<Result<_, _>>()?,
                down: matrix(at(Part::Down))?,
                heads: config.shape.heads,
                kv_heads: config.shape.kv_heads,
                norm_eps: config.norm_eps,
            })
        };
        let frequencies =
            config.rope_scaling.frequencies(config.shape.head_dim(), config.rope_theta);
        let rotary = RotaryTable::with_frequencies(config.context, &frequencies, device);
        Ok(Self {
            embedding: matrix(Place::Embedding)?,
            layers: (0..config.shape.depth).map(layer).collect::<Result<_, _>>()?,
            norm: vector(Place::FinalNorm)?,
            head: if config.shape.tied { None } else { Some(matrix(Place::Head)?) },
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
            head: self.head.map(|head| walk.matrix(Place::Head, head)),
            rotary: self.rotary,
            config: self.config,
        }
    }
}

impl Layer {
    fn walk(self, index: usize, walk: &mut impl Walk) -> Self {
        let at = |part| Place::Layer(index, part);
        Self {
            input_norm: walk.vector(at(Part::InputNorm), self.input_norm),
            query: walk.matrix(at(Part::Query), self.query),
            key: walk.matrix(at(Part::Key), self.key),
            value: walk.matrix(at(Part::Value), self.value),
            biases: self.biases.map(|biases| Biases {
                query: walk.vector(at(Part::QueryBias), biases.query),
                key: walk.vector(at(Part::KeyBias), biases.key),
                value: walk.vector(at(Part::ValueBias), biases.value),
            }),
            output: walk.matrix(at(Part::Output), self.output),
            shortcut: self.shortcut.map(|shortcut| Shortcut {
                down: walk.matrix(at(Part::ShortcutDown), shortcut.down),
                up: walk.matrix(at(Part::ShortcutUp), shortcut.up),
            }),
            post_norm: walk.vector(at(Part::PostNorm), self.post_norm),
            gate: walk.matrix(at(Part::Gate), self.gate),
            up: walk.matrix(at(Part::Up), self.up),
            series: (0..)
                .zip(self.series)
                .map(|(n, activation)| Activation {
                    scale: walk.vector(at(Part::SeriesScale(n)), activation.scale),
                    bias: walk.vector(at(Part::SeriesBias(n)), activation.bias),
                })
                .collect(),
            down: walk.matrix(at(Part::Down), self.down),
            ..self
        }
    }
}
