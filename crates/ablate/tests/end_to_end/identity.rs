//! What results are known by: `why` and `diff`.

use serde_json::Value;

use crate::sandbox::{Sandbox, TINY, ladder};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What differs, of the stages of a kind, in the words that people read.
fn words(why: &Value, stage: &str) -> Vec<String> {
    let stages = why["stages"].as_array().unwrap().iter().filter(|s| s["stage"] == stage);
    stages
        .flat_map(|s| s["causes"].as_array().unwrap())
        .map(|cause| cause["words"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_would_run_is_told_by_what_differs() {
    let sandbox = Sandbox::with_study(TINY);
    let nothing = sandbox.succeed(&["why", "tiny.toml"]);
    assert!(nothing.contains("nothing of this stage is stored"), "{nothing}");
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let done = sandbox.succeed(&["why", "tiny.toml"]);
    assert!(done.contains("nothing would run"), "{done}");

    // Another learning rate: the trainings differ by it, their scores by the trainings.
    let faster = ["why", "tiny.toml", "--set", "train.learning_rate=2e-2"];
    let text = sandbox.succeed(&faster);
    assert!(text.contains("8 stages would run"), "{text}");
    assert!(text.contains("learning_rate is 0.02, stored is 0.01"), "{text}");
    let found = json(&sandbox.succeed(&[&faster[..], &["--json"]].concat()));
    assert_eq!(found["stages"].as_array().unwrap().len(), 8);
    for cause in words(&found, "train") {
        assert_eq!(cause, "learning_rate is 0.02, stored is 0.01");
    }
    for cause in words(&found, "eval") {
        assert!(cause.contains("is to be made: see train"), "{cause}");
    }
    for stage in found["stages"].as_array().unwrap().iter().filter(|s| s["stage"] == "train") {
        // The nearest training is that of the same shape and seed.
        assert_eq!(stage["nearest"]["name"], stage["name"]);
    }

    // One variant alone, and one that there is not.
    let one =
        json(&sandbox.succeed(&[&faster[..2], &["deep"], &faster[2..], &["--json"]].concat()));
    assert_eq!(one["stages"].as_array().unwrap().len(), 4);
    let unknown = sandbox.ablate(&["why", "tiny.toml", "depp"]);
    assert_eq!(unknown.code, Some(4), "{unknown}");
    assert!(unknown.stderr.contains("did you mean `deep`"), "{unknown}");

    // Other text: everything below it differs by it.
    let more = sandbox.succeed(&["why", "tiny.toml", "--set", "corpus.bytes=\"50kB\""]);
    assert!(more.contains("bytes is 50000, stored is 60000"), "{more}");
    assert!(more.contains("its corpus is to be made: see corpus"), "{more}");
}

#[test]
fn variants_differ_by_what_is_written_and_what_follows() {
    let sandbox = Sandbox::with_study(&ladder());
    let pair = json(&sandbox.succeed(&["diff", "tiny.toml:compact", ":deep", "--json"]));
    let differences = pair["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{pair}");
    assert_eq!(differences[0]["field"], "model.depth");
    assert_eq!((&differences[0]["a"], &differences[0]["b"]), (&"1".into(), &"2".into()));
    assert_eq!(differences[0]["kind"], "declared");
    assert!(pair["confounded"].as_array().unwrap().is_empty(), "{pair}");
    // A layer more: 4 square matrices of attention, 3 of the feed-forward part, 2 norms.
    let params = &pair["parameters"];
    let layer = 4 * 16 * 16 + 3 * 16 * 24 + 2 * 16;
    assert_eq!(params[1].as_u64().unwrap() - params[0].as_u64().unwrap(), layer);
    assert_eq!(pair["shared"]["tokenizer"], 1);
    assert_eq!(pair["only_a"]["train"], 2);
    assert!(pair["shared"].get("train").is_none(), "{pair}");

    // Two steps of the ladder at once are confounded.
    let far = sandbox.succeed(&["diff", "tiny.toml:baseline", ":deep"]);
    assert!(far.contains("confounded: "), "{far}");
    assert!(far.contains("model.depth") && far.contains("tokenizer"), "{far}");
    let same = sandbox.succeed(&["diff", "tiny.toml:deep", "tiny.toml:deep"]);
    assert!(same.contains("nothing differs"), "{same}");

    let unknown = sandbox.ablate(&["diff", "tiny.toml:deep", ":depp"]);
    assert_eq!(unknown.code, Some(4), "{unknown}");
    let mixed = sandbox.ablate(&["diff", "tiny.toml:deep", "tiny.toml"]);
    assert_eq!(mixed.code, Some(2), "{mixed}");
}

#[test]
fn studies_differ_in_all_variants_or_in_some() {
    let sandbox = Sandbox::with_study(TINY);
    let other = TINY
        .replace("learning_rate = 1e-2", "learning_rate = 2e-2")
        .replace("seeds = [1, 2]", "seeds = [1, 2, 3]")
        .replace("model.depth = 2", "model.depth = 3");
    sandbox.write(
        "other.toml",
        &(other + "\n[[design.list]]\nname = \"wide\"\nset.model.width = 32\n"),
    );
    let found = json(&sandbox.succeed(&["diff", "tiny.toml", "other.toml", "--json"]));
    assert_eq!(found["only_b"], serde_json::json!(["wide"]));
    assert_eq!(found["seeds"], serde_json::json!([[1, 2], [1, 2, 3]]));
    let everywhere = found["everywhere"].as_array().unwrap();
    assert_eq!(everywhere.len(), 1, "{found}");
    assert_eq!(everywhere[0]["field"], "train.learning_rate");
    let text = sandbox.succeed(&["diff", "tiny.toml", "other.toml"]);
    assert!(text.contains("in every variant that both have"), "{text}");
    assert!(text.contains("model.depth"), "{text}");
    let itself = sandbox.succeed(&["diff", "tiny.toml", "tiny.toml"]);
    assert!(itself.contains("the same in both: plain, deep"), "{itself}");
}
