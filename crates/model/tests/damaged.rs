//! Files of models that are cut short, changed or made up: an error each, and never a panic or memory
//! for a length that is a lie.

mod files;

use std::path::Path;

use ablate_model::{ModelError, Weights, read_hugging_face};
use proptest::prelude::*;
use serde_json::json;

use files::{KINDS, Kind, fixtures};

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
fn whole_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        kind.read(&kind.whole(), folder.path()).unwrap();
    }
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

fn kind() -> impl Strategy<Value = Kind> {
    (0..KINDS.len()).prop_map(|at| KINDS[at])
}

/// Changed bytes by their place, as a share of the file.
fn changes() -> impl Strategy<Value = Vec<(f64, u8)>> {
    prop::collection::vec((0.0..1.0, any::<u8>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes(kind in kind(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        prop_assert!(kind.read(&bytes, folder.path()).is_err());
    }

    #[test]
    fn bytes_that_were_changed(kind in kind(), changes in changes(), early: bool) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = kind.whole();
        // Headers are where lies are.
        let length = if early { bytes.len().min(400) } else { bytes.len() };
        for (at, byte) in changes {
            bytes[(at * length as f64) as usize] = byte;
        }
        // It may still be a model.
        let _ = kind.read(&bytes, folder.path());
    }

    #[test]
    fn files_that_were_cut_short(kind in kind(), share in 0.0..1.0) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = kind.whole();
        let kept = (share * bytes.len() as f64) as usize;
        // Of a configuration, a last line break may go.
        prop_assume!(kept + 1 < bytes.len());
        prop_assert!(kind.read(&bytes[..kept], folder.path()).is_err());
    }
}

/// Damages files for as many seconds as `ABLATE_FUZZ_SECONDS` says (60 without it):
/// `ABLATE_FUZZ_SECONDS=600 cargo test --release -p ablate-model --test damaged -- --ignored`.
#[test]
#[ignore = "runs for a minute or more"]
fn damaged_for_a_long_time() {
    let seconds = std::env::var("ABLATE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds.unwrap_or(60));
    let folder = tempfile::tempdir().unwrap();
    // xorshift64*, from the clock: every run tries others, and says which if it fails.
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut state = clock.as_nanos() as u64 | 1;
    let mut next = |below: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    };
    let wholes = KINDS.map(Kind::whole);
    let (mut tried, mut taken) = (0u64, 0u64);
    while std::time::Instant::now() < end {
        let at = next(KINDS.len());
        let mut bytes = wholes[at].clone();
        for _ in 0..=next(8) {
            let length = if next(2) == 0 { bytes.len().min(600) } else { bytes.len() };
            let place = next(length);
            match next(6) {
                0 => bytes[place] = next(256) as u8,
                1 => bytes[place] ^= 1 << next(8),
                2 => bytes.truncate(place.max(1)),
                3 => {
                    let more = bytes[place..(place + next(40)).min(bytes.len())].to_vec();
                    bytes.splice(place..place, more);
                }
                4 => {
                    let end = (place + next(40)).min(bytes.len().saturating_sub(1)).max(place);
                    bytes.drain(place..end);
                }
                _ => {
                    let word = [u64::MAX, 1 << 63, 1 << 32, 0, 1][next(5)].to_le_bytes();
                    for (byte, new) in bytes[place..].iter_mut().zip(word) {
                        *byte = new;
                    }
                }
            }
        }
        let read = std::panic::catch_unwind(|| KINDS[at].read(&bytes, folder.path()).is_ok());
        let Ok(ok) = read else {
            let kept = std::env::temp_dir().join("ablate-fuzz-failure");
            std::fs::write(&kept, &bytes).unwrap();
            panic!("a file of kind {:?} panics; it is kept as {}", KINDS[at], kept.display());
        };
        tried += 1;
        taken += u64::from(ok);
    }
    assert!(tried > 100 && taken < tried, "{taken} of {tried} damaged files were models");
}
