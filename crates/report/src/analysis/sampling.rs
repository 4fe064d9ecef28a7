//! What of one or several benchmarks is drawn independently: items, or the subjects and passages that
//! they share.

use std::collections::BTreeMap;

use ablate_stats::{StatsError, Units};

use super::items::{Items, Scores};

/// The sampling units of benchmarks that count the same, however many items they have. Items of a
/// benchmark that share subjects are drawn with them, unless every subject counts the same: then the
/// subjects are fixed as the benchmarks are, and the items are drawn within them (as
/// lm-evaluation-harness has it).
///
/// # Errors
/// A single item or subject, whose spread nothing tells.
pub(crate) fn units(parts: &[Items<'_>]) -> Result<Units, StatsError> {
    let (mut strata, mut clusters, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        let share = 1.0 / parts.len() as f64;
        let first = weights.len();
        let items = part.scores.first().and_then(|rows| rows.first()).map_or(0, Vec::len);
        let subjects: Option<Vec<usize>> = part.subjects.as_ref().map(|subjects| {
            let mut numbers = BTreeMap::new();
            subjects
                .iter()
                .map(|subject| {
                    let next = numbers.len();
                    *numbers.entry(*subject).or_insert(next)
                })
                .collect()
        });
        match subjects {
            Some(subjects) if part.by_subject => {
                let count = subjects.iter().max().map_or(0, |last| last + 1);
                weights.extend(vec![share / count as f64; count]);
                strata.extend(subjects.iter().map(|subject| first + subject));
                clusters.extend(0..items);
            }
            Some(subjects) => {
                weights.push(share);
                strata.extend(vec![first; items]);
                clusters.extend(subjects);
            }
            None => {
                weights.push(share);
                strata.extend(vec![first; items]);
                clusters.extend(0..items);
            }
        }
    }
    Units::new(&strata, &clusters, &weights)
}

/// One side's scores on all benchmarks, seeds by units.
///
/// # Errors
/// Other numbers of items than the units have.
pub(crate) fn rows(units: &Units, parts: &[Items<'_>], side: usize) -> Result<Scores, StatsError> {
    let seeds = parts.first().and_then(|part| part.scores.get(side)).map_or(0, Vec::len);
    (0..seeds)
        .map(|seed| {
            let row: Vec<f64> =
                parts.iter().flat_map(|part| part.scores[side][seed].iter().copied()).collect();
            units.of(&row)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(
        scores: &[f64],
        subjects: Option<Vec<&'static str>>,
        by_subject: bool,
    ) -> Items<'static> {
        Items { scores: vec![vec![scores.to_vec()]], subjects, by_subject }
    }

    fn mean_and_error(parts: &[Items<'_>]) -> (f64, f64) {
        let rows = rows(&units(parts).unwrap(), parts, 0).unwrap();
        let found = ablate_stats::mean_interval(&rows[0], 0.95).unwrap();
        (found.mean, found.standard_error.unwrap())
    }

    /// The mean is the score and the error that of the stored scores.
    #[test]
    fn benchmarks_have_the_value_and_the_error_of_their_scores() {
        let scores = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let subjects = || Some(vec!["a", "a", "b", "b", "c", "c"]);
        let (mean, error) = mean_and_error(&[part(&scores, None, false)]);
        assert!(
            (mean - 0.5).abs() < 1e-12
                && (error - ablate_stats::standard_error(&scores).unwrap()).abs() < 1e-12
        );
        // Deviations of the subjects: 0, 1 and -1; sqrt(2 * 3 / 2) / 6.
        let (mean, error) = mean_and_error(&[part(&scores, subjects(), false)]);
        assert!((mean - 0.5).abs() < 1e-12 && (error - 3f64.sqrt() / 6.0).abs() < 1e-12);
        // Errors 1/2, 0 and 0 of the subjects' means.
        let (mean, error) = mean_and_error(&[part(&scores, subjects(), true)]);
        assert!((mean - 0.5).abs() < 1e-12 && (error - 0.5 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn an_average_takes_its_benchmarks_for_given() {
        let (one, two) = ([1.0, 0.0, 1.0], [0.2, 0.4, 0.3, 0.3]);
        let parts = [part(&one, None, false), part(&two, None, false)];
        let (mean, error) = mean_and_error(&parts);
        let of = |values: &[f64]| ablate_stats::standard_error(values).unwrap();
        let expected = 0.5 * (of(&one).powi(2) + of(&two).powi(2)).sqrt();
        assert!((mean - (2.0 / 3.0 + 0.3) / 2.0).abs() < 1e-12, "{mean}");
        assert!((error - expected).abs() < 1e-12, "{error} {expected}");
        assert!(units(&[part(&[1.0], None, false)]).is_err());
    }
}
