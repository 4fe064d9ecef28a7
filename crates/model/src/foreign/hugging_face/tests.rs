use serde_json::json;

use super::*;

fn llama() -> Value {
    json!({
        "model_type": "llama", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64,
        "rms_norm_eps": 1e-5,
    })
}

fn read(changes: Value) -> Result<(ModelConfig, Vec<String>), String> {
    let mut json = llama();
    for (key, value) in changes.as_object().unwrap() {
        json[key] = value.clone();
    }
    let mut notes = Vec::new();
    config(json.as_object().unwrap(), &mut notes).map(|config| (config, notes))
}

fn error(changes: Value) -> String {
    read(changes).unwrap_err()
}

#[test]
fn what_is_not_said_is_as_in_transformers() {
    let (config, notes) = read(json!({})).unwrap();
    assert_eq!((config.shape.kv_heads, config.shape.tied), (4, false));
    assert_eq!((config.rope_theta, config.norm_eps), (10_000.0, 1e-5));
    assert!(config.rope_scaling.is_none() && config.shape.attention.is_none() && notes.is_empty());
    let (config, _) = read(json!({"head_dim": 8, "num_key_value_heads": 2})).unwrap();
    assert_eq!((config.shape.attention.head_dim, config.shape.kv_heads), (None, 2));
    let (config, _) = read(json!({"head_dim": 16, "model_type": "qwen2"})).unwrap();
    assert_eq!(config.shape.attention, Attention { head_dim: Some(16), bias: true });
    assert_eq!(config.shape.head_dim(), 16);
}

#[test]
fn rope_is_read_in_the_old_and_in_the_new_layout() {
    let scaling = json!({"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192, "rope_type": "llama3"});
    let (old, _) = read(json!({"rope_theta": 5e5, "rope_scaling": scaling})).unwrap();
    let mut given = scaling.clone();
    given["rope_theta"] = json!(5e5);
    let (new, _) = read(json!({"rope_parameters": given})).unwrap();
    assert_eq!(old, new);
    assert_eq!(old.rope_theta, 5e5);
    assert!(matches!(old.rope_scaling, RopeScaling::Llama3 { original_context: 8192, .. }));
    let (linear, _) = read(json!({"rope_scaling": {"type": "linear", "factor": 2}})).unwrap();
    assert_eq!(linear.rope_scaling, RopeScaling::Linear { factor: 2.0 });
    assert!(error(json!({"rope_scaling": {"type": "yarn", "factor": 2}})).contains("`yarn`"));
    assert!(error(json!({"rope_scaling": {"type": "linear"}})).contains("`factor`"));
    let part = json!({"rope_parameters": {"partial_rotary_factor": 0.5}});
    assert!(error(part).contains("share of 0.5"));
}

#[test]
fn windows_that_slide_shorten_the_context() {
    let (config, notes) = read(json!({"model_type": "mistral", "sliding_window": 24})).unwrap();
    assert_eq!(config.context, 24);
    assert!(notes[0].contains("slides over 24 tokens"), "{notes:?}");
    for unharmed in [
        json!({"model_type": "mistral", "sliding_window": null}),
        json!({"model_type": "mistral", "sliding_window": 64}),
        json!({"model_type": "qwen2", "sliding_window": 24, "use_sliding_window": false}),
        json!({"model_type": "qwen2", "sliding_window": 24}),
        json!({"sliding_window": 24}),
    ] {
        let (config, notes) = read(unharmed).unwrap();
        assert_eq!((config.context, notes.len()), (64, 0));
    }
    let (long, notes) = read(json!({"max_position_embeddings": 1 << 30})).unwrap();
    assert_eq!((long.context, notes.len()), (1 << 17, 1));
    let (silent, _) =
        read(json!({"model_type": "mistral", "max_position_embeddings": 9000})).unwrap();
    assert_eq!(silent.context, 4096);
}

#[test]
fn what_cannot_be_computed_is_named() {
    for (changes, words) in [
        (json!({"model_type": "gpt2"}), "type `gpt2`"),
        (json!({"model_type": null}), "`model_type` is missing"),
        (json!({"model_type": "ablate_pangu_pi"}), "PanGu-π"),
        (json!({"attention_bias": true}), "`attention_bias` is true"),
        (json!({"mlp_bias": true}), "`mlp_bias` is true"),
        (json!({"mlp_bias": "no"}), "must be true or false"),
        (json!({"hidden_act": "gelu"}), "\"gelu\""),
        (json!({"quantization_config": {}}), "quantised"),
        (json!({"hidden_size": null}), "`hidden_size` is missing"),
        (json!({"hidden_size": -3}), "`hidden_size` is -3"),
        (json!({"hidden_size": 1e30}), "`hidden_size` is 1e"),
        (json!({"vocab_size": 1u64 << 40}), "whole number of 1 to"),
        (json!({"rms_norm_eps": "small"}), "must be a number"),
    ] {
        let error = error(changes);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn files_of_an_index_lie_beside_it() {
    assert!(is_name("model-00001-of-00002.safetensors"));
    for path in ["../other", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "a/"] {
        assert!(!is_name(path), "{path}");
    }
}
