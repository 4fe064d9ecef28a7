//! Applies `[hold]` to one variant: decides whether its depth or width is solved, solves it,
//! and says what is wrong when that cannot be.

use crate::blame::Blame;
use crate::decoder::Decoder;
use crate::design::Draft;
use crate::file::HoldTable;
use crate::hold::{Candidate, Search, count};
use crate::reporter::Reporter;
use crate::tree::{At, Table};
use crate::{Held, HeldCount, Model, Solved};

/// What is held in a study.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    count: HeldCount,
    solve: Solved,
    tolerance: f64,
    step: usize,
    pub(crate) target: Option<u64>,
    pub(crate) at: At,
}

impl Hold {
    /// Reads `[hold]`; `None` when there is none or when it cannot be used.
    pub(crate) fn read(study: &Table, report: &mut Reporter) -> Option<Self> {
        let node = study.get("hold").filter(|node| !node.is_spoilt())?;
        let table: HoldTable = serde_json::from_value(node.to_json()?).ok()?;
        let Some(count) = table.params else {
            let help = "add params = \"total\" or params = \"non-embedding\"".to_string();
            let (what, why) = ("[hold] has no `params`", "`hold.params` is required");
            report.error(&node.at, what.into(), why.into(), Some(help));
            return None;
        };
        Some(Self {
            count,
            solve: table.solve,
            tolerance: table.tolerance.0,
            step: table.step as usize,
            target: table.target.map(|target| target.0),
            at: node.at.clone(),
        })
    }

    /// Parameters of a model that count.
    pub(crate) fn count(&self, model: &Model, vocabulary: usize) -> u64 {
        count(model, vocabulary, self.count)
    }

    /// The variant's model, its solved dimension found where its delta moved the count.
    /// `before` is what held for the variant underneath: a delta that leaves the sizes alone
    /// leaves them held as they were.
    pub(crate) fn apply(
        &self,
        draft: &Draft,
        decoder: &Decoder,
        vocabulary: usize,
        before: Option<&Held>,
        blame: &Blame<'_>,
        report: &mut Reporter,
    ) -> Option<(Model, Held)> {
        let Some(target) = self.target else {
            decoder.settled(vocabulary, blame, report);
            return None;
        };
        let solved = match (&draft.solve, before) {
            (Some((solved, _)), _) => *solved,
            (None, Some(before)) if !touches_sizes(&draft.delta) => before.solved,
            (None, _) => self.solve,
        };
        let search =
            Search { decoder, vocabulary, held: self.count, target, solved, step: self.step };
        let written = match solved {
            Solved::Depth => decoder.depth,
            Solved::Width => decoder.width,
        };
        let own = written.and_then(|value| search.candidate(value));
        let solves = draft.solve.is_some() || written.is_none() || touches_sizes(&draft.delta);
        let path = path_of(solved);
        if solves && let Some(node) = draft.delta.at(path) {
            let word = word_of(solved);
            let what = format!("{word} is both set and solved for");
            let why = format!("`[hold]` finds the {word} of variant `{}`", draft.name);
            let other = if solved == Solved::Depth { "width" } else { "depth" };
            let help = format!("take it out, or write solve = \"{other}\" or hold = false");
            report.error(&node.at, what, why, Some(help));
            return None;
        }
        let nearest = search.nearest();
        let best = match own {
            Some(own) if !solves || own.count == target => own,
            None if !solves => return self.unbuildable(decoder, solved, vocabulary, blame, report),
            _ => match nearest.first() {
                Some(best) => best.clone(),
                None => return self.unbuildable(decoder, solved, vocabulary, blame, report),
            },
        };
        if best.residual(target).abs() > self.tolerance + 1e-12 {
            self.no_solution(draft, solved, target, solves, &best, &nearest, blame, report);
            return None;
        }
        let Candidate { value, count, model } = best;
        Some((model, Held { count: self.count, target, actual: count, solved, value }))
    }

    /// No point of the lattice is a model: some other size is missing or wrong.
    fn unbuildable(
        &self,
        decoder: &Decoder,
        solved: Solved,
        vocabulary: usize,
        blame: &Blame<'_>,
        report: &mut Reporter,
    ) -> Option<(Model, Held)> {
        let mut decoder = decoder.clone();
        let (depth, width) = (decoder.depth, decoder.width);
        match solved {
            Solved::Depth => decoder.depth = depth.or(Some(1)),
            Solved::Width => {
                decoder.width = width.or_else(|| {
                    let search = Search {
                        decoder: &decoder,
                        vocabulary,
                        held: self.count,
                        target: 1,
                        solved,
                        step: 1,
                    };
                    search.unit()
                });
            }
        }
        if decoder.settled(vocabulary, blame, report).is_some() {
            let what = format!("hold has no solution: no {} can be built", word_of(solved));
            let help = Some("take another `hold.step`".into());
            report.error(&self.at, what, "nothing to choose from".into(), help);
        }
        None
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is said in the message")]
    fn no_solution(
        &self,
        draft: &Draft,
        solved: Solved,
        target: u64,
        solves: bool,
        best: &Candidate,
        nearest: &[Candidate],
        blame: &Blame<'_>,
        report: &mut Reporter,
    ) {
        let word = word_of(solved);
        let percent = self.tolerance * 100.0;
        let target_text = thousands(target);
        let near: Vec<_> = nearest
            .iter()
            .map(|candidate| {
                let residual = candidate.residual(target) * 100.0;
                format!(
                    "{word} {} has {} ({residual:+.1}%)",
                    candidate.value,
                    thousands(candidate.count)
                )
            })
            .collect();
        let near = near.join(", ");
        let what = if solves {
            format!("hold has no solution for variant `{}`", draft.name)
        } else {
            format!("variant `{}` misses the target of [hold]", draft.name)
        };
        let why = if solves {
            format!("no {word} comes within {percent:.3}% of {target_text} parameters")
        } else {
            let residual = best.residual(target) * 100.0;
            let own = thousands(best.count);
            format!("{own} parameters are {residual:+.1}% off the target of {target_text}")
        };
        let why = why.replacen(".000%", "%", 1);
        let help = format!(
            "the nearest: {near}; widen hold.tolerance, solve for the other dimension, or write hold = false"
        );
        let first = touched(&draft.delta).into_iter().next();
        let place = draft.delta.at(first.as_deref().unwrap_or_default()).map(|node| &node.at);
        match place {
            Some(at) => report.error(at, what, why, Some(help)),
            None if solves => report.error(&draft.at, what, why, Some(help)),
            None => blame.error(report, &[path_of(solved)], what, &why, Some(help)),
        }
    }
}

/// The path of the dimension.
pub(crate) fn path_of(solved: Solved) -> &'static str {
    match solved {
        Solved::Depth => "model.depth",
        Solved::Width => "model.width",
    }
}

fn word_of(solved: Solved) -> &'static str {
    match solved {
        Solved::Depth => "depth",
        Solved::Width => "width",
    }
}

/// Whether a delta writes anything that parameter counts can depend on.
pub(crate) fn touches_sizes(delta: &Table) -> bool {
    !touched(delta).is_empty()
}

fn touched(delta: &Table) -> Vec<String> {
    let vocabulary = delta.at("tokenizer.vocabulary").map(|_| "tokenizer.vocabulary".to_string());
    let model = delta.table("model").into_iter().flat_map(|model| &model.entries);
    vocabulary.into_iter().chain(model.map(|entry| format!("model.{}", entry.key))).collect()
}

/// 1234567 as `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
