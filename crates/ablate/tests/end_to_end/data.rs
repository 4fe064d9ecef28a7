//! Published benchmarks: imported, shown, used by a study; and a benchmark of the user's own.

use serde_json::{Value, json};

use crate::outcome::{number, rows, text};
use crate::sandbox::{Sandbox, TINY};

/// PIQA's files in upstream's layout.
fn write_piqa(sandbox: &Sandbox, labels: &str) {
    let line = |id: usize| {
        let (goal, right) = (format!("Reach goal {id}"), format!("walk {}", "on ".repeat(id)));
        json!({ "id": format!("p{id}"), "goal": goal, "sol1": right, "sol2": "sit down" })
            .to_string()
    };
    let lines: Vec<String> = (0..6).map(line).collect();
    sandbox.write("physicaliqa-train-dev/dev.jsonl", lines.join("\n") + "\n");
    sandbox.write("physicaliqa-train-dev/dev-labels.lst", labels);
}

const LABELS: &str = "0\n1\n0\n0\n1\n0\n";

/// A definition without any Rust.
const RIDDLES: &str = r#"
name = "riddles"

[[files]]
split = "test"
path = "riddles.csv"

[reader]
format = "csv"

[answer]
key = "{right}"
values = ["1", "2"]

[[prompt]]
scoring = "ppl"
language = "en"
context = "{riddle|strip} It is a "
options = ["{first}", "{second}"]
"#;

const TABLE: &str =
    "riddle,first,second,right\n\"It barks, loudly.\",dog,cat,1\nIt purrs. ,dog,cat,2\n";

#[test]
fn a_benchmark_is_imported_shown_and_scored() {
    let sandbox = Sandbox::new();
    write_piqa(&sandbox, LABELS);
    sandbox.write("riddles.toml", RIDDLES);
    sandbox.write("riddles.csv", TABLE);
    let said = sandbox.succeed(&["data", "import", "piqa", "physicaliqa-train-dev"]);
    assert!(said.starts_with("piqa: 6 dev, from 2 files, in "), "{said}");
    sandbox.succeed(&["data", "import", "riddles.toml", "."]);

    let listed = sandbox.json(&["data", "list", "--json"]);
    let of =
        |name: &str| listed.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(of("piqa")["imported"]["splits"], json!({ "dev": 6 }));
    assert_eq!((&of("riddles")["shipped"], &of("mmlu")["imported"]), (&json!(false), &Value::Null));
    let said = sandbox.succeed(&["data", "list"]);
    assert!(said.lines().any(|line| line.starts_with("piqa") && line.ends_with("6 dev")), "{said}");

    let shown = sandbox.succeed(&["data", "show", "piqa", "-n", "1"]);
    let expected = "=== piqa p0 (continuation, 0 shots; dev.jsonl, line 1)\nQuestion: Reach goal 0\n\
                    Answer:\n* 0: \" walk \"\n  1: \" sit down\"\n\n";
    assert_eq!(shown, expected);
    let lines = sandbox.succeed(&["data", "show", "piqa", "-n", "0", "--scoring", "ppl", "--json"]);
    let items: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(items.len(), 6);
    let start = "The following makes sense: \nQ: Reach goal 1\nA: ";
    assert_eq!(items[1]["requests"][0], json!([start, "walk on \n"]));

    // The storyworld's piqa is another benchmark than the published one.
    let both = TINY.replace(r#"["boolq", "xsum"]"#, r#"["boolq", "imported/piqa", "riddles"]"#);
    let study =
        both.split("[[design.list]]\nname = \"deep\"").next().unwrap().replace("[1, 2]", "[1]");
    sandbox.write("tiny.toml", study);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let scores = rows(&sandbox.report().join("scores.parquet"));
    let primary: Vec<(String, u64)> = scores
        .iter()
        .filter(|row| text(row, "metric") == "acc_ppl")
        .map(|row| (text(row, "benchmark").to_owned(), number(row, "items") as u64))
        .collect();
    // Four items each, but for the two riddles that there are.
    let expected = [("boolq", 4), ("piqa", 4), ("riddles", 2)];
    assert_eq!(primary.len(), 3, "{primary:?}");
    for (name, items) in expected {
        assert!(primary.contains(&(name.to_owned(), items)), "{primary:?}");
    }
    // What was imported is part of the key: another import is another result.
    write_piqa(&sandbox, "1\n1\n0\n0\n1\n0\n");
    sandbox.succeed(&["data", "import", "piqa", "physicaliqa-train-dev"]);
    let said = sandbox.succeed(&["run", "tiny.toml", "--dry-run"]);
    assert!(said.contains("benchmarks") && said.contains("eval"), "{said}");
}

#[test]
fn mistakes_are_named() {
    let sandbox = Sandbox::with_study(&TINY.replace(r#"["boolq", "xsum"]"#, r#"["mmlu"]"#));
    write_piqa(&sandbox, "0\n1\n0\n0\n2\n0\n");
    let refused = |arguments: &[&str], expected: &str| {
        let ended = sandbox.ablate(arguments);
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains(expected), "{ended}");
    };
    refused(
        &["data", "import", "piqa", "physicaliqa-train-dev"],
        "one line of `piqa` cannot be used:\n  dev.jsonl, line 5: the key \"2\" is none of `0`, `1`",
    );
    refused(&["data", "import", "pika", "."], "there is no benchmark `pika`; did you mean `piqa`?");
    refused(&["data", "import", "mmlu", "."], "holds no `test/{subject}_test.csv` of `mmlu`");
    refused(&["data", "show", "piqa"], "say `ablate data import piqa PATH`");
    refused(&["run", "tiny.toml"], "`mmlu` is not imported");
    // A plan needs no data.
    let ended = sandbox.ablate(&["plan", "tiny.toml", "--no-timing"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(format!("{ended}").contains("`mmlu` is not imported"), "{ended}");
}
