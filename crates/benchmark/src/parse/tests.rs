use super::*;

const GOOD: &str = r#"name = "mine"

[[files]]
split = "test"
path = "mine.jsonl"

[reader]
format = "jsonl"

[answer]
key = "{answer}"
values = ["A", "B"]

[[prompt]]
scoring = "ppl"
language = "en"
context = "Q: {question}\nA: "
options = ["{A}", "{B}"]
"#;

/// The message about `GOOD` with a text in it replaced.
#[track_caller]
fn wrong(from: &str, to: &str, expected: &str) {
    assert!(GOOD.contains(from));
    let message = Definition::parse(&GOOD.replacen(from, to, 1), "mine.toml").unwrap_err();
    assert_eq!(message.to_string(), expected);
}

#[test]
fn defaults() {
    let found = Definition::parse(GOOD, "mine.toml").unwrap();
    assert_eq!((found.title.as_str(), found.split.as_str()), ("mine", "test"));
    let prompt = &found.prompts[0];
    assert_eq!((prompt.delimiter.as_str(), prompt.shots.count), ("", 0));
    let other = Definition::parse(&GOOD.replace("\"ppl\"", "\"continuation\""), "x").unwrap();
    assert_eq!(other.prompts[0].delimiter, " ");
    assert_eq!(other.prompts[0].shots.between, "\n\n");
}

#[test]
fn mistakes_are_named_with_file_line_and_key() {
    wrong(
        "format =",
        "fromat =",
        "mine.toml:8: `fromat`: there is no such key; did you mean `format`?",
    );
    wrong("path =", "# path =", "mine.toml:3: `path`: the key is missing");
    wrong(
        "{question}",
        "{question",
        "mine.toml:17: `context`: character 13 of the template: `}`, `|` or another step of the path is expected",
    );
    wrong(
        "{answer}",
        "{answer|strp}",
        "mine.toml:11: `key`: character 9 of the template: there is no filter `strp`; did you mean `strip`?",
    );
    wrong(
        "\"ppl\"",
        "\"pll\"",
        "mine.toml:15: `scoring`: unknown variant `pll`, expected one of `ppl`, `continuation`, `generate`",
    );
    wrong(
        "options =",
        "shots = 5\noptions =",
        "mine.toml:14: `shots_from`: say which split the examples are of",
    );
    wrong(
        "options =",
        "shots_from = \"dev\"\noptions =",
        "mine.toml:14: `shots_from`: no file is of the split `dev`; there are `test`",
    );
    wrong(
        "options =",
        "metric = \"acc_nrom\"\noptions =",
        "mine.toml:18: `metric`: there is no such metric; did you mean `acc_norm`?",
    );
    wrong(
        "options = [\"{A}\", \"{B}\"]",
        "",
        "mine.toml:14: `options`: say what may follow the context",
    );
    wrong(
        "options =",
        "reference = \"x\"\noptions =",
        "mine.toml:14: `reference`: only what is generated has one",
    );
    wrong(
        "options =",
        "until = []\noptions =",
        "mine.toml:14: `until`: only the scoring `generate` has this key",
    );
    wrong(
        "format =",
        "header = true\nformat =",
        "mine.toml:7: `header`: only the format `csv` has this key",
    );
    wrong(
        "\"jsonl\"",
        "\"csv\"\nheader = false",
        "mine.toml:7: `columns`: a table without a header needs the names of its columns",
    );
    wrong(
        "name = \"mine\"",
        "name = \"My own\"",
        "mine.toml:1: `name`: a name has small letters, digits, `_` and `-`",
    );
    wrong(
        "mine.jsonl",
        "../mine.jsonl",
        "mine.toml:3: `path`: a path has `{subject}` once at most, and no `..`",
    );
}

proptest::proptest! {
    #[test]
    fn damaged_definitions_never_panic(at in 0usize..400, with in ".{0,6}") {
        let mut text = GOOD.to_owned();
        let at = at.min(text.len());
        text.insert_str(at, &with);
        let _ = Definition::parse(&text, "x");
    }
}
