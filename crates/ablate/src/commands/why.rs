//! `ablate why`: why stages would run, by what differs from the results that there are.

use std::collections::{BTreeMap, BTreeSet};

use ablate_pipeline::{
    Distances, FailureKind, Graph, Key, Mismatch, NodeId, Records, State, Store,
};
use serde::Serialize;

use super::{print, say};
use crate::cli::WhyArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::root::Root;
use crate::{graph, study};

/// Names that are printed of stages with the same answer.
const NAMED: usize = 3;

pub fn run(root: &Root, args: &WhyArgs) -> CommandResult {
    let loaded = study::load(&args.study)?;
    for warning in &loaded.warnings {
        say(warning);
    }
    let study = &loaded.study;
    if let Some(wanted) = &args.variant {
        study::find_variant(study, wanted)?;
    }
    let (stand_in, missing) = graph::stand_in(study, &root.benchmarks());
    let absent = missing.by_name;
    for (variant, why) in &absent {
        let why = graph::Absence::in_words(why);
        say(&format!("what `{variant}` needs is not known: {why}"));
    }
    let built = graph::build(&stand_in, &root.benchmarks())?;
    let only = |name: &str| {
        !absent.contains_key(name) && args.variant.as_ref().is_none_or(|wanted| wanted == name)
    };
    let why = Why::look(&study.name, &built.graph, &built.targets(only), &root.store())?;
    let text = if args.json {
        serde_json::to_string_pretty(&why).map_err(CommandError::bug)? + "\n"
    } else {
        why.to_text()
    };
    print(&text)?;
    Ok(Exit::Ok)
}

/// What would run, and why, in the names that scripts rely on.
#[derive(Debug, Serialize)]
struct Why {
    study: String,
    /// Stages that are there, of those that a run looks at.
    done: usize,
    /// Inputs before what reads them.
    stages: Vec<Stage>,
}

#[derive(Debug, Serialize)]
struct Stage {
    stage: &'static str,
    name: String,
    key: Key,
    variants: BTreeSet<String>,
    state: &'static str,
    /// What becomes of it, where that is not simply that it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The stored result that is most like it; none where the store has none of the stage.
    nearest: Option<Like>,
    causes: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Like {
    name: String,
    key: Key,
    finished: String,
}

/// A cause, in words and fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Reason {
    /// Of the recipe, or an input, with the inputs that lead to it.
    what: String,
    /// As it is stored, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<String>,
    /// As it would be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<String>,
    words: String,
}

impl Why {
    fn look(
        study: &str,
        graph: &Graph,
        targets: &[NodeId],
        store: &Store,
    ) -> Result<Self, CommandError> {
        let mut states = BTreeMap::new();
        let mut missing = BTreeSet::new();
        let mut open = targets.to_vec();
        while let Some(id) = open.pop() {
            if states.contains_key(&id) {
                continue;
            }
            let state = store.state(graph.node(id)).map_err(CommandError::machine)?;
            if !matches!(state, State::Done(_)) {
                missing.insert(id);
                open.extend(graph.node(id).inputs.values().copied());
            }
            states.insert(id, state);
        }
        let records = match missing.is_empty() {
            true => Records::default(),
            false => Records::read(store).map_err(CommandError::machine)?,
        };
        let known = Distances::default();
        let stages = missing
            .iter()
            .map(|&id| {
                let node = graph.node(id);
                let nearest = records.nearest(graph, id, &missing, &known);
                let causes = nearest.iter().flat_map(|found| &found.mismatches);
                let mut causes: Vec<Reason> = causes.map(|cause| reason(cause, graph)).collect();
                causes.dedup();
                Stage {
                    stage: node.stage,
                    name: node.name.clone(),
                    key: node.key().clone(),
                    variants: node.wanted_by.clone(),
                    state: states[&id].word(),
                    note: note(id, graph, &states),
                    nearest: nearest.map(|found| Like {
                        name: found.artifact.name.clone(),
                        key: found.artifact.key.clone(),
                        finished: found.artifact.finished.clone(),
                    }),
                    causes,
                }
            })
            .collect();
        Ok(Self { study: study.to_owned(), done: states.len() - missing.len(), stages })
    }

