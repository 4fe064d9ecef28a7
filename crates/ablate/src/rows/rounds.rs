//! The draws of further rounds, and how often batches were visited.

use ablate_report::{LedgerRow, StudyData, VisitRow};
use ablate_train::part_ranges;
use ablate_train::rounds::Ledger;

use super::Results;
use crate::exit::CommandError;
use crate::graph::SeedNodes;
use crate::stages::{read_json, select};

pub fn rows(
    results: &Results<'_>,
    variant: &str,
    seed: &SeedNodes,
    data: &mut StudyData,
) -> Result<(), CommandError> {
    let mut visits: Vec<u64> = Vec::new();
    let mut previous: Option<Ledger> = None;
    for nodes in &seed.rounds {
        // A draw without the training that follows it is no visit.
        if results.artifact(nodes.train)?.is_none() {
            break;
        }
        let Some(select) = nodes.select else { continue };
        let Some(folder) = results.folder(select)? else { break };
        let ledger: Ledger = read_json(&folder.join(select::LEDGER))
            .map_err(|failure| CommandError::machine(failure.message))?;
        visits.resize(ledger.batches, 1);
        for batch in &ledger.kept {
            visits[*batch as usize] += 1;
        }
        let uniform = previous.as_ref().map(|previous| uniform_overlap(previous, &ledger));
        data.rounds.push(LedgerRow {
            variant: variant.to_owned(),
            seed: seed.seed,
            round: ledger.round,
            batches: ledger.batches as u64,
            kept: ledger.kept.len() as u64,
            mean_loss_all: ledger.mean_loss,
            mean_loss_kept: ledger.mean_loss_kept,
            effective_share: ledger.effective_batches / ledger.batches as f64,
            perplexity_share: ledger.perplexity / ledger.batches as f64,
            probability_ratio: ledger.ratio(),
            scored_tokens: ledger.tokens,
            overlap: ledger.overlap.map(|overlap| overlap as u64),
            overlap_expected: uniform.map(|(mean, _)| mean),
            overlap_deviation: uniform.map(|(_, variance)| variance.sqrt()),
        });
        previous = Some(ledger);
    }
    let batch_tokens =
        data.variants.iter().find(|row| row.name == variant).map_or(0, |row| row.batch_tokens);
    let most = visits.iter().copied().max().unwrap_or(0);
    data.visits.extend((1..=most).filter_map(|times| {
        let batches = visits.iter().filter(|visits| **visits == times).count() as u64;
        (batches > 0).then(|| VisitRow {
            variant: variant.to_owned(),
            seed: seed.seed,
            times,
            batches,
            tokens: times * batches * batch_tokens,
        })
    }));
    Ok(())
}

/// Mean and variance of the number of batches that two uniform draws without replacement have in
/// common: hypergeometric, in each part where parts are drawn by themselves.
fn uniform_overlap(one: &Ledger, other: &Ledger) -> (f64, f64) {
    let count = if other.by_part { other.parts } else { 1 };
    // A ledger's parts are at most its batches.
    let parts = part_ranges(one.batches, count).unwrap_or_default();
    let (mut mean, mut variance) = (0.0, 0.0);
    for part in parts {
        let kept = |ledger: &Ledger| {
            let inside = |batch: &&u32| part.contains(&(**batch as usize));
            ledger.kept.iter().filter(inside).count() as f64
        };
        let (all, first, second) = (part.len() as f64, kept(one), kept(other));
        if all == 0.0 {
            continue;
        }
        mean += first * second / all;
        if all > 1.0 {
            let rest = (1.0 - first / all) * (all - second) / (all - 1.0);
            variance += second * (first / all) * rest;
        }
    }
    (mean, variance)
}

#[cfg(test)]
mod tests {
    use ablate_train::rounds::DrawRule;

    use super::*;

    #[test]
    fn uniform_draws_overlap_hypergeometrically() {
        let ledger = |rate: f64, parts: usize, seed: u64| {
            let rule = DrawRule { rate, parts, by_part: parts > 1 };
            Ledger::new(2, rule, vec![1.0; 40], 1, seed, None).unwrap()
        };
        // scipy.stats.hypergeom(40, 20, 10): mean 5, variance 1.923076...
        let (mean, variance) = uniform_overlap(&ledger(0.5, 1, 1), &ledger(0.25, 1, 2));
        assert!((mean - 5.0).abs() < 1e-12 && (variance - 1.923_076_923).abs() < 1e-8);
        // Twice hypergeom(20, 10, 5): mean 2.5, variance 0.986842...
        let (mean, variance) = uniform_overlap(&ledger(0.5, 2, 1), &ledger(0.25, 2, 2));
        assert!((mean - 5.0).abs() < 1e-12 && (variance - 1.973_684_210).abs() < 1e-8);
        // Everything overlaps with everything.
        let (mean, variance) = uniform_overlap(&ledger(1.0, 1, 1), &ledger(1.0, 1, 2));
        assert_eq!((mean, variance), (40.0, 0.0));
    }
}
