//! From results in the store to the rows of a report.

mod accepted;
mod claims;
mod curves;
mod external;
mod losses;
mod progress;
mod reading;
mod results;
mod rounds;
mod scores;
mod skips;
mod spreads;
mod tokenizers;
mod variants;

use std::collections::BTreeSet;

use ablate_model::Backend;
use ablate_pipeline::{Artifact, Failure, FailureKind, NodeId, State, Store};
use ablate_report::{AxisInfo, Provenance, StudyData, StudyInfo};
use ablate_spec::{Axis, Design};

use crate::estimate::decoding;
use crate::exit::CommandError;
use crate::graph::{self, StudyGraph};
use crate::machine::{self, Machine};
use crate::root::Root;
use crate::stages::{BACKEND, WITH_TENSORS};
use crate::study::LoadedStudy;

pub use scores::{item_rows, score_rows};

/// Rows of everything that is finished; what is not is listed with the variants.
///
/// # Errors
/// When a finished result cannot be read.
pub fn collect(
    root: &Root,
    loaded: &LoadedStudy,
    built: &StudyGraph,
) -> Result<StudyData, CommandError> {
    let study = &loaded.study;
    let results = Results { built, store: root.store() };
    let mut data = StudyData {
        study: StudyInfo {
            name: study.report_name(),
            title: study.title.clone(),
            mirrors: study.mirrors.clone(),
            design: design(study.design).to_owned(),
            seeds: study.seeds.clone(),
            factors: study.factors.clone(),
            axes: study.axes.iter().map(axis).collect(),
        },
        claims: study.claims.iter().map(claims::row).collect(),
        spec_text: loaded.text.clone(),
        ..StudyData::default()
    };
    let machine = Machine::current();
    for variant in &study.variants {
        let Some(nodes) = built.variants.iter().find(|nodes| nodes.name == variant.name) else {
            let absent = built.absent.iter().find(|absent| absent.name == variant.name);
            data.variants.extend(absent.map(|absent| variants::absent(variant, absent)));
            continue;
        };
        let mut row = variants::row(&results, nodes, variant)?;
        row.decoding = decoding::known(root, &machine, &graph::model(variant));
        data.variants.push(row);
        for seed in &nodes.seeds {
            scores::rows(&results, &nodes.name, seed, &mut data)?;
            skips::rows(&results, &nodes.name, seed, &mut data)?;
            spreads::rows(&results, &nodes.name, seed, &mut data)?;
            curves::rows(&results, &nodes.name, seed, &mut data)?;
            rounds::rows(&results, &nodes.name, seed, &mut data)?;
            progress::rows(&results, &nodes.name, seed, &mut data)?;
            if let Some(parts) = variant.eval.parts {
                losses::rows(&results, &nodes.name, seed, parts, &mut data)?;
            }
        }
    }
    for (nodes, external) in built.externals.iter().zip(study.external()) {
        external::rows(&results, nodes, external, &mut data)?;
    }
    tokenizers::rows(&results, &mut data)?;
    data.provenance = provenance(&results)?;
    accepted::tell(&results, &mut data)?;
    Ok(data)
}

fn axis(axis: &Axis) -> AxisInfo {
    AxisInfo {
        name: axis.name.clone(),
        texts: axis.values.iter().map(|value| value.text.clone()).collect(),
        numbers: axis.values.iter().map(|value| value.number).collect(),
    }
}

fn design(design: Design) -> &'static str {
    match design {
        Design::Single => "single",
        Design::List => "list",
        Design::Grid => "grid",
        Design::Zip => "zip",
        Design::OneAtATime => "one-at-a-time",
        Design::Ladder => "ladder",
        Design::Random => "random",
    }
}

/// Finished results of a study.
struct Results<'a> {
    built: &'a StudyGraph,
    store: Store,
}

impl Results<'_> {
    fn state(&self, id: NodeId) -> Result<State, CommandError> {
        self.store.state(self.built.graph.node(id)).map_err(CommandError::machine)
    }

    fn artifact(&self, id: NodeId) -> Result<Option<Box<Artifact>>, CommandError> {
        Ok(match self.state(id)? {
            State::Done(artifact) => Some(artifact),
            _ => None,
        })
    }

    /// Folder of a finished result.
    fn folder(&self, id: NodeId) -> Result<Option<std::path::PathBuf>, CommandError> {
        let done = self.artifact(id)?.is_some();
        Ok(done.then(|| self.store.path(self.built.graph.node(id))))
    }

    /// Folder of an attempt that ended as an outcome, where there was one.
    fn diverged(&self, id: NodeId) -> Result<Option<std::path::PathBuf>, CommandError> {
        let outcome =
            matches!(self.state(id)?, State::Failed(Failure { kind: FailureKind::Outcome, .. }));
        Ok(outcome.then(|| self.store.partial(self.built.graph.node(id))))
    }

    /// The step of a training's divergence.
    fn divergence(&self, id: NodeId) -> Result<Option<u64>, CommandError> {
        Ok(match self.state(id)? {
            State::Failed(Failure { kind: FailureKind::Outcome, step, .. }) => step,
            _ => None,
        })
    }

    /// Why a result is not there: the first failure among it and what it needs.
    fn reason(&self, id: NodeId) -> Result<Option<String>, CommandError> {
        let mut open = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = self.built.graph.node(id);
            match self.state(id)? {
                State::Done(_) => {}
                State::Failed(Failure { message, .. }) => {
                    // The end of a dead worker's log is for `status`; a table has one line.
                    let message = message.split(" and ends with:\n").next().unwrap_or_default();
                    return Ok(Some(format!("{} {}: {message}", node.stage, node.name)));
                }
                _ => open.extend(node.inputs.values().copied()),
            }
        }
        Ok(None)
    }
}

fn provenance(results: &Results<'_>) -> Result<Provenance, CommandError> {
    let machine = Machine::current();
    let mut provenance = Provenance {
        commit: machine::commit().unwrap_or_else(|| "unknown".to_owned()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: format!("{}, {} cores", machine.cpu, machine.cores),
        ..Provenance::default()
    };
    let (mut first, mut last) = (None, None);
    let mut backends = BTreeSet::new();
    for (id, node) in results.built.graph.iter() {
        let Some(artifact) = results.artifact(id)? else { continue };
        let key = node.key().as_str().to_owned();
        provenance.keys.push((node.stage.to_owned(), node.name.clone(), key));
        provenance.results.push(self::results::record(&artifact)?);
        if WITH_TENSORS.contains(&node.stage) {
            let backend = artifact.execution.get(BACKEND).and_then(|name| name.as_str());
            backends.insert(backend.unwrap_or(Backend::Flex.name()).to_owned());
        }
        let finished: jiff::Timestamp = artifact.finished.parse().map_err(CommandError::bug)?;
        let milliseconds = (artifact.seconds * 1e3) as i64;
        let started = finished - jiff::SignedDuration::from_millis(milliseconds);
        first = Some(first.map_or(started, |first: jiff::Timestamp| first.min(started)));
        last = Some(last.map_or(finished, |last: jiff::Timestamp| last.max(finished)));
    }
    provenance.runs = self::results::runs(results.built);
    provenance.backend = backends.into_iter().collect::<Vec<_>>().join(", ");
    let show =
        |time: Option<jiff::Timestamp>| time.map_or_else(String::new, |time| format!("{time:.0}"));
    provenance.started = show(first);
    provenance.finished = show(last);
    Ok(provenance)
}
