//! What a study is called, and the seeds of all its trainings: the table `[study]`.

use crate::file::StudyTable;
use crate::naming::{slug, slug_problem};
use crate::reporter::Reporter;
use crate::tree::{At, Node, Table};

/// Where `ablate paper` puts its page, beside the reports of studies.
const PAPER: &str = "paper";

pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) title: String,
    /// At least one.
    pub(crate) seeds: Vec<u64>,
    /// Elements of the paper.
    pub(crate) mirrors: Vec<String>,
}

impl Header {
    /// Reads it; `stem` is the name of a study whose file says none, `fallback` the place of what
    /// is not there.
    pub(crate) fn read(
        document: &Table,
        stem: &str,
        fallback: &At,
        report: &mut Reporter,
    ) -> Option<Self> {
        let table = match document.get("study") {
            Some(node) if node.is_spoilt() => return None,
            Some(node) => serde_json::from_value(node.to_json()?).ok()?,
            None => StudyTable::default(),
        };
        let at = |path: &str| document.at(path).map(|node| node.at.clone());
        let name = table.name.unwrap_or_else(|| stem.to_string());
        let taken = (name == PAPER).then_some("the page that `ablate paper` makes is called so");
        if let Some(problem) = slug_problem(&name).or(taken) {
            let what = format!("`{name}` is not a name for a study");
            let other = slug(&name).filter(|slug| slug != PAPER);
            let other = other.unwrap_or_else(|| "my-study".to_string());
            let help = Some(format!("write name = \"{other}\" into [study]"));
            let place =
                at("study.name").or_else(|| at("study")).unwrap_or_else(|| fallback.clone());
            report.error(&place, what, problem.into(), help);
        }
        for (index, seed) in table.seeds.iter().enumerate() {
            if table.seeds[..index].contains(seed) {
                let nodes = document.at("study.seeds").and_then(Node::array);
                let node = nodes.and_then(|nodes| nodes.get(index));
                let place = node.map_or(fallback, |node| &node.at);
                let why = "seeds must be unique".to_string();
                report.error(place, format!("seed {seed} is given twice"), why, None);
            }
        }
        (!table.seeds.is_empty()).then(|| Self {
            title: table.title.unwrap_or_else(|| name.clone()),
            name,
            seeds: table.seeds,
            mirrors: table.mirrors.map(Vec::from).unwrap_or_default(),
        })
    }
}
