//! Mistakes in what the user gives: every one is named with its place before anything is made.

use std::fs;

use crate::sandbox::{Ended, Sandbox, TINY, files};

const RUN: [&str; 2] = ["run", "tiny.toml"];

/// What must hold whenever a command refuses its input.
fn assert_refused(sandbox: &Sandbox, ended: &Ended, said: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended}");
    for words in said {
        assert!(ended.stderr.contains(words), "`{words}` is not said: {ended}");
    }
    assert!(ended.stdout.is_empty(), "{ended}");
    ended.assert_no_panic();
    let made = files(&sandbox.root());
    assert!(made.is_empty() && !sandbox.root().exists(), "{made:?}\n{ended}");
}

/// Puts `new` in the place of `old`, and expects to be told so with the line of `new`.
fn check_edit(old: &str, new: &str, said: &[&str]) {
    assert!(TINY.contains(old), "{old}");
    let study = TINY.replacen(old, new, 1);
    let at = study.find(new).unwrap();
    let line = study[..at].lines().count() + usize::from(study[..at].ends_with('\n'));
    check_study(&study, line, said);
}

fn check_study(study: &str, line: usize, said: &[&str]) {
    let sandbox = Sandbox::with_study(study);
    let place = format!("tiny.toml:{line}:");
    for verb in ["run", "check", "plan", "status", "report"] {
        let ended = sandbox.ablate(&[verb, "tiny.toml"]);
        assert_refused(&sandbox, &ended, said);
        assert!(ended.stderr.contains(&place), "not at line {line}: {ended}");
    }
}

#[test]
fn an_unknown_key() {
    let said = ["learning_rte", "learning_rate", "did you mean"];
    check_edit("learning_rate =", "learning_rte =", &said);
    check_edit("[tokenizer]", "[tokeniser]", &["tokeniser", "tokenizer"]);
    check_edit("set.model.depth", "set.model.dpth", &["dpth", "depth"]);
}

#[test]
fn a_wrong_type() {
    check_edit("depth = 1", "depth = \"one\"", &["depth", "\"one\""]);
    check_edit("seeds = [1, 2]", "seeds = 3", &["seeds"]);
    check_edit("tokens = 5120", "tokens = \"5 ell\"", &["ell"]);
    check_edit("learning_rate = 1e-2", "learning_rate = -1", &["learning_rate"]);
}

#[test]
fn a_vocabulary_smaller_than_the_byte_alphabet() {
    check_edit("vocabulary = 300", "vocabulary = 200", &["byte alphabet", "257"]);
}

#[test]
fn a_width_that_heads_do_not_divide() {
    check_edit("width = 16", "width = 15", &["width 15", "2 heads", "14", "16"]);
}

#[test]
fn a_hold_without_solution() {
    let hold =
        "[hold]\nparams = \"total\"\nsolve = \"depth\"\ntolerance = \"0.1%\"\n\n[[design.list]]";
    let study = TINY.replacen("[[design.list]]", hold, 1);
    let study = study.replace("set.model.depth = 2", "set.tokenizer.vocabulary = 280");
    let line = 1 + study[..study.find("set.tokenizer").unwrap()].lines().count();
    check_study(&study, line, &["no solution", "deep", "tolerance"]);
}

#[test]
fn an_inheritance_wider_than_its_parent() {
    let parent = "[parents.small]\nmodel = { depth = 4, width = 8, heads = 1 }\n\n[[design.list]]";
    let study = TINY.replacen("[[design.list]]", parent, 1);
    let inherit = "set.init.inherit = { parent = \"small\", first = 1, last = 0 }";
    let study = study.replace("set.model.depth = 2", inherit);
    let sandbox = Sandbox::with_study(&study);
    let ended = sandbox.ablate(&RUN);
    assert_refused(&sandbox, &ended, &["tiny.toml:", "width 16", "small", "8"]);
    let unknown = study.replace("parent = \"small\"", "parent = \"smal\"");
    let sandbox = Sandbox::with_study(&unknown);
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["tiny.toml:", "smal", "small"]);
}

#[test]
fn an_extends_cycle() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", "extends = \"base.toml\"\n");
    sandbox.write("base.toml", format!("extends = \"tiny.toml\"\n{TINY}"));
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["base.toml:1:", "circle", "tiny.toml"]);
    sandbox.write("tiny.toml", "extends = \"tiny.toml\"\n");
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["tiny.toml:1:", "circle"]);
}

#[test]
fn all_errors_at_once() {
    let study = TINY
        .replace("vocabulary = 300", "vocabulary = 200")
        .replace("heads = 2", "heads = 3")
        .replace("items = 4", "itens = 4");
    let sandbox = Sandbox::with_study(&study);
    let said = ["byte alphabet", "3 heads", "itens", "3 errors", "nothing was started"];
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &said);
}

