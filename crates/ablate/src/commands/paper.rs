//! `ablate paper`: every table and figure of the paper with the studies that mirror it, and one page
//! with all of them.
//!
//! Nothing here is typed in: studies are found among the study files by what they say they mirror,
//! and how far they have come is read from the store and the reports.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ablate_pipeline::{NodeId, State};
use ablate_report::{ClaimSummary, ElementStatus, Mirror, MirrorState, count};
use ablate_spec::{Options, Study};
use serde::{Deserialize, Serialize};

use super::table::{table, text};
use super::{print, report, say};
use crate::cli::PaperArgs;
use crate::estimate::Lengths;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{self, StudyGraph};
use crate::root::Root;
use crate::rows;
use crate::study::{self, LoadedStudy};

pub fn run(root: &Root, args: &PaperArgs) -> CommandResult {
    let mirrors = Search { root, with_rows: !args.json }.mirrors()?;
    for mirror in &mirrors {
        for element in &mirror.elements {
            if ablate_report::element_id(element).map_err(CommandError::bug)?.is_none() {
                say(&format!("{}: {}", mirror.file, unknown_element(element)));
            }
        }
    }
    let elements = ablate_report::statuses(&mirrors).map_err(CommandError::bug)?;
    if args.json {
        let list = List { elements: &elements };
        let json = serde_json::to_string_pretty(&list).map_err(CommandError::bug)?;
        print(&(json + "\n"))?;
        return Ok(Exit::Ok);
    }
    let folder = root.paper();
    if folder.join("study.json").exists() {
        return Err(CommandError::usage(format!(
            "`{}` is the report of a study named `paper`: give the study another name",
            folder.display()
        )));
    }
    let _lease = report::turn(&folder)?;
    ablate_report::write_reproduction(&mirrors, &folder).map_err(CommandError::machine)?;
    print(&to_text(&elements))?;
    say(&format!("page: {}", folder.join("index.html").display()));
    Ok(Exit::Ok)
}

/// What is said of an element that the paper does not have.
pub fn unknown_element(element: &str) -> String {
    format!(
        "warning: the study mirrors `{element}`, but the paper has table-1 to table-13 and figure-1 \
         to figure-12; it is laid beside nothing"
    )
}

/// The list, in the names that scripts rely on.
#[derive(Serialize)]
struct List<'a> {
    elements: &'a [ElementStatus<'a>],
}

fn to_text(elements: &[ElementStatus<'_>]) -> String {
    let mut lines = table(&["element", "what", "study", "profile", "state", "more"]);
    for element in elements {
        let head = [element.id.clone(), element.title.clone()];
        if element.studies.is_empty() {
            let [id, title] = head;
            lines.add_row([id, title, "–".into(), "–".into(), "not covered".into(), "".into()]);
            continue;
        }
        for (i, mirror) in element.studies.iter().enumerate() {
            let [id, title] = if i == 0 { head.clone() } else { Default::default() };
            let profile = mirror.profile.clone().unwrap_or_else(|| "–".to_owned());
            let state = mirror.state.word().to_owned();
            lines.add_row([id, title, mirror.file.clone(), profile, state, more(mirror)]);
        }
    }
    let mut out = text(&lines);
    let mut broken: Vec<(&str, &str)> = Vec::new();
    for mirror in elements.iter().flat_map(|element| &element.studies) {
        if let Some(problem) = &mirror.problem
            && !broken.iter().any(|(file, _)| *file == mirror.file)
        {
            broken.push((&mirror.file, problem));
        }
    }
    for (file, problem) in broken {
        out += &format!("\n{file}: {}\n", problem.trim_end());
    }
    out
}

/// `seeds 1 2 3, 1.62 M parameters, 410 k tokens, 2026-01-01T12:00:00Z`.
fn more(mirror: &Mirror) -> String {
    let span = |(low, high): (u64, u64)| {
        let (low, high) = (count(low as f64), count(high as f64));
        if low == high { low } else { format!("{low} to {high}") }
    };
    let mut parts = Vec::new();
    if mirror.state == MirrorState::Started {
        parts.push(format!("{} of {} runs", mirror.done, mirror.runs));
    }
    if !mirror.seeds.is_empty() {
        let seeds: Vec<String> = mirror.seeds.iter().map(u64::to_string).collect();
        parts.push(format!("seeds {}", seeds.join(" ")));
    }
    parts.extend(mirror.parameters.map(|ends| format!("{} parameters", span(ends))));
    parts.extend(mirror.tokens.map(|ends| format!("{} tokens", span(ends))));
    parts.extend(mirror.finished.clone());
    if mirror.absent > 0 {
        parts.push(format!("{} of {} external models absent", mirror.absent, mirror.externals));
    }
    if mirror.missing.is_some() {
        parts.push("its inputs are not here".to_owned());
    }
    parts.join(", ")
}

/// Where studies are looked for.
struct Search<'a> {
    root: &'a Root,
    /// Whether the rows of scored studies are read as well.
    with_rows: bool,
}

