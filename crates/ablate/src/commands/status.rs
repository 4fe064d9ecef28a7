//! `ablate status`: how far a study has come.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ablate_pipeline::{Acceptance, Cause, Key, LostWorker, Node, NodeId, State, Store, Testimony};
use serde::Serialize;

use super::cluster::{self, Seen};
use super::table::{names, table, text};
use super::{print, say};
use crate::cli::StatusArgs;
use crate::estimate::Lengths;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{Absence, AbsentVariant, SeedNodes, StudyGraph};
use crate::root::Root;
use crate::stages::{masks, train};
use crate::{graph, study};

pub fn run(root: &Root, args: &StatusArgs) -> CommandResult {
    let loaded = study::load(&args.study)?;
    for warning in &loaded.warnings {
        say(warning);
    }
    let built = graph::build(&loaded.study, &root.benchmarks())?;
    let mut status = Status::look(&loaded.study.name, &built, &root.store())?;
    match cluster::look(root, &loaded.study.report_name()) {
        Ok(seen) => status.join(&built, &seen),
        Err(why) => {
            say(&format!("what is shown is the store alone: {why}"));
            status.slurm_error = Some(why);
        }
    }
    let text = if args.json {
        serde_json::to_string_pretty(&status).map_err(CommandError::bug)? + "\n"
    } else {
        status.to_text()
    };
    print(&text)?;
    Ok(Exit::Ok)
}

/// How far a study has come, in the names that scripts rely on.
#[derive(Debug, Serialize)]
struct Status {
    study: String,
    /// Why nothing is known of a cluster that the study was handed over to.
    #[serde(skip_serializing_if = "Option::is_none")]
    slurm_error: Option<String>,
    variants: Vec<VariantStatus>,
    /// Models of others that are scored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    externals: Vec<ExternalStatus>,
    stages: Vec<StageStatus>,
}

#[derive(Debug, Serialize)]
struct ExternalStatus {
    name: String,
    /// That of its scores, or of what they wait for; `absent` where its files are not there.
    state: &'static str,
    /// Why it is absent, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct VariantStatus {
    name: String,
    /// Seeds whose scores are there.
    done: usize,
    /// Seeds in all.
    seeds: usize,
    by_seed: Vec<SeedStatus>,
    /// `missing-source` where it cannot be made for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// What it reads that is not there: it has no keys, and so no stages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Absence>,
}

