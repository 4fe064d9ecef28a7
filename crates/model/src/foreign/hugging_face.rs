//! Folders of Hugging Face's `transformers`: `config.json` and safetensors files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ablate_cost::{Attention, Block, Pi, Shape};
use serde_json::{Map, Value};

use super::{Foreign, LARGEST, context, wrong};
use crate::pickle::{ADVICE, pickle_in};
use crate::{ModelConfig, ModelError, RopeScaling, Weights};

mod phi;
mod qwen;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Reads a folder with a model of LLaMA's family or a Phi: `config.json` of the types `llama`, `mistral`,
/// `qwen2`, `qwen` and `phi`, and `model.safetensors` (or the files that `model.safetensors.index.json` names) with
/// floats of 32 or 16 bits.
///
/// # Errors
/// Files that are missing or damaged, a model that this decoder cannot compute, tensors that are not
/// those of its configuration.
pub fn read_hugging_face(folder: &Path) -> Result<Foreign, ModelError> {
    let path = folder.join(CONFIG);
    let json = read_json(&path)?;
    let keys = json.as_object().ok_or_else(|| wrong(&path, "it is no JSON object"))?;
    let mut notes = Vec::new();
    let kind = keys.get("model_type").and_then(Value::as_str);
    let config = match kind {
        Some("qwen") => qwen::config(keys).and_then(|keys| config(&keys, &mut notes)),
        Some("phi") => phi::config(keys, &mut notes),
        _ => config(keys, &mut notes),
    };
    let config = config.map_err(|reason| wrong(&path, reason))?;
    config.check()?;
    let weights = weights(folder)?;
    let mut weights = match kind {
        Some("qwen") => qwen::weights(weights, &config)?,
        Some("phi") => phi::weights(weights, &config),
        _ => weights,
    };
    if config.shape.tied {
        // Some files keep what is the embedding twice.
        weights.remove("lm_head.weight");
    }
    // A constant that old versions of `transformers` saved as well.
    let constants: Vec<String> = weights
        .iter()
        .filter(|(name, _)| name.ends_with(".rotary_emb.inv_freq"))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in constants {
        weights.remove(&name);
    }
    Foreign::checked(config, weights, notes)
}

fn read_json(path: &Path) -> Result<Value, ModelError> {
    let bytes =
        fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(path, format!("it is no JSON: {error}")))
}

/// All tensors of the folder, from one file or from those that the index names.
fn weights(folder: &Path) -> Result<Weights, ModelError> {
    let index = folder.join(INDEX);
    let single = folder.join(WEIGHTS);
    if !single.exists() && !index.exists() {
        // Nothing else is looked for: of a pickle at least its name can be said.
        if let Some(name) = pickle_in(folder) {
            return Err(wrong(folder, format!("its weights are only in `{name}`: {ADVICE}")));
        }
    }
    if single.exists() || !index.exists() {
        return Weights::load_floats(&single);
    }
    let json = read_json(&index)?;
    let files = json
        .get("weight_map")
        .and_then(Value::as_object)
        .ok_or_else(|| wrong(&index, "it has no `weight_map`"))?;
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (tensor, file) in files {
        let file = file.as_str().filter(|file| is_name(file));
        let file = file.ok_or_else(|| {
            wrong(&index, format!("the file of `{tensor}` is no name of a file beside it"))
        })?;
        names.entry(file).or_default().insert(tensor);
    }
    let mut all = Weights::new();
    for (file, tensors) in names {
        let path: PathBuf = folder.join(file);
        let mut found = Weights::load_floats(&path)?;
        for tensor in tensors {
            let taken = found.remove(tensor).ok_or_else(|| {
                wrong(&path, format!("`{INDEX}` says that it holds `{tensor}`, but it does not"))
            })?;
            all.insert(tensor.to_owned(), taken);
        }
    }
    Ok(all)
}

/// Whether a text is the name of a file, and no path to elsewhere.
fn is_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    let first = matches!(parts.next(), Some(std::path::Component::Normal(_)));
    first && parts.next().is_none() && !text.contains(['/', '\\'])
}

/// The values of a `config.json`.
struct Keys<'a>(&'a Map<String, Value>);

impl<'a> Keys<'a> {
    /// A value that is there and not null.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn size(&self, key: &str) -> Result<usize, String> {
        self.optional_size(key)?.ok_or_else(|| format!("`{key}` is missing"))
    }

    fn optional_size(&self, key: &str) -> Result<Option<usize>, String> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_u64() {
            Some(size) if (1..=LARGEST).contains(&size) => Ok(Some(size as usize)),
            _ => Err(format!("`{key}` is {value}, but must be a whole number of 1 to {LARGEST}")),
        }
    }

    /// The sizes, under the names that `transformers` has for them in every type of model; heads that
    /// fill the width, no biases.
    fn shape(&self, block: Block) -> Result<Shape, String> {
        let heads = self.size("num_attention_heads")?;
        Ok(Shape {
            vocabulary: self.size("vocab_size")?,
            depth: self.size("num_hidden_layers")?,
            width: self.size("hidden_size")?,
            heads,
            kv_heads: self.optional_size("num_key_value_heads")?.unwrap_or(heads),
            ffn: self.size("intermediate_size")?,
            tied: self.flag("tie_word_embeddings")?.unwrap_or(false),
            pi: Pi::NONE,
            attention: Attention::NONE,
            block,
        })
    }

    /// The longest text that it was trained on.
    fn positions(&self) -> Result<usize, String> {
        Ok(self.optional_size("max_position_embeddings")?.unwrap_or(2048))
    }

    fn number(&self, key: &str) -> Result<Option<f64>, String> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_f64().map(Some).ok_or_else(|| format!("`{key}` is {value}, but must be a number"))
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let flag = value.as_bool().map(Some);
        flag.ok_or_else(|| format!("`{key}` is {value}, but must be true or false"))
    }
}