    fn to_text(&self) -> String {
        if self.stages.is_empty() {
            return format!("{}: nothing would run, {} results are there\n", self.study, self.done);
        }
        let (count, done) = (self.stages.len(), self.done);
        let stages = if count == 1 { "stage" } else { "stages" };
        let mut out =
            format!("{}: {count} {stages} would run, {done} results are there\n", self.study);
        // Stages with the same answer are told together; the nearest of the first stands for all.
        let mut groups: Vec<Vec<&Stage>> = Vec::new();
        for stage in &self.stages {
            let same = |group: &&mut Vec<&Stage>| {
                let first = group[0];
                first.stage == stage.stage
                    && first.causes == stage.causes
                    && first.note == stage.note
                    && first.nearest.is_some() == stage.nearest.is_some()
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.push(stage),
                None => groups.push(vec![stage]),
            }
        }
        for group in groups {
            let first = group[0];
            let names: Vec<&str> = group.iter().take(NAMED).map(|s| s.name.as_str()).collect();
            out += &format!("\n{} {}", first.stage, names.join(", "));
            if group.len() > NAMED {
                out += &format!(" and {} more", group.len() - NAMED);
            }
            out.push('\n');
            if let Some(note) = &first.note {
                out += &format!("  {note}\n");
            }
            match &first.nearest {
                None => out += "  nothing of this stage is stored\n",
                Some(like) => {
                    for cause in &first.causes {
                        out += &format!("  {}\n", cause.words);
                    }
                    let day = like.finished.get(..10).unwrap_or(&like.finished);
                    let of = if group.len() > 1 { " (of the first)" } else { "" };
                    out +=
                        &format!("  nearest{of}: {}-{}, made {day}\n", like.name, like.key.short());
                }
            }
        }
        out
    }
}

/// What becomes of a stage that is not simply made.
fn note(id: NodeId, graph: &Graph, states: &BTreeMap<NodeId, State>) -> Option<String> {
    match states.get(&id)? {
        State::Failed(failure) if failure.kind == FailureKind::Outcome => Some(format!(
            "it failed, and is tried again with `--retry-failed` only: {}",
            failure.message
        )),
        State::Failed(failure) => Some(format!("the last attempt failed: {}", failure.message)),
        State::Interrupted => Some("an attempt was interrupted, and is gone on with".to_owned()),
        State::Running(owner) => Some(format!("{owner} is at work on it")),
        State::Missing | State::Done(_) => None,
    }
    .or_else(|| {
        let inputs = graph.node(id).inputs.values();
        let failed = inputs.copied().find(|input| {
            matches!(states.get(input), Some(State::Failed(f)) if f.kind == FailureKind::Outcome)
        })?;
        let node = graph.node(failed);
        Some(format!("it waits for {} {}, which failed", node.stage, node.name))
    })
}

fn reason(cause: &Mismatch, graph: &Graph) -> Reason {
    let path = |through: &[String]| through.join(" > ");
    match cause {
        Mismatch::Field { through, change } => {
            let field = match change.field.as_str() {
                "version" => "version of the stage".to_owned(),
                field => field.to_owned(),
            };
            let what = match through.is_empty() {
                true => field,
                false => format!("{} > {field}", path(through)),
            };
            let words = match (&change.from, &change.to) {
                (Some(from), Some(to)) => format!("{what} is {to}, stored is {from}"),
                (None, Some(to)) => format!("{what} is {to}, stored has no such field"),
                (Some(from), None) => format!("{what} is not set, stored is {from}"),
                (None, None) => what.clone(),
            };
            Reason { what, stored: change.from.clone(), wanted: change.to.clone(), words }
        }
        Mismatch::Missing { role, node } => {
            let node = graph.node(*node);
            // The names of inputs tell seeds apart, which have the same answer otherwise.
            let words = format!("its {role} is to be made: see {}", node.stage);
            Reason { what: role.clone(), stored: None, wanted: None, words }
        }
        Mismatch::Gone { through, key } => {
            let what = path(through);
            let words = match key {
                Some(key) => format!("{what} is another: the record of {} is gone", key.short()),
                None => format!("{what} is read, which stored was made without"),
            };
            Reason { what, stored: key.as_ref().map(ToString::to_string), wanted: None, words }
        }
        Mismatch::Unread { through } => {
            let what = path(through);
            let words = format!("{what} is not read any more");
            Reason { what, stored: None, wanted: None, words }
        }
    }
}
