//! From the merged document to the study: parents first, then every variant of the design.

use std::path::PathBuf;

use ablate_suggestion::advice;

use crate::blame::Blame;
use crate::changes::{self, Leaf};
use crate::claims;
use crate::defaults::filled;
use crate::design::{self, Draft};
use crate::external;
use crate::file::ReportTable;
use crate::given;
use crate::header::Header;
use crate::holding::{Hold, path_of, touches_sizes};
use crate::lineage;
use crate::merge::overlay;
use crate::naming::slug_problem;
use crate::reporter::Reporter;
use crate::sections::{self, SMALLEST_VOCABULARY, Sections};
use crate::tree::{At, Node, Table, Value};
use crate::{Design, GivenParent, Held, Init, Model, Parent, Report, Study, Variant};
use crate::{axes, points, sampler, skips, twins};

/// The tables that a delta can write.
const BASE: [&str; 7] = ["corpus", "tokenizer", "model", "init", "train", "rounds", "eval"];

/// Resolves a merged document. `None` when something was reported as an error.
pub(crate) fn study(
    document: &Table,
    stem: &str,
    profile: Option<String>,
    folders: &[PathBuf],
    files: usize,
    report: &mut Reporter,
) -> Option<Study> {
    let fallback = At { source: 0, span: 0..0 };
    let header = Header::read(document, stem, &fallback, report);
    let mut base = document.clone();
    base.entries.retain(|entry| BASE.contains(&entry.key.as_str()));
    let leaves = changes::leaves(&base, &fallback);
    let hold = Hold::read(document, report);
    let mut resolver = Resolver {
        base,
        leaves,
        fallback,
        folders,
        files,
        hold,
        parents: vec![],
        given: vec![],
        report,
    };
    let names =
        resolver.read_parents(document, header.as_ref().map_or(0, |header| header.seeds[0]));
    let alone = external::alone(document);
    let (design, mut drafts) = match alone {
        true => (Design::Single, Vec::new()),
        false => design::expand(document, &resolver.fallback, resolver.report),
    };
    let hold_is_readable = document.get("hold").is_none() || resolver.hold.is_some();
    if design == Design::Random {
        drafts = resolver.held_draws(document, drafts);
    }
    for draft in drafts.iter().filter(|_| document.get("hold").is_none()) {
        let Some((_, at)) = &draft.solve else { continue };
        let help = Some("add [hold] with params = \"total\"".into());
        resolver.report.error(at, "nothing is held".into(), "there is no [hold]".into(), help);
    }
    let resolved = resolver.variants(design, &drafts, &names, hold_is_readable);
    let Resolver { base, fallback, parents, given, report, .. } = resolver;
    let complete =
        (alone || !drafts.is_empty()) && drafts.iter().all(|draft| !draft.name.is_empty());
    let variant_names: Vec<_> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    let known = complete.then_some(variant_names.as_slice());
    // Where nothing is trained, claims are refused as such.
    let claims = claims::read(document, known.filter(|_| !alone), report);
    let places = external::Places { fallback: &fallback, folders, files };
    let externals = external::read(document, &base, &variant_names, &places, report);
    let shown = reported(document, known, report);
    unused_parents(document, &resolved.inherited, report);
    twins::warn(document, design, &drafts, &resolved.variants, report);
    let Header { name, title, seeds, mirrors } = header?;
    if report.has_errors() {
        return None;
    }
    let written: Vec<_> =
        drafts.iter().flat_map(|draft| changes::written_paths(&draft.delta)).collect();
    let factors = changes::factors(&resolved.leaves, &written);
    Some(Study {
        name,
        title,
        mirrors,
        seeds,
        design,
        axes: axes::read(&resolved.leaves, &factors),
        factors,
        variants: resolved.variants.into_iter().flatten().collect(),
        parents,
        given,
        externals,
        claims,
        report: shown?,
        profile,
    })
}

struct Resolver<'a> {
    base: Table,
    leaves: Vec<Leaf>,
    fallback: At,
    folders: &'a [PathBuf],
    files: usize,
    hold: Option<Hold>,
    parents: Vec<Parent>,
    given: Vec<GivenParent>,
    report: &'a mut Reporter,
}

