//! Items that share a passage are drawn with it: what stands behind their standard errors.

use std::collections::BTreeMap;
use std::path::Path;

use ablate_benchmark::harness::{Evaluated, Run, write};
use ablate_benchmark::{Ask, Definition, Imported, Question, import};
use ablate_eval::{ItemResult, Scoring, scores};
use serde_json::{Value, json};

const DEFINITION: &str = r#"name = "reading"
cluster = "{passage}"

[[files]]
split = "test"
path = "reading.jsonl"

[reader]
format = "jsonl"

[answer]
key = "{label}"
values = ["false", "true"]

[[prompt]]
scoring = "continuation"
language = "en"
context = "{passage}\nQuestion: {question}?\nAnswer:"
options = ["no", "yes"]
"#;

/// Passages, one of them longer than a name may be, one without any; and whether the model is right.
fn answers() -> Vec<(String, bool)> {
    let long = "A passage of more words than anybody would call it by. ".repeat(3);
    let rows = [
        ("Ants.", true),
        ("Ants.", true),
        (long.as_str(), false),
        ("Ants.", false),
        (long.as_str(), false),
    ];
    let alone = [("", true)];
    rows.into_iter().chain(alone).map(|(passage, right)| (passage.to_owned(), right)).collect()
}

fn imported(folder: &Path, definition: &str) -> Imported {
    let lines = answers().into_iter().enumerate().map(|(number, (passage, _))| {
        let line =
            json!({ "passage": passage, "question": format!("is it {number}"), "label": true });
        format!("{line}\n")
    });
    std::fs::write(folder.join("reading.jsonl"), lines.collect::<String>()).unwrap();
    let parsed = Definition::parse(definition, "reading.toml").unwrap();
    let to = folder.join("imported");
    import(&parsed, (definition, false), &folder.join("reading.jsonl"), &to).unwrap();
    Imported::open(&to.join("reading"), parsed).unwrap()
}

fn results(questions: &[Question<'_>]) -> Vec<ItemResult> {
    let of = |(question, (_, right)): (&Question<'_>, (String, bool))| {
        let form = question.item.form.as_ref().unwrap();
        let found = ItemResult::of_likelihoods(
            &question.item,
            &[-1.0, if right { -0.5 } else { -2.0 }],
            &[false; 2],
        );
        ItemResult { subject: form.subject.clone(), ..found }
    };
    questions.iter().zip(answers()).map(of).collect()
}

#[test]
fn items_of_a_passage_are_one_unit() {
    let temporary = tempfile::tempdir().unwrap();
    let imported = imported(temporary.path(), DEFINITION);
    let questions = imported.ask(&Ask::default()).unwrap();
    let results = results(&questions);
    let shared: Vec<&str> = results.iter().map(|r| r.subject.as_deref().unwrap()).collect();
    assert_eq!([shared[0], shared[1], shared[3], shared[5]], ["Ants.", "Ants.", "Ants.", "item 5"]);
    assert!(shared[2] == shared[4] && shared[2].starts_with("passage "), "{shared:?}");

    // Half of six are right. The passages' deviations add up to 0.5, -1 and 0.5, so that the error is
    // sqrt(3 / 2 * 1.5) / 6 (Liang and Zeger 1986); without clusters it were sqrt(0.3 / 6).
    let found = scores(&results, Scoring::Continuation);
    let accuracy = found.iter().find(|score| score.metric == "acc").unwrap();
    assert_eq!(accuracy.value, 0.5);
    assert!((accuracy.standard_error - 0.25).abs() < 1e-12, "{}", accuracy.standard_error);

    // The harness's file has its own error, and this one beside it.
    let available = BTreeMap::from([("reading".to_owned(), 9)]);
    let evaluated = [Evaluated {
        definition: &imported.definition,
        questions: &questions,
        results: &results,
        available: &available,
    }];
    let run = Run {
        model: "m",
        config: serde_json::Map::new(),
        benchmarks: &evaluated,
        started: 0.0,
        date: "2026-01-31T12:00:00.123456",
        seconds: 1.0,
        commit: None,
    };
    let written = write(temporary.path(), &run).unwrap();
    let text = std::fs::read_to_string(written.results).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let of = |metric: &str| all["results"]["reading"][metric].as_f64().unwrap();
    assert!((of("acc_stderr,none") - (0.3f64 / 6.0).sqrt()).abs() < 1e-12);
    assert!((of("acc_stderr_clustered,none") - 0.25).abs() < 1e-12);
    assert_eq!(all["n-samples"]["reading"], json!({ "original": 9, "effective": 6 }));
}

#[test]
fn items_without_a_cluster_are_their_own() {
    let temporary = tempfile::tempdir().unwrap();
    let plain = DEFINITION.replace("cluster = \"{passage}\"\n", "");
    let imported = imported(temporary.path(), &plain);
    let questions = imported.ask(&Ask::default()).unwrap();
    let found = scores(&results(&questions), Scoring::Continuation);
    let accuracy = found.iter().find(|score| score.metric == "acc").unwrap();
    assert!((accuracy.standard_error - (0.3f64 / 6.0).sqrt()).abs() < 1e-12);
}

#[test]
fn what_cannot_be_a_cluster_is_said() {
    let of = |from: &str, to: &str| {
        let text = DEFINITION.replacen(from, to, 1);
        Definition::parse(&text, "reading.toml").unwrap_err().to_string()
    };
    let message = of("{passage}", "{passage");
    assert!(message.contains("reading.toml:2: `cluster`"), "{message}");
    let message = of("name = \"reading\"\n", "name = \"reading\"\naggregation = \"subjects\"\n");
    assert!(message.contains("reading.toml:3: `cluster`: where every subject counts"), "{message}");

    // A field that a line has not is an error of that line.
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("reading.jsonl");
    std::fs::write(&file, "{\"question\": \"is it\", \"label\": true}\n").unwrap();
    let text = DEFINITION.replace("context = \"{passage}", "context = \"{question}");
    let definition = Definition::parse(&text, "reading.toml").unwrap();
    let error = import(&definition, (&text, false), &file, temporary.path()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("its cluster") && message.contains("passage"), "{message}");
}