/// What a type of model has where its `config.json` does not say, as in `transformers`.
struct Family {
    bias: bool,
    /// Whether a sliding window is on where nothing turns it off.
    slides: bool,
}

fn config(keys: &Map<String, Value>, notes: &mut Vec<String>) -> Result<ModelConfig, String> {
    let keys = Keys(keys);
    let family = match keys.get("model_type").and_then(Value::as_str) {
        Some("llama" | "smollm") => Family { bias: false, slides: false },
        Some("mistral") => Family { bias: false, slides: true },
        Some("qwen2") => Family { bias: true, slides: false },
        Some("ablate_pangu_pi") => {
            return Err(
                "it has PanGu-π's additions, which are read from a study's results only".to_owned()
            );
        }
        Some(other) => {
            return Err(format!(
                "models of the type `{other}` are not read; only `llama`, `mistral`, \
                 `qwen2`, `qwen` and `phi` are"
            ));
        }
        None => return Err("`model_type` is missing".to_owned()),
    };
    check_plain(&keys)?;
    let head_dim = keys.optional_size("head_dim")?;
    let mut shape = keys.shape(Block::Llama)?;
    shape.attention = Attention {
        head_dim: head_dim.filter(|dim| dim.checked_mul(shape.heads) != Some(shape.width)),
        bias: family.bias,
    };
    let window = match keys.0.get("sliding_window") {
        // Mistral's own where nothing is said; null turns it off.
        None if family.slides => Some(4096),
        _ => keys.optional_size("sliding_window")?,
    };
    let slides = keys.flag("use_sliding_window")?.unwrap_or(family.slides);
    let (rope_theta, rope_scaling) = rope(&keys)?;
    Ok(ModelConfig {
        shape,
        context: context(keys.positions()?, window.filter(|_| slides), notes),
        rope_theta,
        norm_eps: keys.number("rms_norm_eps")?.unwrap_or(1e-6),
        rope_scaling,
    })
}

/// Refuses what this decoder does not compute.
fn check_plain(keys: &Keys<'_>) -> Result<(), String> {
    for key in ["attention_bias", "mlp_bias"] {
        if keys.flag(key)? == Some(true) {
            return Err(format!(
                "`{key}` is true; of biases only those of Qwen2's queries, keys and values are computed"
            ));
        }
    }
    if let Some(name) = keys.get("hidden_act")
        && name != "silu"
    {
        return Err(format!("`hidden_act` is {name}, but only \"silu\" is computed"));
    }
    quantised(keys)
}

fn quantised(keys: &Keys<'_>) -> Result<(), String> {
    match keys.get("quantization_config") {
        None => Ok(()),
        Some(_) => {
            Err("its weights are quantised (`quantization_config`); take the original, or a GGUF \
                    file of Q8_0, Q4_0 or Q4_1"
                .to_owned())
        }
    }
}

/// Base of the rotary angles and how they are stretched: `rope_theta` and `rope_scaling`, or both in
/// `rope_parameters` since version 5 of `transformers`.
fn rope(keys: &Keys<'_>) -> Result<(f64, RopeScaling), String> {
    let mut theta = keys.number("rope_theta")?;
    let Some(given) = keys.get("rope_parameters").or_else(|| keys.get("rope_scaling")) else {
        return Ok((theta.unwrap_or(10_000.0), RopeScaling::None));
    };
    let given = given.as_object().ok_or_else(|| format!("its RoPE scaling is {given}"))?;
    let given = Keys(given);
    theta = given.number("rope_theta")?.or(theta);
    if let Some(share) = given.number("partial_rotary_factor")?
        && share != 1.0
    {
        return Err(format!(
            "only a share of {share} of its heads is turned, which is not computed"
        ));
    }
    let needed = |key: &str| {
        given.number(key)?.ok_or_else(|| format!("`{key}` of its RoPE scaling is missing"))
    };
    let kind = given.get("rope_type").or_else(|| given.get("type"));
    let scaling = match kind.map(|kind| kind.as_str().unwrap_or_default()) {
        None | Some("default") => RopeScaling::None,
        Some("linear") => RopeScaling::Linear { factor: needed("factor")? },
        Some("llama3") => RopeScaling::Llama3 {
            factor: needed("factor")?,
            low_freq_factor: needed("low_freq_factor")?,
            high_freq_factor: needed("high_freq_factor")?,
            original_context: given.size("original_max_position_embeddings")?,
        },
        Some(other) => {
            return Err(format!(
                "its RoPE scaling is of the kind `{other}`; only `linear` and `llama3` are computed"
            ));
        }
    };
    Ok((theta.unwrap_or(10_000.0), scaling))
}

#[cfg(test)]
mod tests;
