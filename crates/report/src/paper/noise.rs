//! What a difference of the paper may be by chance.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a difference of the paper may be by chance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Noise {
    #[serde(rename = "source")]
    _source: String,
    /// Trainings behind a row.
    pub(crate) seeds: u32,
    /// The average that the sampling error is of.
    pub(crate) average: String,
    /// Standard error of that average over items, in points.
    pub(crate) sampling_error: f64,
    tasks: BTreeMap<String, Task>,
    pub(crate) equals: Equals,
}

/// A benchmark of the paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    items: f64,
    /// The baseline's score in percent.
    score: f64,
}

/// Two trainings that the paper calls equal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Equals {
    pub(crate) what: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "where the difference comes from"))]
    scores: [f64; 2],
    /// How far they are apart, in points.
    pub(crate) difference: f64,
}

impl Noise {
    /// Standard error over the items of a task, in points.
    pub(crate) fn of_task(&self, name: &str) -> Option<f64> {
        let task = self.tasks.iter().find(|(key, _)| key.replace('_', "-") == name)?.1;
        let share = task.score / 100.0;
        Some(100.0 * (share * (1.0 - share) / task.items).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use crate::paper::Paper;

    /// The sampling error follows from the numbers of items, the other noise from two printed averages.
    #[test]
    fn noise_is_what_the_printed_numbers_give() {
        let noise = Paper::embedded().unwrap().noise;
        let errors: Vec<f64> =
            ["arc-e", "hellaswag", "c3"].iter().map(|t| noise.of_task(t).unwrap()).collect();
        let squares: f64 = errors.iter().map(|e| e * e).sum();
        assert!((squares.sqrt() / 3.0 - noise.sampling_error).abs() < 0.005, "{errors:?}");
        // 100 sqrt(0.477 * 0.523 / 1825)
        assert!((errors[2] - 1.169).abs() < 0.001 && noise.of_task("piqa").is_none());
        let [a, b] = noise.equals.scores;
        assert!((a - b - noise.equals.difference).abs() < 1e-9);
    }
}
