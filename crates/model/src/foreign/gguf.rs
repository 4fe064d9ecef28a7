//! Models in GGUF files.

use std::path::Path;

use ablate_cost::{Attention, Pi, Shape};
use ablate_gguf::{Gguf, Value};

use super::{Foreign, LARGEST, context, wrong};
use crate::llama2c::halves_apart;
use crate::{HostTensor, ModelConfig, ModelError, Part, Place, RopeScaling, Weights};

/// Divisors of the rotary frequencies, in models that have them.
const DIVISORS: &str = "rope_freqs.weight";

/// Takes a model of the architectures `llama` (Mistral's files are of it too) and `qwen2` out of a
/// GGUF file; `path` is for messages.
///
/// Files of `llama` have the two numbers of a rotation side by side in queries and keys; they are put
/// half a head apart, as everywhere else here.
///
/// # Errors
/// Another architecture, values that are missing or impossible, tensors that are not those of the
/// configuration.
pub fn read_gguf(path: &Path, file: &Gguf) -> Result<Foreign, ModelError> {
    let mut notes = Vec::new();
    let config = config(file, &mut notes).map_err(|reason| wrong(path, reason))?;
    config.check()?;
    let interleaved = text(file, "general.architecture") == Some("llama");
    let head_dim = config.shape.head_dim();
    let mut weights = Weights::new();
    for (name, _) in file.tensors() {
        if name == DIVISORS {
            continue;
        }
        let place = place(name).ok_or_else(|| {
            wrong(path, format!("it holds the tensor `{name}`, which no model that is read has"))
        })?;
        let (shape, values) = file.tensor(name).ok_or_else(|| ModelError::Missing {
            name: name.to_owned(),
            shape: place.shape(&config.shape),
        })?;
        // Before anything is moved in it.
        let expected = place.shape(&config.shape);
        if shape != expected {
            return Err(ModelError::TensorShape { name: name.to_owned(), found: shape, expected });
        }
        let mut tensor = HostTensor { shape, values };
        let turned = matches!(
            place,
            Place::Layer(_, Part::Query | Part::Key | Part::QueryBias | Part::KeyBias)
        );
        if turned && interleaved {
            tensor = halves_apart(&tensor, head_dim);
        }
        weights.insert(place.name(), tensor);
    }
    Foreign::checked(config, weights, notes)
}

fn text<'a>(file: &'a Gguf, key: &str) -> Option<&'a str> {
    file.value(key).and_then(Value::text)
}

