//! Qwen's first generation (`QWenLMHeadModel`): Qwen2's computation under other names.
//!
//! Queries, keys and values lie in one matrix, `w2` is the gate, and `intermediate_size` counts gate
//! and up together. Its logarithmic scaling of attention and its stretched angles begin after
//! `seq_length` tokens, which is taken for its context.

use serde_json::{Map, Value, json};

use super::Keys;
use crate::{HostTensor, ModelConfig, ModelError, Part, Place, Weights};

/// Its `config.json` in the words of Qwen2's.
pub(super) fn config(keys: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let given = Keys(keys);
    if given.flag("no_bias")? == Some(false) {
        return Err(
            "`no_bias` is false; of biases only those of queries, keys and values are computed"
                .to_owned(),
        );
    }
    if let Some(share) = given.number("rotary_pct")?
        && share != 1.0
    {
        return Err(format!(
            "only a share of {share} of its heads is turned (`rotary_pct`), which is not computed"
        ));
    }
    let both = given.size("intermediate_size")?;
    if !both.is_multiple_of(2) {
        return Err(format!("`intermediate_size` is {both}, but half of it is the gate's"));
    }
    let mut words = Map::new();
    for (theirs, ours) in [
        ("vocab_size", "vocab_size"),
        ("hidden_size", "hidden_size"),
        ("num_hidden_layers", "num_hidden_layers"),
        ("num_attention_heads", "num_attention_heads"),
        ("kv_channels", "head_dim"),
        ("seq_length", "max_position_embeddings"),
        ("layer_norm_epsilon", "rms_norm_eps"),
        ("rotary_emb_base", "rope_theta"),
        ("tie_word_embeddings", "tie_word_embeddings"),
        ("quantization_config", "quantization_config"),
    ] {
        if let Some(value) = keys.get(theirs) {
            words.insert(ours.to_owned(), value.clone());
        }
    }
    words.insert("model_type".to_owned(), json!("qwen2"));
    words.insert("intermediate_size".to_owned(), json!(both / 2));
    Ok(words)
}

/// Its weights under Qwen2's names; what has another name stays, and is refused as superfluous.
///
/// # Errors
/// Matrices of queries, keys and values of another height than the configuration's.
pub(super) fn weights(mut theirs: Weights, config: &ModelConfig) -> Result<Weights, ModelError> {
    let shape = &config.shape;
    let rows = 3 * shape.heads * shape.head_dim();
    let mut ours = Weights::new();
    let mut renamed = |theirs: &mut Weights, name: &str, place: Place| {
        if let Some(tensor) = theirs.remove(name) {
            ours.insert(place.name(), tensor);
        }
    };
    renamed(&mut theirs, "transformer.wte.weight", Place::Embedding);
    renamed(&mut theirs, "transformer.ln_f.weight", Place::FinalNorm);
    renamed(&mut theirs, "lm_head.weight", Place::Head);
    for layer in 0..shape.depth {
        for (name, part) in [
            ("ln_1.weight", Part::InputNorm),
            ("attn.c_proj.weight", Part::Output),
            ("ln_2.weight", Part::PostNorm),
            ("mlp.w2.weight", Part::Gate),
            ("mlp.w1.weight", Part::Up),
            ("mlp.c_proj.weight", Part::Down),
        ] {
            renamed(
                &mut theirs,
                &format!("transformer.h.{layer}.{name}"),
                Place::Layer(layer, part),
            );
        }
    }
    for layer in 0..shape.depth {
        for (end, parts) in [
            ("weight", [Part::Query, Part::Key, Part::Value]),
            ("bias", [Part::QueryBias, Part::KeyBias, Part::ValueBias]),
        ] {
            let name = format!("transformer.h.{layer}.attn.c_attn.{end}");
            let Some(joined) = theirs.remove(&name) else { continue };
            if joined.shape.first() != Some(&rows) {
                let mut expected = vec![rows, shape.width];
                expected.truncate(if end == "bias" { 1 } else { 2 });
                return Err(ModelError::TensorShape { name, found: joined.shape, expected });
            }
            for (part, third) in parts.into_iter().zip(thirds(&joined)) {
                ours.insert(Place::Layer(layer, part).name(), third);
            }
        }
    }
    let others: Vec<String> = theirs.iter().map(|(name, _)| name.to_owned()).collect();
    for name in others {
        if let Some(tensor) = theirs.remove(&name) {
            ours.insert(name, tensor);
        }
    }
    Ok(ours)
}

/// A tensor cut into three along its first axis.
fn thirds(joined: &HostTensor) -> [HostTensor; 3] {
    let size = joined.values.len() / 3;
    let mut shape = joined.shape.clone();
    shape[0] /= 3;
    [0, 1, 2].map(|third| HostTensor {
        shape: shape.clone(),
        values: joined.values[third * size..(third + 1) * size].to_vec(),
    })
}