impl Search<'_> {
    /// The studies of `experiments/paper`, and those of `experiments` for what is left.
    fn mirrors(&self) -> Result<Vec<Mirror>, CommandError> {
        let folder = self.experiments();
        let mut found = Vec::new();
        for path in study_files(&folder.join("paper"))? {
            found.extend(self.of_file(&path, &BTreeSet::new())?);
        }
        let mut covered = BTreeSet::new();
        for element in found.iter().flat_map(|mirror: &Mirror| &mirror.elements) {
            covered.extend(ablate_report::element_id(element).map_err(CommandError::bug)?);
        }
        for path in study_files(&folder)? {
            found.extend(self.of_file(&path, &covered)?);
        }
        Ok(found)
    }

    /// `experiments` of the root, or of the current folder where that has none.
    fn experiments(&self) -> PathBuf {
        let own = self.root.path().join("experiments");
        if own.is_dir() { own } else { PathBuf::from("experiments") }
    }

    /// A study file with each of its profiles; without one where it has none, or where that has
    /// results of its own. Elements in `covered` are left out.
    fn of_file(
        &self,
        path: &Path,
        covered: &BTreeSet<String>,
    ) -> Result<Vec<Mirror>, CommandError> {
        let outline = ablate_spec::outline(path, &study::read);
        let mut names: Vec<Option<String>> = outline.profiles.into_iter().map(Some).collect();
        let profiles = names.len();
        names.push(None);
        let mut found: Vec<(Mirror, BTreeSet<String>)> = Vec::new();
        for profile in names {
            let is_base = profile.is_none();
            let (mut mirror, ends) = self.look(path, profile, &outline.mirrors)?;
            let repeats = found.iter().any(|(_, others)| *others == ends);
            if is_base && profiles > 0 && (mirror.done == 0 || repeats) {
                continue;
            }
            let mut left = Vec::new();
            for element in std::mem::take(&mut mirror.elements) {
                let id = ablate_report::element_id(&element).map_err(CommandError::bug)?;
                if !id.is_some_and(|id| covered.contains(&id)) {
                    left.push(element);
                }
            }
            mirror.elements = left;
            if !mirror.elements.is_empty() {
                found.push((mirror, ends));
            }
        }
        Ok(found.into_iter().map(|(mirror, _)| mirror).collect())
    }

    /// How far a study has come with a profile, and the keys of its last stages.
    fn look(
        &self,
        path: &Path,
        profile: Option<String>,
        outlined: &[String],
    ) -> Result<(Mirror, BTreeSet<String>), CommandError> {
        let mut mirror = Mirror {
            file: path.strip_prefix(self.root.path()).unwrap_or(path).display().to_string(),
            profile: profile.clone(),
            elements: outlined.to_vec(),
            ..Mirror::default()
        };
        let options = Options { profile, set: Vec::new() };
        let loaded = match study::try_load(path, &options) {
            Ok(loaded) => loaded,
            Err(failure) => {
                let shown = failure.diagnostics.iter();
                let problem = shown.map(|d| ablate_spec::render(d, &failure.sources)).collect();
                mirror.problem = Some(problem);
                return Ok((mirror, BTreeSet::new()));
            }
        };
        let study = &loaded.study;
        mirror.elements = study.mirrors.clone();
        mirror.study = study.report_name();
        if mirror.elements.is_empty() {
            return Ok((mirror, BTreeSet::new()));
        }
        let (stood_in, missing) = graph::stand_in(study, &self.root.benchmarks());
        let first = missing.by_name.into_values().flatten().next();
        mirror.missing = first.map(|absence| absence.to_string());
        let built = match graph::build(&stood_in, &self.root.benchmarks()) {
            Ok(built) => built,
            Err(error) => {
                mirror.problem = Some(error.message);
                return Ok((mirror, BTreeSet::new()));
            }
        };
        let ends = self.progress(&mut mirror, &loaded, &built)?;
        Ok((mirror, ends))
    }

    /// Fills in what the store and the report say; returns the keys of the last stages.
    fn progress(
        &self,
        mirror: &mut Mirror,
        loaded: &LoadedStudy,
        built: &StudyGraph,
    ) -> Result<BTreeSet<String>, CommandError> {
        let study = &loaded.study;
        let store = self.root.store();
        let states = built
            .graph
            .iter()
            .map(|(_, node)| store.state(node).map_err(CommandError::machine))
            .collect::<Result<Vec<State>, _>>()?;
        let state = |id: NodeId| states.get(id.index()).unwrap_or(&State::Missing);
        let mut ended = 0;
        for seed in built.variants.iter().flat_map(|variant| &variant.seeds) {
            mirror.runs += 1;
            mirror.done += usize::from(seed.ends().all(|end| matches!(state(end), State::Done(_))));
            let failed = seed.ends().any(|end| has_failed(built, &state, end));
            ended += usize::from(failed);
        }
        for given in built.externals.iter().filter_map(|external| external.found.as_ref().ok()) {
            mirror.runs += 1;
            mirror.done += usize::from(matches!(state(given.eval), State::Done(_)));
            ended += usize::from(has_failed(built, &state, given.eval));
        }
        mirror.externals = built.externals.len();
        mirror.absent = built.externals.iter().filter(|external| external.found.is_err()).count();
        ended += mirror.done;
        mirror.variants = study.variants.len();
        mirror.seeds.clone_from(&study.seeds);
        mirror.parameters = ends(study.variants.iter().map(|v| v.shape().parameters().total));
        let lengths = Lengths::new(&built.graph, &store);
        mirror.tokens = ends(tokens(built, &lengths).into_iter());
        let mut keys = Vec::new();
        let mut finished: Option<jiff::Timestamp> = None;
        for ((_, node), state) in built.graph.iter().zip(&states) {
            let State::Done(artifact) = state else { continue };
            keys.push((node.stage.to_owned(), node.name.clone(), node.key().to_string()));
            finished = finished.max(artifact.finished.parse().ok());
        }
        mirror.state = match (mirror.done, ended) {
            (0, _) => MirrorState::Planned,
            (_, ended) if ended < mirror.runs => MirrorState::Started,
            _ => MirrorState::Run,
        };
        if mirror.done > 0 {
            mirror.finished = finished.map(|time| format!("{time:.0}"));
            if self.with_rows {
                mirror.data = Some(rows::collect(self.root, loaded, built)?);
            }
        }
        self.report(mirror, study, keys)?;
        let last = built.targets(|_| true);
        Ok(last.into_iter().map(|id| built.graph.node(id).key().to_string()).collect())
    }

    /// Fills in what the report's folder says.
    fn report(
        &self,
        mirror: &mut Mirror,
        study: &Study,
        mut keys: Vec<(String, String, String)>,
    ) -> Result<(), CommandError> {
        let folder = self.root.report(&study.report_name());
        let Ok(mut made_from) = ablate_report::sources(&folder) else { return Ok(()) };
        mirror.report = Some(study.report_name());
        keys.sort();
        made_from.sort();
        if mirror.state == MirrorState::Run && keys == made_from {
            mirror.state = MirrorState::Rendered;
        }
        mirror.claims = claims(&folder.join("claims.json"))?;
        Ok(())
    }
}