#[test]
fn files_that_are_missing() {
    let sandbox = Sandbox::new();
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["tiny.toml", "no such file"]);
    sandbox.write("tiny.toml", "extends = \"gone.toml\"\n");
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["tiny.toml:1:", "gone.toml"]);
    for (old, new) in [
        (
            "[tokenizer]",
            "sources = [{ from.files = { paths = [\"gone-*.txt\"], language = \"en\" } }]\n\n[tokenizer]",
        ),
        ("vocabulary = 300", "vocabulary = 300\nbuild.file = { path = \"gone-1.json\" }"),
        ("items = 4", "items = 4\nfiles = [\"gone-2.jsonl\"]"),
    ] {
        sandbox.write("tiny.toml", TINY.replace(old, new));
        assert_refused(&sandbox, &sandbox.ablate(&RUN), &["gone-"]);
    }
    sandbox.write("tiny.toml", TINY.replace("\"xsum\"", "\"xsun\""));
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["xsun", "xsum"]);
}

#[test]
fn text_that_is_no_study() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", "[study\nname = 1\n");
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["tiny.toml:1:"]);
    sandbox.write("tiny.toml", b"name = \"\xff\"\n");
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["tiny.toml", "UTF-8"]);
    sandbox.write("tiny.toml", "");
    assert_refused(&sandbox, &sandbox.ablate(&RUN), &["tiny.toml", "vocabulary"]);
}

#[test]
fn arguments_that_are_wrong() {
    let sandbox = Sandbox::with_study(TINY);
    for (arguments, said) in [
        (vec!["run", "tiny.toml", "--set", "train.learning_rte=1"], "learning_rte"),
        (vec!["run", "tiny.toml", "--set", "train.learning_rate"], "--set"),
        (vec!["run", "tiny.toml", "--profile", "large"], "large"),
        (vec!["run", "tiny.toml", "--jbs", "2"], "--jobs"),
        (vec!["rnu", "tiny.toml"], "rnu"),
        (vec!["run"], "STUDY"),
    ] {
        assert_refused(&sandbox, &sandbox.ablate(&arguments), &[said]);
    }
}

/// Text of the user's own in a file of that name, and what is said about it.
fn check_text(name: &str, content: &[u8], said: &[&str]) {
    let sources = format!(
        "sources = [{{ from.files = {{ paths = [\"{name}\"], language = \"en\" }} }}]\n\n[tokenizer]"
    );
    let study = TINY
        .replace("bytes = \"60kB\"\n", "")
        .replace("[tokenizer]", &sources)
        .replace("[\"boolq\", \"xsum\"]", "[]");
    let sandbox = Sandbox::with_study(&study);
    sandbox.write(name, content);
    let ended = sandbox.ablate(&RUN);
    assert_refused(&sandbox, &ended, said);
}

#[test]
fn an_empty_corpus() {
    check_text("text.txt", b"", &["text.txt", "no text"]);
    check_text("text.txt", b"\n \n\t\n", &["no text"]);
    check_text("text.jsonl", b"{\"text\": \"\"}\n", &["no text"]);
}

#[test]
fn text_that_is_not_utf8() {
    let mut text = b"one line\nanother line\n".to_vec();
    text.extend(b"a third \xff line\n");
    check_text("text.txt", &text, &["text.txt", "UTF-8", "line 3", "byte 30"]);
    check_text(
        "text.jsonl",
        b"{\"text\": \"a\"}\n{\"text\": \"\xc3\x28\"}\n",
        &["text.jsonl", "UTF-8", "line 2"],
    );
}

#[test]
fn text_that_cannot_be_read() {
    check_text("text.jsonl", b"{\"text\": \"a\"}\n{\"text\": \n", &["text.jsonl", "line 2"]);
    check_text("text.jsonl", b"{\"body\": \"a\"}\n", &["text.jsonl", "line 1", "`text`"]);
    check_text("text.txt.gz", b"this is no gzip", &["text.txt.gz"]);
    check_text("text.parquet", b"PAR1 but nothing else PAR1", &["text.parquet"]);
    check_text("text.docx", b"PK", &["text.docx", ".jsonl"]);
    // Too little to hold some of it out.
    check_text("text.txt", b"One line.\n\nTwo lines.\n", &["hold out", "validation_bytes"]);
}

#[test]
fn a_store_that_cannot_be_written() {
    // Root may write anywhere, but nobody can make a folder inside a file.
    let sandbox = Sandbox::with_study(TINY);
    sandbox.write("file", "not a folder");
    let root = sandbox.desk("file").join("root");
    let ended = Ended::of(sandbox.command_in(&root, &RUN));
    assert_refused(&sandbox, &ended, &["cannot create the store", "file/root"]);
    assert_eq!(fs::read_to_string(sandbox.desk("file")).unwrap(), "not a folder");
}