/// The variants of a study; `None` where one could not be resolved.
struct Resolved {
    variants: Vec<Option<Variant>>,
    leaves: Vec<Vec<Leaf>>,
    inherited: Vec<String>,
}

impl Resolver<'_> {
    /// Resolves the parents and returns the names of all, also of those that have errors.
    fn read_parents(&mut self, document: &Table, first_seed: u64) -> Vec<String> {
        let entries = document.table("parents").map(|table| table.entries.clone());
        let mut names = Vec::new();
        for entry in entries.unwrap_or_default() {
            let Some(own) = entry.node.table() else { continue };
            names.push(entry.key.clone());
            if let Some(problem) = slug_problem(&entry.key) {
                let what = format!("`{}` is not a name for a parent", entry.key);
                self.report.error(&entry.key_at, what, problem.into(), None);
            }
            if own.get("path").is_some() {
                self.given.extend(given::read(&entry, own, self.folders, self.report));
                continue;
            }
            let mut delta = own.clone();
            let seed = delta.remove("seed");
            let mut written = self.base.clone();
            let inherits = |table: &Table| table.at("init.inherit").is_some();
            if inherits(&written) && delta.get("init").is_none() {
                written.remove("init");
            }
            overlay(&mut written, &delta, &mut Vec::new());
            if inherits(&delta) {
                let what = format!("parent `{}` inherits in turn", entry.key);
                let why = "parents start from random weights".to_string();
                let at = delta.at("init.inherit").map_or(&entry.key_at, |node| &node.at);
                self.report.error(at, what, why, None);
            }
            let who = format!("parent `{}`", entry.key);
            let blame = Blame {
                delta: &delta,
                written: &written,
                fallback: &self.fallback,
                who,
                folders: self.folders,
                files: self.files,
            };
            let sections = sections::read(&filled(&written, &self.fallback), &blame, self.report);
            let vocabulary = sections.tokenizer.as_ref().map(|tokenizer| tokenizer.vocabulary);
            let vocabulary = vocabulary.unwrap_or(SMALLEST_VOCABULARY as usize);
            let decoder = sections.decoder.as_ref();
            let model = decoder.and_then(|d| d.settled(vocabulary, &blame, self.report));
            let leaves = changes::leaves(&written, &self.fallback);
            let delta = changes::between(&self.leaves, &leaves);
            let built = model.and_then(|model| assemble(sections, model));
            let seed = match seed.map(|node| node.value) {
                Some(Value::Integer(seed)) => u64::try_from(seed).unwrap_or(first_seed),
                _ => first_seed,
            };
            if let Some(built) = built {
                let (name, label) = (entry.key.clone(), entry.key.clone());
                let variant = Variant { name, label, delta, ..built };
                self.parents.push(Parent { name: entry.key, seed, variant });
            }
        }
        names
    }

    fn variants(
        &mut self,
        design: Design,
        drafts: &[Draft],
        parents: &[String],
        hold_is_readable: bool,
    ) -> Resolved {
        self.aim(drafts);
        let parents: Vec<_> = parents.iter().map(String::as_str).collect();
        let mut resolved =
            Resolved { variants: Vec::new(), leaves: Vec::new(), inherited: Vec::new() };
        // What the draft underneath wrote, the same with solved sizes, and what it held.
        let mut below = (self.base.clone(), self.base.clone(), None);
        let mut broken = false;
        for draft in drafts {
            let (mut written, mut settled, before) = match design {
                Design::Ladder => below.clone(),
                _ => (self.base.clone(), self.base.clone(), None),
            };
            overlay(&mut written, &draft.delta, &mut Vec::new());
            overlay(&mut settled, &draft.delta, &mut Vec::new());
            let blame = Blame {
                delta: &draft.delta,
                written: &settled,
                fallback: &self.fallback,
                who: format!("variant `{}`", draft.name),
                folders: self.folders,
                files: self.files,
            };
            let sections = sections::read(&filled(&settled, &self.fallback), &blame, self.report);
            if let Some(Init::Inherit(inherit)) = &sections.init {
                resolved.inherited.push(inherit.parent.clone());
            }
            // Sizes that the step underneath should have settled are unknown.
            let unsettled = broken && self.hold.is_some() && !touches_sizes(&draft.delta);
            let built = match hold_is_readable && !unsettled {
                true => size(&self.hold, draft, &sections, &before, &blame, self.report),
                false => None,
            };
            let leaves = changes::leaves(&written, &self.fallback);
            let variant = built.and_then(|(model, held)| {
                let delta = changes::between(&self.leaves, &leaves);
                let (name, label) = (draft.name.clone(), draft.label.clone());
                Some(Variant { name, label, delta, held, ..assemble(sections, model)? })
            });
            if let Some(variant) = &variant {
                skips::check(variant, &blame, self.report);
                points::check(variant, &blame, self.report);
            }
            // What a ladder step leaves alone was checked in the step before.
            let may_differ = ["init", "model", "tokenizer"]
                .iter()
                .any(|section| design != Design::Ladder || draft.delta.get(section).is_some());
            if let Some(child) =
                variant.as_ref().filter(|_| may_differ || resolved.variants.is_empty())
            {
                lineage::check(child, &self.parents, &parents, &blame, self.report);
            }
            let held = variant.as_ref().and_then(|variant| variant.held.clone());
            if let Some(held) = &held {
                let value = Value::Integer(held.value as i64);
                let at = draft.at.clone();
                let path: Vec<_> =
                    path_of(held.solved).split('.').map(|key| (key, at.clone())).collect();
                if settled.at(path_of(held.solved)).is_none_or(|node| node.value != value) {
                    settled.insert(&path, Node { value, at: at.clone() });
                }
            }
            broken = design == Design::Ladder && variant.is_none();
            let held = if variant.is_some() { Some(held) } else { before };
            below = (written, settled, held);
            resolved.variants.push(variant);
            resolved.leaves.push(leaves);
        }
        resolved
    }

    /// As many of the draws of a random design as are asked for: the first that can be held and that
    /// differ from those before.
    fn held_draws(&mut self, document: &Table, draws: Vec<Draft>) -> Vec<Draft> {
        self.aim(&draws);
        let tried = draws.len();
        let (held, missing) = sampler::distinct(draws, |draw| self.drawn_model(draw));
        if missing > 0 {
            let node = document.at("design.random").map_or(&self.fallback, |node| &node.at).clone();
            let (found, wanted) = (held.len(), held.len() + missing);
            let what = format!("only {found} of {tried} draws are of use, not {wanted}");
            let why = "the others miss `hold.target`, or are drawn already".to_string();
            let help = "ask for fewer, widen the ranges, or raise hold.tolerance".to_string();
            self.report.error(&node, what, why, Some(help));
        }
        held
    }

    /// The model of a draft, if its size can be held; `Some(None)` where something else is wrong with
    /// it, which is for others to say.
    fn drawn_model(&self, draft: &Draft) -> Option<Option<Model>> {
        let mut written = self.base.clone();
        overlay(&mut written, &draft.delta, &mut Vec::new());
        let blame = Blame {
            delta: &draft.delta,
            written: &written,
            fallback: &self.fallback,
            who: String::new(),
            folders: self.folders,
            files: self.files,
        };
        let mut silent = Reporter::default();
        let sections = sections::read(&filled(&written, &self.fallback), &blame, &mut silent);
        if sections.decoder.is_none() || sections.tokenizer.is_none() {
            return Some(None);
        }
        let sized = size(&self.hold, draft, &sections, &None, &blame, &mut silent);
        sized.map(|(model, _)| Some(model))
    }

    /// Settles what is aimed at: the base's own count, or the first variant's where the base is
    /// not complete by itself.
    fn aim(&mut self, drafts: &[Draft]) {
        let Some(hold) = &self.hold else { return };
        if hold.target.is_some() {
            return;
        }
        let own_count = |delta: &Table| {
            let mut written = self.base.clone();
            overlay(&mut written, delta, &mut Vec::new());
            let (fallback, who) = (&self.fallback, String::new());
            let (folders, files) = (self.folders, self.files);
            let blame = Blame { delta, written: &written, fallback, who, folders, files };
            // Problems are reported with the variants.
            let mut silent = Reporter::default();
            let sections = sections::read(&filled(&written, fallback), &blame, &mut silent);
            let vocabulary = sections.tokenizer?.vocabulary;
            let model = sections.decoder?.settled(vocabulary, &blame, &mut silent)?;
            Some(hold.count(&model, vocabulary))
        };
        let first = drafts.first().map(|draft| &draft.delta);
        let target = own_count(&Table::default()).or_else(|| own_count(first?));
        // What is there but wrong is reported with the variants.
        let complete = ["tokenizer.vocabulary", "model.depth", "model.width"]
            .iter()
            .all(|path| self.base.at(path).is_some());
        if target.is_none() && !complete {
            let what = "hold has no target".to_string();
            let why = "the base is not a complete model by itself".to_string();
            let help = Some("complete [tokenizer] and [model], or write target = \"1.6M\"".into());
            self.report.error(&hold.at.clone(), what, why, help);
        }
        if let Some(hold) = &mut self.hold {
            hold.target = target;
        }
    }
}

