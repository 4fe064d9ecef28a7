//! Looking after the store: `verify` and `gc`.

use std::fs;

use crate::outcome::{of_stage, results};
use crate::sandbox::{Sandbox, TINY, files};

const RUN: [&str; 3] = ["run", "tiny.toml", "--quiet"];

#[test]
fn damage_is_found_set_aside_and_mended() {
    let sandbox = Sandbox::with_study(TINY);
    let root = sandbox.root();
    sandbox.succeed(&RUN);
    let whole = sandbox.succeed(&["verify"]);
    assert!(whole.contains(": 0 damaged"), "{whole}");
    let (train, eval) = (&of_stage(&root, "train")[0], &of_stage(&root, "eval")[0]);
    let file = root.join("data/store").join(train).join("model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    fs::remove_file(root.join("data/store").join(eval).join("items.json")).unwrap();
    let before = results(&root).len();
    let ended = sandbox.ablate(&["verify", "tiny.toml"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains(&format!("{train}: `model.safetensors` has another content")));
    assert!(ended.stdout.contains(&format!("{eval}: `items.json` is missing")), "{ended}");
    assert_eq!(results(&root).len(), before, "only looked at");
    assert_eq!(sandbox.ablate(&["verify", "--quarantine"]).code, Some(1));
    assert_eq!(results(&root).len(), before - 2);
    // The training is not needed for what is there; its score is made again with it.
    sandbox.succeed(&RUN);
    assert_eq!(results(&root).len(), before);
    sandbox.succeed(&["verify"]);
    // What was set aside is garbage.
    let shown = sandbox.succeed(&["gc"]);
    assert!(shown.contains(".corrupt") && shown.contains("2 of "), "{shown}");
}

#[test]
fn only_what_nobody_refers_to_is_removed() {
    let sandbox = Sandbox::with_study(TINY);
    let root = sandbox.root();
    sandbox.succeed(&RUN);
    let all = results(&root).len();
    let shown = sandbox.succeed(&["gc", "--delete"]);
    assert!(shown.contains("0 of "), "{shown}");

    // One variant fewer, and a report that still shows it.
    let (shorter, _) = TINY.split_once("\n[[design.list]]\nname = \"deep\"").unwrap();
    sandbox.write("tiny.toml", shorter);
    sandbox.succeed(&["gc", "--delete"]);
    assert_eq!(results(&root).len(), all, "the report was made from them");
    sandbox.succeed(&RUN);
    let shown = sandbox.succeed(&["gc"]);
    assert!(shown.contains("result") && shown.contains("train/"), "{shown}");
    assert_eq!(results(&root).len(), all, "only shown");

    // A study of which nobody knows what it needs.
    sandbox.write("studies/other.toml", "[study]\nname = 1\n");
    let ended = sandbox.ablate(&["gc", "--delete"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("other.toml") && ended.stderr.contains("--force"), "{ended}");
    assert_eq!(results(&root).len(), all);
    fs::remove_file(sandbox.desk("studies/other.toml")).unwrap();

    let bystander = root.join("data/store/notes.txt");
    fs::write(&bystander, "mine").unwrap();
    sandbox.succeed(&["gc", "--delete"]);
    // Two trainings and two scores less; logs of theirs as well.
    assert_eq!(results(&root).len(), all - 4);
    assert!(bystander.exists());
    assert!(!files(&root).iter().any(|path| path.to_string_lossy().contains(".trash")));
    // What is left is whole: nothing is made again.
    let before = results(&root);
    sandbox.succeed(&RUN);
    assert_eq!(results(&root), before);
    let shown = sandbox.succeed(&["gc"]);
    assert!(shown.contains("0 of "), "{shown}");
}