impl VariantStatus {
    fn absent(absent: &AbsentVariant) -> Self {
        let seed = |seed: &u64| SeedStatus { seed: *seed, state: "failed" };
        Self {
            name: absent.name.clone(),
            done: 0,
            seeds: absent.seeds.len(),
            by_seed: absent.seeds.iter().map(seed).collect(),
            cause: Some("missing-source"),
            missing: absent.missing.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct SeedStatus {
    seed: u64,
    /// That of its scores, or of what they wait for: failed before running before interrupted.
    state: &'static str,
}

#[derive(Debug, Default, Serialize)]
struct StageStatus {
    stage: &'static str,
    name: String,
    key: String,
    state: &'static str,
    variants: Vec<String>,
    /// Seconds that it took, where it is done.
    seconds: Option<f64>,
    /// Who is at work.
    owner: Option<String>,
    /// Why the last attempt failed.
    failure: Option<String>,
    /// Where that comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// The signal that ended its worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    /// Bytes of memory that it was estimated to need, where that may be what was missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_estimate: Option<u64>,
    /// The worker, where it was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<LostWorker>,
    /// When it failed, in universal time.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<String>,
    /// What the workers wrote, where there is any of it.
    log: Option<PathBuf>,
    /// Last step of a training that is at work, was interrupted or failed.
    step: Option<u64>,
    /// Steps in all, where they are known.
    steps: Option<u64>,
    /// Training loss of the last step in nats per token.
    loss: Option<f64>,
    /// What Slurm says of it, where it was handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    slurm: Option<Seen>,
    /// What was accepted in its place, where it is done by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<Acceptance>,
    /// What it needs that failed or was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_by: Option<String>,
    #[serde(skip)]
    needs: Vec<NodeId>,
}

impl Status {
    fn look(study: &str, built: &StudyGraph, store: &Store) -> Result<Self, CommandError> {
        let lengths = Lengths::new(&built.graph, store);
        let stages = built
            .graph
            .iter()
            .map(|(id, node)| stage(id, node, store, &lengths))
            .collect::<Result<Vec<_>, _>>()?;
        let mut variants: Vec<VariantStatus> = built
            .variants
            .iter()
            .map(|variant| {
                let seed = |seed: &SeedNodes| SeedStatus {
                    seed: seed.seed,
                    state: worst(built, &stages, seed.eval),
                };
                let by_seed: Vec<SeedStatus> = variant.seeds.iter().map(seed).collect();
                VariantStatus {
                    name: variant.name.clone(),
                    done: by_seed.iter().filter(|seed| seed.state == "done").count(),
                    seeds: by_seed.len(),
                    by_seed,
                    cause: None,
                    missing: Vec::new(),
                }
            })
            .collect();
        for absent in &built.absent {
            variants.insert(absent.place.min(variants.len()), VariantStatus::absent(absent));
        }
        let externals = built
            .externals
            .iter()
            .map(|external| ExternalStatus {
                name: external.name.clone(),
                state: match &external.found {
                    Ok(given) => worst(built, &stages, given.eval),
                    Err(_) => "absent",
                },
                reason: external.found.as_ref().err().cloned(),
            })
            .collect();
        Ok(Self { study: study.to_owned(), slurm_error: None, variants, externals, stages })
    }

    /// Lays what Slurm says beside what the store says. What is done is done, whatever Slurm says.
    fn join(&mut self, built: &StudyGraph, seen: &BTreeMap<Key, Seen>) {
        for ((id, node), stage) in built.graph.iter().zip(&mut self.stages) {
            if stage.state == "done" {
                continue;
            }
            stage.slurm = seen.get(node.key()).cloned();
            stage.needs = needs(built, id);
        }
        // What cannot be made before something else is: the first that failed, to whoever waits.
        let failed = |stage: &StageStatus| {
            let lost = stage.slurm.as_ref().is_some_and(Seen::is_lost);
            stage.state == "failed" || (lost && stage.state != "running")
        };
        let lost: Vec<Option<String>> = self
            .stages
            .iter()
            .map(|stage| failed(stage).then(|| format!("{} {}", stage.stage, stage.name)))
            .collect();
        for stage in &mut self.stages {
            let needs = std::mem::take(&mut stage.needs);
            if stage.state != "failed" {
                stage.blocked_by =
                    needs.into_iter().find_map(|id| lost.get(id.index()).cloned().flatten());
            }
        }
    }

    fn to_text(&self) -> String {
        let done = self.stages.iter().filter(|stage| stage.state == "done").count();
        let mut out = format!("{}: {done} of {} stages done\n\n", self.study, self.stages.len());
        let mut variants = table(&["variant", ">done", "other seeds"]);
        for variant in &self.variants {
            let done = format!("{} of {}", variant.done, variant.seeds);
            variants.add_row([variant.name.clone(), done, others(&variant.by_seed)]);
        }
        if !self.variants.is_empty() {
            out += &text(&variants);
            out.push('\n');
        }
        if !self.externals.is_empty() {
            let mut externals = table(&["external", "scores", "more"]);
            for external in &self.externals {
                let more = external.reason.clone().unwrap_or_default();
                externals.add_row([external.name.clone(), external.state.to_owned(), more]);
            }
            out += &text(&externals);
            out.push('\n');
        }
        let here = self.externals.iter().filter(|external| external.reason.is_none()).count();
        let made = self.variants.iter().filter(|variant| variant.missing.is_empty()).count();
        let mut stages = table(&["stage", "name", "for", "state", "more"]);
        for stage in &self.stages {
            stages.add_row([
                stage.stage.to_owned(),
                stage.name.clone(),
                names(stage.variants.iter(), made + here),
                stage.state.to_owned(),
                stage.more(),
            ]);
        }
        out += &text(&stages);
        out += &self.accepted();
        for variant in self.variants.iter().filter(|variant| !variant.missing.is_empty()) {
            let name = &variant.name;
            out += &format!("\nvariant {name}: cannot be made for now\n  cause: missing source\n");
            for absence in &variant.missing {
                out += &format!("  {absence}\n");
            }
        }
        for stage in &self.stages {
            if let (Some(failure), Some(log)) = (&stage.failure, &stage.log) {
                let (kind, name) = (stage.stage, &stage.name);
                out += &format!(
                    "\n{kind} {name}: {failure}\n  {}log: {}\n",
                    stage.when(),
                    log.display()
                );
            }
        }
        out
    }
}

impl Status {
    /// What stands for others, in the words in which that was said.
    fn accepted(&self) -> String {
        let mut out = String::new();
        let all: Vec<&Acceptance> =
            self.stages.iter().filter_map(|stage| stage.accepted.as_ref()).collect();
        let follow = all.iter().filter(|accepted| !accepted.follows.is_empty()).count();
        for accepted in all.iter().filter(|accepted| accepted.follows.is_empty()) {
            let Testimony { because, by, at } = &accepted.testimony;
            let (old, new) = (&accepted.folder, accepted.new.place());
            out += &format!("\naccepted: {old} stands for {new}: {because} ({by}, {at})\n");
        }
        if follow > 0 {
            out += &format!("\naccepted: {follow} more, made of what was accepted\n");
        }
        out
    }
}

impl StageStatus {
    /// What a failure comes from, its step and its time, as far as they are known.
    fn when(&self) -> String {
        let mut parts: Vec<String> =
            self.cause.iter().map(|cause| format!("cause: {}", cause.words())).collect();
        parts.extend(self.step.map(|step| format!("at step {step}")));
        parts.extend(self.failed_at.clone());
        if parts.is_empty() { String::new() } else { parts.join(", ") + "\n  " }
    }

    fn more(&self) -> String {
        let mut parts = Vec::new();
        if let Some(step) = self.step {
            let of = self.steps.map_or_else(String::new, |steps| format!(" of {steps}"));
            parts.push(format!("step {step}{of}"));
        }
        parts.extend(self.loss.map(|loss| format!("loss {loss:.3}")));
        parts.extend(self.accepted.as_ref().map(|_| "accepted, see below".to_owned()));
        parts.extend(self.owner.clone());
        parts.extend(self.seconds.map(ablate_report::duration));
        parts.extend(self.slurm.as_ref().map(Seen::words));
        parts.extend(self.blocked_by.as_ref().map(|by| format!("needs {by}")));
        if self.failure.is_some() {
            parts.push("see below".to_owned());
        }
        parts.join(", ")
    }
}

/// Seeds that are not done, by their state: `seed 2 failed, seeds 3 4 missing`.
fn others(seeds: &[SeedStatus]) -> String {
    let mut parts = Vec::new();
    for state in ["failed", "running", "interrupted", "missing"] {
        let those: Vec<String> = seeds
            .iter()
            .filter(|seed| seed.state == state)
            .map(|seed| seed.seed.to_string())
            .collect();
        match those.len() {
            0 => {}
            1 => parts.push(format!("seed {} {state}", those[0])),
            _ => parts.push(format!("seeds {} {state}", those.join(" "))),
        }
    }
    parts.join(", ")
}

fn stage(
    id: NodeId,
    node: &Node,
    store: &Store,
    lengths: &Lengths<'_>,
) -> Result<StageStatus, CommandError> {
    let state = store.state(node).map_err(CommandError::machine)?;
    let mut status = StageStatus {
        stage: node.stage,
        name: node.name.clone(),
        key: node.key().to_string(),
        state: state.word(),
        variants: node.wanted_by.iter().cloned().collect(),
        ..StageStatus::default()
    };
    let log = store.log(node);
    status.log = log.exists().then_some(log);
    match state {
        State::Done(artifact) => {
            status.seconds = Some(artifact.seconds);
            if artifact.key != *node.key() {
                status.accepted = store.acceptance(node).map_err(CommandError::machine)?;
            }
        }
        State::Failed(failure) => {
            status.cause = Some(failure.cause());
            status.signal = failure.signal;
            status.memory_estimate = failure.memory;
            status.failed_at = store.failed_at(node).map(|at| format!("{at:.0}"));
            status.step = failure.step;
            status.failure = Some(failure.message);
            status.lost = failure.lost.map(|lost| *lost);
            status.log = status.lost.as_ref().map(|lost| lost.log.clone());
            status.log.get_or_insert_with(|| store.log(node));
        }
        State::Running(owner) => {
            status.owner = Some(format!("process {} on {}", owner.pid, owner.host));
        }
        State::Missing | State::Interrupted => {}
    }
    let learns = matches!(node.stage, train::STAGE | masks::STAGE);
    if learns && matches!(status.state, "running" | "interrupted" | "failed") {
        let folder =
            if node.stage == masks::STAGE { store.live(node) } else { store.partial(node) };
        if status.step.is_none()
            && let Some(metric) = last_metric(&folder.join(train::METRICS))
        {
            status.step = Some(metric.step);
            status.loss = (metric.split == "train").then_some(metric.loss);
        }
        status.steps = lengths.run(id).filter(|run| run.exact).map(|run| run.steps);
    }
    Ok(status)
}

/// Everything that a stage needs, by whatever way.
fn needs(built: &StudyGraph, id: NodeId) -> Vec<NodeId> {
    let mut open: Vec<NodeId> = built.graph.node(id).inputs.values().copied().collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(built.graph.node(id).inputs.values().copied());
        }
    }
    seen.into_iter().collect()
}

/// The state of a chain: that of its end where that is done, else the worst along it.
fn worst(built: &StudyGraph, stages: &[StageStatus], end: NodeId) -> &'static str {
    let word = |id: NodeId| stages.get(id.index()).map_or("missing", |stage| stage.state);
    if word(end) == "done" {
        return "done";
    }
    let rank = |word: &str| {
        ["missing", "interrupted", "running", "failed"].iter().position(|known| *known == word)
    };
    let mut worst = "missing";
    let mut open = vec![end];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let here = word(id);
        if here == "done" || !seen.insert(id) {
            continue;
        }
        if rank(here) > rank(worst) {
            worst = here;
        }
        open.extend(built.graph.node(id).inputs.values().copied());
    }
    worst
}

/// The last whole line of a file of metrics that a worker may be writing to; of lines of equal
/// steps, the training's own.
fn last_metric(path: &Path) -> Option<train::Metric> {
    /// More than the last step's lines take.
    const TAIL: u64 = 8192;
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let metrics: Vec<train::Metric> =
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let step = metrics.last()?.step;
    let mut last: Vec<_> = metrics.into_iter().filter(|metric| metric.step == step).collect();
    let own = last.iter().rposition(|metric| metric.split == "train");
    Some(last.swap_remove(own.unwrap_or(last.len() - 1)))
}

#[cfg(test)]
mod tests;
