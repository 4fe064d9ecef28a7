//! Runs the cases of `tests/cases/*.txt`. A case is a title, the texts of a study (the study
//! file first, others after `@@ NAME`), the arguments, and what comes of them: the rendered
//! diagnostics, or a summary of the study. `minimal.toml` can be extended by every case.
//!
//! With `UPDATE_CASES=1` the expectations are written anew, to be read in the diff.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use ablate_spec::{Init, Options, Study, Variant, load, render};

const MINIMAL: &str = r#"[study]
name = "minimal"
[corpus]
bytes = "1MB"
[tokenizer]
vocabulary = 1000
[model]
depth = 4
width = 64
heads = 4
ffn.multiple = 16
[train]
tokens = "400k"
batch_tokens = 4096
learning_rate = 1e-3
"#;

fn run(input: &str) -> String {
    let mut files = BTreeMap::from([("minimal.toml".to_string(), MINIMAL.to_string())]);
    let mut options = Options::default();
    let mut name = "study.toml".to_string();
    for line in input.lines() {
        if let Some(next) = line.strip_prefix("@@ ") {
            name = next.into();
        } else if let Some(argument) = line.strip_prefix("--set ") {
            options.set.push(argument.into());
        } else if let Some(profile) = line.strip_prefix("--profile ") {
            options.profile = Some(profile.into());
        } else {
            let text = files.entry(name.clone()).or_default();
            text.push_str(line);
            text.push('\n');
        }
    }
    let read = |path: &Path| {
        let text = files.get(&path.display().to_string());
        text.cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    match load(Path::new("study.toml"), &read, &options) {
        Ok(loaded) => {
            let warnings = loaded.warnings.iter();
            let warnings: String =
                warnings.map(|warning| render(warning, &loaded.sources) + "\n").collect();
            warnings + &summary(&loaded.study)
        }
        Err(failure) => failure
            .diagnostics
            .iter()
            .map(|diagnostic| render(diagnostic, &failure.sources))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn summary(study: &Study) -> String {
    let mut out = String::new();
    let seeds = &study.seeds;
    writeln!(out, "{} {:?} seeds {seeds:?} factors {:?}", study.name, study.design, study.factors)
        .unwrap();
    for variant in &study.variants {
        describe(&mut out, "", variant);
    }
    for parent in &study.parents {
        describe(&mut out, &format!("parent, seed {}: ", parent.seed), &parent.variant);
    }
    for external in study.external() {
        writeln!(out, "external {external:?}").unwrap();
    }
    for claim in &study.claims {
        writeln!(out, "claim {}: {:?}", claim.id, claim.expectation).unwrap();
        if !claim.paper.is_empty() {
            writeln!(out, "  in the paper: {:?}", claim.paper).unwrap();
        }
    }
    out
}

fn describe(out: &mut String, role: &str, variant: &Variant) {
    let Variant { name, label, model, tokenizer, .. } = variant;
    let heads = match (model.heads, model.kv_heads) {
        (heads, kv_heads) if heads == kv_heads => heads.to_string(),
        (heads, kv_heads) => format!("{heads}/{kv_heads}"),
    };
    write!(
        out,
        "{role}{name} ({label}): depth {} width {} heads {heads} ffn {} vocabulary {}",
        model.depth, model.width, model.ffn, tokenizer.vocabulary
    )
    .unwrap();
    if let Init::Inherit(inherit) = &variant.init {
        write!(out, " inherits {}", inherit.parent).unwrap();
    }
    if let Some(held) = &variant.held {
        write!(
            out,
            "; {:?} {} held at {} of {} ({:+.2}%)",
            held.solved,
            held.value,
            held.actual,
            held.target,
            held.residual() * 100.0
        )
        .unwrap();
    }
    writeln!(out).unwrap();
    for change in &variant.delta {
        writeln!(out, "  {}: {} -> {}", change.path, change.from, change.to).unwrap();
    }
}

fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut updated = String::new();
    let mut wrong = String::new();
    for case in text.split("===== ").skip(1) {
        let (title, body) = case.split_once('\n').unwrap();
        let (input, expected) = body.split_once("-----\n").unwrap();
        let found = run(input);
        if found.trim_end() != expected.trim_end() {
            write!(wrong, "\n{file}: {title}\n{input}-----\n{found}").unwrap();
        }
        write!(updated, "===== {title}\n{input}-----\n{}\n\n", found.trim_end()).unwrap();
    }
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&path, updated).unwrap();
    } else {
        assert!(wrong.is_empty(), "these come out differently:\n{wrong}");
    }
}

#[test]
fn structure() {
    check("structure.txt");
}

#[test]
fn values() {
    check("values.txt");
}

#[test]
fn layers() {
    check("layers.txt");
}

#[test]
fn arguments() {
    check("arguments.txt");
}

#[test]
fn designs() {
    check("designs.txt");
}

#[test]
fn hold() {
    check("hold.txt");
}

#[test]
fn inheritance() {
    check("inheritance.txt");
}

#[test]
fn claims() {
    check("claims.txt");
}

#[test]
fn externals() {
    check("externals.txt");
}
