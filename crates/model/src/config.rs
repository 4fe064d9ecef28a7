//! What a decoder is built from.

use ablate_cost::{Block, Shape};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{ModelError, RopeScaling};

/// Sizes and constants of a decoder: all that its forward pass depends on besides the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Vocabulary, depth, width, heads, feed-forward channels, tied or untied head.
    pub shape: Shape,
    /// Longest sequence, in tokens.
    pub context: usize,
    /// Base of the rotary angles; LLaMA and the paper use 10000.
    pub rope_theta: f64,
    /// Added to the mean square in RMSNorm; the paper uses 1e-5.
    pub norm_eps: f64,
    /// How rotary angles were stretched for longer contexts.
    #[serde(default, skip_serializing_if = "RopeScaling::is_none")]
    pub rope_scaling: RopeScaling,
}

impl ModelConfig {
    /// Checks that a decoder can be built.
    ///
    /// # Errors
    /// [`ModelError::Shape`] or [`ModelError::Config`], naming the value that is wrong.
    pub fn check(&self) -> Result<(), ModelError> {
        self.shape.check()?;
        if self.context == 0 {
            return Err(ModelError::Config {
                key: "context",
                value: "0".into(),
                need: "at least 1 token",
            });
        }
        for (key, value) in [("rope_theta", self.rope_theta), ("norm_eps", self.norm_eps)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(ModelError::Config {
                    key,
                    value: value.to_string(),
                    need: "a positive number",
                });
            }
        }
        self.rope_scaling.check(self.shape.head_dim())
    }

    /// The `config.json` with which Hugging Face's `transformers` reads the saved weights as a
    /// `LlamaForCausalLM`. A decoder with PanGu-π's additions, or with Phi's layers in our layout, gets
    /// names that `transformers` does not know, so that it is not read as what it is not.
    pub fn hugging_face(&self) -> Value {
        let shape = &self.shape;
        let (architecture, model_type) = match (shape.pi.is_none(), shape.attention.bias) {
            (true, false) => ("LlamaForCausalLM", "llama"),
            (true, true) => ("Qwen2ForCausalLM", "qwen2"),
            (false, _) => ("PanguPiForCausalLM", "ablate_pangu_pi"),
        };
        let (architecture, model_type) = match shape.block {
            Block::Llama => (architecture, model_type),
            Block::Phi => ("AblatePhiForCausalLM", "ablate_phi"),
        };
        let mut config = json!({
            "architectures": [architecture],
            "model_type": model_type,
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.width,
            "intermediate_size": shape.ffn,
            "num_hidden_layers": shape.depth,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads,
            "head_dim": shape.head_dim(),
            "hidden_act": "silu",
            "max_position_embeddings": self.context,
            "rope_theta": self.rope_theta,
            "rms_norm_eps": self.norm_eps,
            "tie_word_embeddings": shape.tied,
            "attention_bias": false,
            "mlp_bias": false,
            "bos_token_id": 0,
            "eos_token_id": 0,
            "torch_dtype": "float32",
        });
        if let Some(scaling) = self.rope_scaling.hugging_face() {
            config["rope_scaling"] = scaling;
        }
        if let (false, Value::Object(keys)) = (shape.pi.is_none(), &mut config) {
            keys.insert("activations".to_owned(), shape.pi.activations.into());
            keys.insert("shortcut_size".to_owned(), shape.pi.shortcut.into());
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ModelConfig {
        let shape = Shape {
            vocabulary: 11,
            depth: 2,
            width: 8,
            heads: 2,
            kv_heads: 1,
            ffn: 12,
            tied: true,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        ModelConfig {
            shape,
            context: 16,
            rope_theta: 1e4,
            norm_eps: 1e-5,
            rope_scaling: Default::default(),
        }
    }

    #[test]
    fn wrong_values_are_named() {
        let check = |config: ModelConfig, expect: &str| {
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        assert!(config().check().is_ok());
        check(ModelConfig { context: 0, ..config() }, "`context` is 0");
        check(ModelConfig { rope_theta: f64::NAN, ..config() }, "`rope_theta` is NaN");
        check(ModelConfig { norm_eps: 0.0, ..config() }, "`norm_eps` is 0");
        let shape = Shape { heads: 3, ..config().shape };
        check(ModelConfig { shape, ..config() }, "width 8 is not divisible by 3 heads");
    }

    #[test]
    fn survives_json() {
        let text = serde_json::to_string(&config()).unwrap();
        assert_eq!(serde_json::from_str::<ModelConfig>(&text).unwrap(), config());
    }
}
