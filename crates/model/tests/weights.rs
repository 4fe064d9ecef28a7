//! Weights that do not fit or are damaged are told apart, and counts agree with `ablate-cost`.

use std::path::Path;

use ablate_cost::{Pi, Shape};
use ablate_model::{
    Backend, Decoder, HostTensor, ModelConfig, ModelError, Place, Scheme, Weights, device,
    random_weights,
};
use burn::module::Module;
use proptest::prelude::*;

fn config() -> ModelConfig {
    let shape = Shape {
        vocabulary: 19,
        depth: 2,
        width: 8,
        heads: 2,
        kv_heads: 1,
        ffn: 12,
        tied: false,
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

fn weights() -> Weights {
    random_weights(&config(), Scheme::Constant, 0.02, 7)
}

fn load(bytes: &[u8]) -> Result<Weights, ModelError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    std::fs::write(&path, bytes).unwrap();
    Weights::load(&path)
}

fn saved(weights: &Weights) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    weights.save(&path).unwrap();
    std::fs::read(&path).unwrap()
}

#[track_caller]
fn assert_error<T: std::fmt::Debug>(result: Result<T, ModelError>, expect: &[&str]) {
    let error = result.unwrap_err().to_string();
    for part in expect {
        assert!(error.contains(part), "{error}\n  lacks: {part}");
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let bytes = saved(&weights());
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for length in [0, 3, 8, 100, header + 7, header + 8, header + 9, bytes.len() - 1] {
        assert_error(load(&bytes[..length]), &["w.safetensors", "not a readable safetensors file"]);
    }
    assert_eq!(load(&bytes).unwrap(), weights());
}

#[test]
fn damaged_headers_are_errors_without_huge_allocations() {
    let bytes = saved(&weights());
    // A header that claims to be longer than any file.
    let mut claim = bytes.clone();
    claim[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_error(load(&claim), &["not a readable safetensors file"]);
    // Tensors that claim more bytes than there are, or overlap.
    for header in [
        r#"{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#,
        r#"{"a":{"dtype":"F32","shape":[18446744073709551615,4],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
        "no json",
    ] {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend([0; 4]);
        assert_error(load(&file), &["not a readable safetensors file"]);
    }
    let header = r#"{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend([0; 4]);
    assert_error(load(&file), &["`a`", "BF16", "convert"]);
    assert_error(Weights::load(Path::new("no/such/file")), &["cannot read", "no/such/file"]);
}

#[test]
fn weights_that_do_not_fit_are_told_apart() {
    let device = device(Backend::Flex);
    let build = |change: &dyn Fn(&mut Weights)| {
        let mut weights = weights();
        change(&mut weights);
        Decoder::from_weights(&config(), &weights, &device)
    };
    let up = "model.layers.1.mlp.up_proj.weight";
    assert!(build(&|_| ()).is_ok());
    assert_error(build(&|w| drop(w.remove(up))), &["lack", up, "[12, 8]"]);
    assert_error(
        build(&|w| w.get_mut(up).unwrap().shape.reverse()),
        &[up, "[8, 12]", "needs [12, 8]"],
    );
    assert_error(build(&|w| w.get_mut(up).unwrap().values.truncate(5)), &[up, "holds 5 values"]);
    assert_error(
        build(&|w| w.get_mut(up).unwrap().values[17] = f32::NAN),
        &[up, "NaN", "position 17"],
    );
    assert_error(build(&|w| w.get_mut(up).unwrap().values[0] = f32::INFINITY), &[up, "inf"]);
    let extra = || HostTensor::filled(vec![1], 0.0);
    assert_error(build(&|w| drop(w.insert("bias".into(), extra()))), &["`bias`", "no place"]);

    let deeper = ModelConfig { shape: Shape { depth: usize::MAX, ..config().shape }, ..config() };
    assert_error(weights().check(&deeper), &["lack", "model.layers.2.input_layernorm.weight"]);
    let tied = ModelConfig { shape: Shape { tied: true, ..config().shape }, ..config() };
    assert_error(weights().check(&tied), &["`lm_head.weight`", "no place"]);
}

#[test]
fn saving_a_tensor_that_contradicts_itself_fails_and_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    weights().save(&path).unwrap();
    let mut broken = weights();
    broken.get_mut("lm_head.weight").unwrap().values.pop();
    assert_error(broken.save(&path), &["cannot be saved"]);
    assert_eq!(Weights::load(&path).unwrap(), weights());
    let nowhere = folder.path().join("missing/w.safetensors");
    assert_error(weights().save(&nowhere), &["cannot write", "missing/w.safetensors"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn checksums_follow_the_content() {
    let sum = weights().checksum();
    assert_eq!(sum, weights().checksum());
    let mut other = weights();
    other.get_mut("model.norm.weight").unwrap().values[3] += 1.0;
    assert_ne!(sum, other.checksum());
    assert_ne!(sum, random_weights(&config(), Scheme::Constant, 0.02, 8).checksum());
}

prop_compose! {
    fn shapes()(
        vocabulary in 1usize..60, depth in 1usize..4, kv_heads in 1usize..4, group in 1usize..4,
        half in 1usize..4, ffn in 1usize..30, tied: bool, activations in 1usize..4, shortcut in 0usize..4,
    ) -> Shape {
        let heads = kv_heads * group;
        Shape { vocabulary, depth, width: heads * half * 2, heads, kv_heads, ffn, tied, pi: Pi { activations, shortcut }, attention: Default::default(), block: Default::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn counts_are_those_of_cost_and_of_the_module(shape in shapes()) {
        let config = ModelConfig { shape, ..config() };
        let weights = random_weights(&config, Scheme::Constant, 0.02, 1);
        let count = shape.parameters();
        let values = |place: Place| weights.get(&place.name()).map_or(0, |t| t.values.len() as u64);
        prop_assert_eq!(weights.values(), count.total);
        prop_assert_eq!(values(Place::Embedding), count.embedding);
        prop_assert_eq!(values(Place::Head), count.head);
        let model = Decoder::from_weights(&config, &weights, &device(Backend::Flex)).unwrap();
        prop_assert_eq!(model.num_params() as u64, count.total);
        prop_assert_eq!(model.names().len(), weights.len());
        let named: Vec<String> = Weights::names_of(&config).into_iter().map(|n| n.0).collect();
        prop_assert_eq!(model.names(), named);
        prop_assert_eq!(model.to_weights(), weights);
    }
}
