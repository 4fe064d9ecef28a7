use serde_json::json;

use super::*;

fn tokenizer() -> Tokenizer {
    let text = "the cat sat on the mat. ".repeat(20);
    Tokenizer::train(std::iter::once(text.as_str()), 264).unwrap()
}

fn folder(files: &[(&str, Value)]) -> Ends {
    let folder = tempfile::tempdir().unwrap();
    for (name, json) in files {
        fs::write(folder.path().join(name), json.to_string()).unwrap();
    }
    of_folder(folder.path(), &tokenizer()).unwrap()
}

#[test]
fn beginnings_are_what_the_tokenizers_settings_say() {
    let name = json!("<|endoftext|>");
    let settings = |add: Value| json!({"add_bos_token": add, "bos_token": {"content": name}});
    let template = json!({"post_processor": {"type": "Sequence", "processors": [
        {"type": "ByteLevel"},
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": name, "type_id": 0}}]}]}});
    let begin = |files: &[(&str, Value)]| folder(files).begin;
    assert_eq!(begin(&[]), None);
    assert_eq!(begin(&[("tokenizer_config.json", settings(json!(true)))]), Some(0));
    assert_eq!(begin(&[("tokenizer_config.json", settings(json!(false)))]), None);
    assert_eq!(begin(&[("tokenizer.json", template.clone())]), Some(0));
    let both = [("tokenizer.json", template), ("tokenizer_config.json", settings(json!(false)))];
    assert_eq!(begin(&both), None);
}

#[test]
fn ends_are_one_id_or_several() {
    let found = folder(&[
        ("generation_config.json", json!({"eos_token_id": [5, 7]})),
        ("config.json", json!({"eos_token_id": 9})),
        ("tokenizer_config.json", json!({"eos_token": "<|endoftext|>"})),
    ]);
    assert_eq!(found.ends, [0, 5, 7, 9].into());
}

#[test]
fn a_tokenizer_of_another_size_is_refused() {
    let check = |pieces, rows| check_vocabulary(Path::new("t.json"), pieces, rows);
    for (pieces, rows) in [(49_152, 49_152), (151_665, 151_936), (50_295, 51_200), (500, 512)] {
        assert!(check(pieces, rows).is_ok());
    }
    for (pieces, rows) in [(49_153, 49_152), (512, 49_152), (300, 512)] {
        let error = check(pieces, rows).unwrap_err().to_string();
        assert!(error.contains("another model's") && error.contains("t.json"), "{error}");
    }
}

#[test]
fn what_is_no_model_is_said() {
    let error = |path: &Path| open_model(path, None).map(|_| ()).unwrap_err().to_string();
    assert!(error(Path::new("nowhere")).contains("does not exist"));
    let folder = tempfile::tempdir().unwrap();
    assert!(error(folder.path()).contains("config.json"));
    let file = folder.path().join("x.gguf");
    fs::write(&file, b"GGML").unwrap();
    assert!(error(&file).contains("no GGUF file"));
    let file = folder.path().join("x.txt");
    fs::write(&file, b"?").unwrap();
    assert!(error(&file).contains("is no model"));
}