fn config(file: &Gguf, notes: &mut Vec<String>) -> Result<ModelConfig, String> {
    let architecture = match text(file, "general.architecture") {
        Some(known @ ("llama" | "qwen2")) => known,
        Some(other) => {
            return Err(format!(
                "models of the architecture `{other}` are not read; only `llama` and `qwen2` are"
            ));
        }
        None => return Err("`general.architecture` is missing".to_owned()),
    };
    let value = |key: &str| file.value(&format!("{architecture}.{key}"));
    let optional = |key: &str| match value(key) {
        None => Ok(None),
        Some(found) => match found.size().filter(|size| (1..=LARGEST as usize).contains(size)) {
            Some(size) => Ok(Some(size)),
            None => {
                Err(format!("`{architecture}.{key}` must be one whole number of 1 to {LARGEST}"))
            }
        },
    };
    let size =
        |key: &str| optional(key)?.ok_or_else(|| format!("`{architecture}.{key}` is missing"));
    let number = |key: &str| match value(key) {
        None => Ok(None),
        Some(found) => match found.number() {
            Some(number) => Ok(Some(number)),
            None => Err(format!("`{architecture}.{key}` must be a number")),
        },
    };
    if value("expert_count").is_some_and(|count| count.size() != Some(0)) {
        return Err("it is a mixture of experts, which is not computed".to_owned());
    }
    let (width, heads) = (size("embedding_length")?, size("attention.head_count")?);
    let head_dim = optional("attention.key_length")?;
    let shape_of = |name: &str| {
        let mut tensors = file.tensors();
        tensors.find(|(tensor, _)| *tensor == name).map(|(_, info)| info.shape.as_slice())
    };
    let vocabulary = match shape_of("token_embd.weight") {
        Some([vocabulary, _]) => *vocabulary,
        _ => return Err("it has no matrix `token_embd.weight`".to_owned()),
    };
    let shape = Shape {
        vocabulary,
        depth: size("block_count")?,
        width,
        heads,
        kv_heads: optional("attention.head_count_kv")?.unwrap_or(heads),
        ffn: size("feed_forward_length")?,
        tied: shape_of("output.weight").is_none(),
        pi: Pi::NONE,
        attention: Attention {
            head_dim: head_dim.filter(|dim| dim.checked_mul(heads) != Some(width)),
            bias: shape_of("blk.0.attn_q.bias").is_some(),
        },
        block: Default::default(),
    };
    if optional("attention.value_length")?.is_some_and(|length| length != shape.head_dim()) {
        return Err("its values have heads of another size than its keys".to_owned());
    }
    if optional("rope.dimension_count")?.is_some_and(|turned| turned != shape.head_dim()) {
        return Err("only a part of its heads is turned, which is not computed".to_owned());
    }
    // As in llama.cpp: the older key where the newer is missing, and a factor alone is linear.
    let factor = match number("rope.scaling.factor")? {
        None => number("rope.scale_linear")?,
        factor => factor,
    };
    let kind = match value("rope.scaling.type") {
        None => None,
        Some(kind) => Some(kind.text().ok_or("the kind of its RoPE scaling is no text")?),
    };
    let scaling = match (kind, factor) {
        (Some("none"), _) | (None, None) => RopeScaling::None,
        (None, Some(factor)) if factor == 0.0 || factor == 1.0 => RopeScaling::None,
        (None | Some("linear"), Some(factor)) => RopeScaling::Linear { factor },
        (Some("linear"), None) => {
            return Err("the factor of its RoPE scaling is missing".to_owned());
        }
        (Some(other), _) => {
            return Err(format!(
                "its RoPE scaling is of the kind `{other}`; only `linear` is computed, and divisors \
                 (`{DIVISORS}`)"
            ));
        }
    };
    let scaling = match (file.tensor(DIVISORS), scaling) {
        (Some((_, divisors)), RopeScaling::None) => {
            RopeScaling::Divisors { divisors: divisors.into_iter().map(f64::from).collect() }
        }
        (Some(_), _) => return Err("its RoPE scaling is there twice".to_owned()),
        (None, scaling) => scaling,
    };
    let stated = size("context_length")?;
    Ok(ModelConfig {
        shape,
        context: context(stated, optional("attention.sliding_window")?, notes),
        rope_theta: number("rope.freq_base")?.unwrap_or(10_000.0),
        norm_eps: number("attention.layer_norm_rms_epsilon")?.ok_or_else(|| {
            format!("`{architecture}.attention.layer_norm_rms_epsilon` is missing")
        })?,
        rope_scaling: scaling,
    })
}

/// Where llama.cpp's name of a tensor sits.
fn place(name: &str) -> Option<Place> {
    match name {
        "token_embd.weight" => return Some(Place::Embedding),
        "output_norm.weight" => return Some(Place::FinalNorm),
        "output.weight" => return Some(Place::Head),
        _ => {}
    }
    let (layer, part) = name.strip_prefix("blk.")?.split_once('.')?;
    let part = match part {
        "attn_norm.weight" => Part::InputNorm,
        "attn_q.weight" => Part::Query,
        "attn_k.weight" => Part::Key,
        "attn_v.weight" => Part::Value,
        "attn_q.bias" => Part::QueryBias,
        "attn_k.bias" => Part::KeyBias,
        "attn_v.bias" => Part::ValueBias,
        "attn_output.weight" => Part::Output,
        "ffn_norm.weight" => Part::PostNorm,
        "ffn_gate.weight" => Part::Gate,
        "ffn_up.weight" => Part::Up,
        "ffn_down.weight" => Part::Down,
        _ => return None,
    };
    Some(Place::Layer(layer.parse().ok()?, part))
}