/// Study files of a folder by name; none where there is no folder.
fn study_files(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::machine(format!("cannot list `{}`: {error}", folder.display()))
    };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a stage or one that it needs has failed for good.
fn has_failed<'a>(built: &StudyGraph, state: &impl Fn(NodeId) -> &'a State, end: NodeId) -> bool {
    let mut open = vec![end];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        match state(id) {
            State::Done(_) => {}
            State::Failed(_) => return true,
            _ if seen.insert(id) => open.extend(built.graph.node(id).inputs.values().copied()),
            _ => {}
        }
    }
    false
}

/// Training tokens of every variant with its first seed, all rounds.
fn tokens(built: &StudyGraph, lengths: &Lengths<'_>) -> Vec<u64> {
    let of_seed = |seed: &graph::SeedNodes| -> Option<u64> {
        seed.rounds.iter().map(|round| Some(lengths.run(round.train)?.tokens)).sum()
    };
    built.variants.iter().filter_map(|variant| of_seed(variant.seeds.first()?)).collect()
}

/// Least and most.
fn ends(values: impl Iterator<Item = u64> + Clone) -> Option<(u64, u64)> {
    Some((values.clone().min()?, values.max()?))
}

/// The verdicts that a report keeps beside itself; none where it keeps none.
fn claims(path: &Path) -> Result<Vec<ClaimSummary>, CommandError> {
    #[derive(Deserialize)]
    struct File {
        claims: Vec<ClaimSummary>,
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(CommandError::machine(format!(
                "cannot read `{}`: {error}",
                path.display()
            )));
        }
    };
    Ok(match serde_json::from_str::<File>(&text) {
        Ok(file) => file.claims,
        Err(error) => {
            say(&format!(
                "`{}` is left out: {error}; make the report again with `ablate report`",
                path.display()
            ));
            Vec::new()
        }
    })
}