/// The model of a variant, and what held.
fn size(
    hold: &Option<Hold>,
    draft: &Draft,
    sections: &Sections,
    before: &Option<Option<Held>>,
    blame: &Blame<'_>,
    report: &mut Reporter,
) -> Option<(Model, Option<Held>)> {
    let decoder = sections.decoder.as_ref()?;
    let Some(vocabulary) = sections.tokenizer.as_ref().map(|tokenizer| tokenizer.vocabulary) else {
        // The other sizes can be checked all the same, unless one of them is yet to be found.
        if hold.is_none() || (decoder.depth.is_some() && decoder.width.is_some()) {
            decoder.settled(SMALLEST_VOCABULARY as usize, blame, report);
        }
        return None;
    };
    let let_go =
        matches!(before, Some(None)) && !touches_sizes(&draft.delta) && draft.solve.is_none();
    match hold {
        Some(hold) if draft.hold && !let_go => {
            let before = before.as_ref().and_then(Option::as_ref);
            let (model, held) = hold.apply(draft, decoder, vocabulary, before, blame, report)?;
            Some((model, Some(held)))
        }
        _ => Some((decoder.settled(vocabulary, blame, report)?, None)),
    }
}

/// A variant without its name, if all of its sections could be read.
fn assemble(sections: Sections, model: Model) -> Option<Variant> {
    Some(Variant {
        name: String::new(),
        label: String::new(),
        delta: Vec::new(),
        corpus: sections.corpus?,
        tokenizer: sections.tokenizer?,
        model,
        init: sections.init?,
        train: sections.train?,
        rounds: sections.rounds?,
        eval: sections.eval?,
        held: None,
    })
}

fn reported(document: &Table, names: Option<&[&str]>, report: &mut Reporter) -> Option<Report> {
    let table = match document.get("report") {
        Some(node) if node.is_spoilt() => return None,
        Some(node) => serde_json::from_value(node.to_json()?).ok()?,
        None => ReportTable::default(),
    };
    if let (Some(baseline), Some(names)) = (&table.baseline, names)
        && !names.contains(&baseline.as_str())
        && let Some(node) = document.at("report.baseline")
    {
        let what = format!("there is no variant `{baseline}`");
        let help = advice(baseline, "variants", names);
        report.error(&node.at, what, "others are to be compared with it".into(), help);
    }
    let ReportTable { tables, figures, baseline } = table;
    Some(Report { tables, figures, baseline })
}

fn unused_parents(document: &Table, inherited: &[String], report: &mut Reporter) {
    let entries = document.table("parents").map(|table| table.entries.as_slice());
    for entry in entries.unwrap_or_default() {
        if !inherited.contains(&entry.key) {
            let what = format!("parent `{}` is not used", entry.key);
            let help = format!("inherit from it with init.inherit.parent = \"{}\"", entry.key);
            report.warning(&entry.key_at, what, "no variant inherits from it".into(), Some(help));
        }
    }
}
