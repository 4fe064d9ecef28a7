//! Models of other makers that are scored beside the variants: `[[external]]`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blame::Blame;
use crate::defaults::filled;
use crate::layers::joined;
use crate::naming::slug_problem;
use crate::reporter::Reporter;
use crate::sections;
use crate::tree::{At, Node, Table, Value};
use crate::{Corpus, Eval};

/// What has to be trained has one of these. A study without any of them, but with models of
/// others, trains nothing.
const TRAINED: [&str; 8] =
    ["tokenizer", "model", "init", "train", "rounds", "hold", "parents", "design"];

/// A model that exists, scored as the variants are.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExternalTable {
    /// Slug, unique among the study's variants and external models.
    pub(crate) name: String,
    /// A folder of Hugging Face, a GGUF file or a .bin of llama2.c.
    pub(crate) path: String,
    /// Its tokenizer's file, where that does not lie in or beside the model.
    pub(crate) tokenizer: Option<String>,
    /// What people read in tables; the name when not written.
    pub(crate) label: Option<String>,
    /// The row of the paper's table that is the same model.
    pub(crate) paper: Option<String>,
}

/// The models of others that a study scores, and on what.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Externals {
    /// The base's text; its held-out part is what bits per byte are of. None where a study that
    /// trains nothing has none.
    pub corpus: Option<Corpus>,
    /// The base's benchmarks.
    pub eval: Eval,
    /// In the order of the file; at least one.
    pub models: Vec<External>,
}

/// A model of another maker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct External {
    /// Slug, unique among variants and external models.
    pub name: String,
    /// What people read in tables.
    pub label: String,
    /// Its folder or file.
    pub path: String,
    /// Its tokenizer's file, where one is named.
    pub tokenizer: Option<String>,
    /// The paper's row that is the same model.
    pub paper: Option<String>,
}

/// Whether a study scores models of others and trains none of its own.
pub(crate) fn alone(document: &Table) -> bool {
    !items(document).is_empty() && TRAINED.iter().all(|table| document.get(table).is_none())
}

fn items(document: &Table) -> &[Node] {
    document.get("external").and_then(Node::array).unwrap_or_default()
}

/// Where values were written.
pub(crate) struct Places<'a> {
    pub(crate) fallback: &'a At,
    pub(crate) folders: &'a [PathBuf],
    pub(crate) files: usize,
}

/// Reads the models of others beside variants of these names; `base` is what deltas can change.
pub(crate) fn read(
    document: &Table,
    base: &Table,
    variants: &[&str],
    places: &Places<'_>,
    report: &mut Reporter,
) -> Option<Externals> {
    let items = items(document);
    if items.is_empty() {
        return None;
    }
    let mut models: Vec<External> = Vec::new();
    for item in items.iter().filter(|item| !item.is_spoilt()) {
        let table = item.to_json().and_then(|json| serde_json::from_value(json).ok());
        let (Some(table), Some(written)) = (table, item.table()) else { continue };
        let table: ExternalTable = table;
        let at = |key: &str| written.get(key).unwrap_or(item).at.clone();
        if let Some(problem) = slug_problem(&table.name) {
            let what = format!("`{}` is not a name for an external model", table.name);
            report.error(&at("name"), what, problem.into(), None);
        } else if models.iter().any(|model| model.name == table.name) {
            let what = format!("two external models have the name `{}`", table.name);
            report.error(&at("name"), what, "names must be unique".into(), None);
        } else if variants.contains(&table.name.as_str()) {
            let what = format!("`{}` is a variant and an external model", table.name);
            let why = "their scores would fall together".to_string();
            report.error(&at("name"), what, why, Some("give one of them another name".into()));
        }
        let place = |key: &str, text: &str| {
            let source = written.get(key).map(|node| node.at.source);
            let folder = source.and_then(|source| places.folders.get(source));
            joined(folder.map_or(Path::new(""), PathBuf::as_path), text)
                .to_string_lossy()
                .into_owned()
        };
        for (key, text) in [("path", Some(&table.path)), ("tokenizer", table.tokenizer.as_ref())] {
            if text.is_some_and(String::is_empty) {
                let what = format!("`external.{key}` is empty");
                report.error(&at(key), what, "expected a file or a folder".into(), None);
            }
        }
        models.push(External {
            path: place("path", &table.path),
            tokenizer: table.tokenizer.as_deref().map(|path| place("tokenizer", path)),
            label: table.label.unwrap_or_else(|| table.name.clone()),
            name: table.name,
            paper: table.paper,
        });
    }
    let alone = alone(document);
    if let Some(node) = document.get("claim").filter(|node| alone && !is_empty(node)) {
        let why = "claims are about variants, and this study trains none".to_string();
        report.error(&node.at, "there is nothing to claim".into(), why, None);
    }
    let with_corpus = !alone || base.get("corpus").is_some();
    // What is wrong with the base is said of the variants already, unless all of them replace it.
    let mut silent = Reporter::default();
    let (corpus, eval) = match scored_on(base, with_corpus, places, &mut silent) {
        (corpus, Some(eval)) if corpus.is_some() || !with_corpus => (corpus, eval),
        _ if report.has_errors() => return None,
        _ => match scored_on(base, with_corpus, places, report) {
            (corpus, Some(eval)) => (corpus, eval),
            (_, None) => return None,
        },
    };
    Some(Externals { corpus, eval, models })
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::Array(items) if items.is_empty())
}

/// The base's text, where it is asked for, and benchmarks.
fn scored_on(
    base: &Table,
    with_corpus: bool,
    places: &Places<'_>,
    report: &mut Reporter,
) -> (Option<Corpus>, Option<Eval>) {
    let nothing = Table::default();
    let blame = Blame {
        delta: &nothing,
        written: base,
        fallback: places.fallback,
        who: "the external models".to_string(),
        folders: places.folders,
        files: places.files,
    };
    sections::scored(&filled(base, places.fallback), with_corpus, &blame, report)
}
