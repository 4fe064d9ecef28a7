//! Folders of models with something wrong in them: an error each that says what. Random damage to all
//! kinds of files is in `crates/ablate/tests/damaged`.

mod files;

use std::path::Path;

use ablate_model::{ModelError, Weights, read_hugging_face};
use serde_json::json;

use files::fixtures;

fn copy_of(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixtures().join(name)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn change_weights(folder: &Path, change: impl FnOnce(&mut Weights)) {
    let path = folder.join("model.safetensors");
    let mut weights = Weights::load_floats(&path).unwrap();
    change(&mut weights);
    weights.save(&path).unwrap();
}

fn error(folder: &Path) -> String {
    let error: ModelError = read_hugging_face(folder).unwrap_err();
    error.to_string()
}

#[test]
fn what_is_wrong_with_a_folder_is_said() {
    let name = "model.layers.1.mlp.up_proj.weight";
    let folder = copy_of("llama");
    change_weights(folder.path(), |weights| {
        weights.remove(name);
    });
    assert!(error(folder.path()).contains(&format!("lack the tensor `{name}`")));

    let folder = copy_of("llama");
    change_weights(folder.path(), |weights| {
        let tensor = weights.get_mut(name).unwrap();
        tensor.shape.reverse();
    });
    assert!(error(folder.path()).contains("has the shape [32, 64]"));

    let folder = copy_of("llama");
    change_weights(folder.path(), |weights| weights.get_mut(name).unwrap().values[7] = f32::NAN);
    let message = error(folder.path());
    assert!(message.contains(name) && message.contains("NaN at position 7"), "{message}");

    let folder = copy_of("llama");
    change_weights(folder.path(), |weights| {
        let tensor = weights.get(name).unwrap().clone();
        weights.insert("model.layers.1.mlp.up_proj.bias".into(), tensor);
    });
    assert!(error(folder.path()).contains("no place in this configuration"));

    let folder = copy_of("llama");
    std::fs::remove_file(folder.path().join("config.json")).unwrap();
    assert!(error(folder.path()).contains("config.json"));
    std::fs::write(folder.path().join("config.json"), "[]").unwrap();
    assert!(error(folder.path()).contains("no JSON object"));
    let config = json!({"model_type": "bert"});
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    assert!(error(folder.path()).contains("type `bert`"));

    let folder = copy_of("llama3");
    std::fs::remove_file(folder.path().join("model-00003-of-00011.safetensors")).unwrap();
    assert!(error(folder.path()).contains("model-00003-of-00011.safetensors"));
    let folder = copy_of("llama3");
    let (first, second) = ("model-00001-of-00011.safetensors", "model-00003-of-00011.safetensors");
    std::fs::copy(folder.path().join(first), folder.path().join(second)).unwrap();
    assert!(error(folder.path()).contains("but it does not"));
}

#[test]
fn pickles_are_refused_by_name() {
    let folder = copy_of("llama");
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    // Even where it says that it is what it is not.
    for name in ["pytorch_model.bin", "consolidated.00.pth", "model.pt"] {
        let path = folder.path().join(name);
        std::fs::write(&path, b"\x80\x02}q\x00.").unwrap();
        let message = error(folder.path());
        assert!(message.contains(name) && message.contains("safetensors"), "{message}");
        let bin = folder.path().join("elsewhere.bin");
        std::fs::rename(&path, &bin).unwrap();
        let message = ablate_model::read_llama2c(&bin).unwrap_err().to_string();
        assert!(message.contains("a pickle runs code"), "{message}");
        std::fs::remove_file(&bin).unwrap();
    }
    // A tokenizer is no pickle.
    std::fs::write(folder.path().join("tokenizer.bin"), b"").unwrap();
    assert!(error(folder.path()).contains("model.safetensors"));
}

#[test]
fn a_header_of_two_to_the_63_bytes_costs_nothing() {
    let folder = copy_of("llama");
    let mut bytes = (1u64 << 63).to_le_bytes().to_vec();
    bytes.extend([b'{'; 100]);
    std::fs::write(folder.path().join("model.safetensors"), &bytes).unwrap();
    let message = error(folder.path());
    assert!(message.contains("not a readable safetensors file"), "{message}");
}

#[test]
fn a_tied_model_may_hold_its_embedding_twice_and_old_constants() {
    let folder = copy_of("qwen2");
    let before = read_hugging_face(folder.path()).unwrap();
    change_weights(folder.path(), |weights| {
        let embedding = weights.get("model.embed_tokens.weight").unwrap().clone();
        weights.insert("lm_head.weight".into(), embedding.clone());
        weights.insert("model.layers.0.self_attn.rotary_emb.inv_freq".into(), embedding);
    });
    assert!(read_hugging_face(folder.path()).unwrap() == before);
}
