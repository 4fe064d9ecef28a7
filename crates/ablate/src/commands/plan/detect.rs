//! What the seeds and items of a study can tell apart, as far as that is known before anything is
//! measured.

use std::collections::BTreeMap;

use ablate_report::fixed;
use ablate_spec::Study;
use ablate_stats::minimum_detectable_effect;
use ablate_storyworld::Task;
use serde::Serialize;

use crate::graph::StudyGraph;
use crate::stages::benchmarks;

/// Level of the verdicts and power that is asked for, as in reports.
const ALPHA: f64 = 0.05;
const POWER: f64 = 0.8;

/// The smallest true difference of two variants that is told from none (p < 5%, 80% power).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detectable {
    pub seeds: usize,
    /// In standard deviations of the difference over seeds; none with a single seed.
    pub deviations: Option<f64>,
    /// Of the average over these benchmarks, in points.
    pub average: Option<f64>,
    /// Of each benchmark with options.
    pub benchmarks: Vec<OfBenchmark>,
}

/// A benchmark whose answers are right or wrong. `points` is what is told if two variants guess
/// independently of each other and seeds differ by nothing else: answers that go together need less,
/// seeds that differ need more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfBenchmark {
    pub name: String,
    pub items: usize,
    /// What guessing scores; the worst case of one half where that is not known.
    pub chance: f64,
    pub points: f64,
}

impl Detectable {
    /// Of the benchmarks of the study's first variant; `None` where there is nothing to tell apart.
    pub fn of(study: &Study, built: &StudyGraph) -> Option<Self> {
        if study.variants.len() < 2 {
            return None;
        }
        let seeds = study.seeds.len();
        let asked = asked(built);
        // Standard deviation of a seed's difference that comes of its items alone.
        let deviation = |items: usize, chance: f64| {
            100.0 * (2.0 * chance * (1.0 - chance) / items as f64).sqrt()
        };
        let points = |deviation: f64, items: usize| {
            if seeds > 1 {
                minimum_detectable_effect(deviation, seeds, ALPHA, POWER).ok()
            } else {
                // Over the items of the one seed.
                let of_item = deviation * (items as f64).sqrt();
                minimum_detectable_effect(of_item, items, ALPHA, POWER).ok()
            }
        };
        let benchmarks: Vec<OfBenchmark> = asked
            .iter()
            .filter_map(|(name, (items, chance))| {
                let points = points(deviation(*items, *chance), *items)?;
                Some(OfBenchmark { name: name.clone(), items: *items, chance: *chance, points })
            })
            .collect();
        let squares: f64 = benchmarks.iter().map(|b| deviation(b.items, b.chance).powi(2)).sum();
        let items = benchmarks.iter().map(|b| b.items).sum();
        let average = match benchmarks.len() {
            0 | 1 => None,
            count => points(squares.sqrt() / count as f64, items),
        };
        let deviations = minimum_detectable_effect(1.0, seeds, ALPHA, POWER).ok();
        Some(Self { seeds, deviations, average, benchmarks })
    }

    /// In words.
    pub fn text(&self) -> String {
        let least = match (self.seeds, self.deviations) {
            (seeds, Some(least)) => format!(
                "{seeds} seeds tell two variants apart (p < 5%, 80% power) when they differ by \
                 {least:.1} standard deviations of the difference over seeds"
            ),
            _ => "1 seed tells two trained models apart, not two ways of training (p < 5%, 80% power)"
                .to_owned(),
        };
        let by =
            |b: &OfBenchmark| format!("{} ({}, {} items)", fixed(b.points, 1), b.name, b.items);
        let ordered = || self.benchmarks.iter();
        let ends = (
            ordered().min_by(|a, b| a.points.total_cmp(&b.points)),
            ordered().max_by(|a, b| a.points.total_cmp(&b.points)),
        );
        let single = match ends {
            (Some(least), Some(most)) if least.points < most.points => {
                format!("{} to {} points of a benchmark", by(least), by(most))
            }
            (Some(least), _) if self.benchmarks.len() > 1 => {
                format!("{} points of a benchmark ({} items)", fixed(least.points, 1), least.items)
            }
            (Some(only), _) => {
                format!("{} points of {} ({} items)", fixed(only.points, 1), only.name, only.items)
            }
            _ => return least + "\n",
        };
        let average = self.average.map_or(String::new(), |points| {
            format!("{} points of the average and ", fixed(points, 1))
        });
        format!(
            "{least}; if they answered independently of each other near chance and luck of the items \
             were all, that is {average}{single}; answers that go together need less, seeds that \
             differ need more\n"
        )
    }
}

/// Items and chance of the benchmarks that the first variant is scored on and that have options.
fn asked(built: &StudyGraph) -> BTreeMap<String, (usize, f64)> {
    let mut found = BTreeMap::new();
    let Some((_, node)) = built.graph.iter().find(|(_, node)| node.stage == benchmarks::STAGE)
    else {
        return found;
    };
    let Ok(recipe) = serde_json::from_value::<benchmarks::Recipe>(node.recipe.clone()) else {
        return found;
    };
    for info in ablate_storyworld::benchmarks() {
        if recipe.names.iter().any(|name| name == info.name) && info.task != Task::Generation {
            let items = recipe.items.min(info.max_items);
            found.insert(info.name.to_owned(), (items, info.chance()));
        }
    }
    for imported in &recipe.imported {
        found.insert(imported.name.clone(), (imported.items, 0.5));
    }
    let paths = node.execution.get(benchmarks::PATHS).cloned().unwrap_or_default();
    let paths: Vec<String> = serde_json::from_value(paths).unwrap_or_default();
    let mut own = BTreeMap::<String, Vec<f64>>::new();
    for item in paths.iter().filter_map(|p| ablate_eval::read_items(p.as_ref()).ok()).flatten() {
        if item.options.len() > 1 {
            own.entry(item.benchmark).or_default().push(1.0 / item.options.len() as f64);
        }
    }
    for (name, chances) in own {
        let chance = chances.iter().sum::<f64>() / chances.len() as f64;
        found.insert(name, (chances.len(), chance));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::tests::{LADDER, study};

    /// For two seeds t has one degree of freedom: by statsmodels' `TTestPower` 80% power needs a
    /// difference of 16.06 standard deviations.
    #[test]
    fn points_follow_from_items_and_chance() {
        let (read, built) = study(LADDER);
        let found = Detectable::of(&read, &built).unwrap();
        assert_eq!(found.seeds, 2);
        let least = found.deviations.unwrap();
        assert!((least - minimum_detectable_effect(1.0, 2, 0.05, 0.8).unwrap()).abs() < 1e-12);
        // Nine of ten benchmarks have options: XSum is free text.
        assert_eq!(found.benchmarks.len(), 9);
        let boolq = found.benchmarks.iter().find(|b| b.name == "boolq").unwrap();
        assert_eq!((boolq.items, boolq.chance), (20, 0.5));
        assert!((boolq.points - least * 100.0 * (0.5f64 / 20.0).sqrt()).abs() < 1e-9);
        // Five benchmarks of four options (three eighths) and four of two (a half).
        let squares = 5.0 * 0.375 / 20.0 + 4.0 * 0.5 / 20.0;
        let average = least * 100.0 * f64::sqrt(squares) / 9.0;
        assert!((found.average.unwrap() - average).abs() < 1e-9);
        let text = found.text();
        assert!(text.starts_with("2 seeds tell two variants apart"), "{text}");
        assert!(text.contains("of the average and") && text.contains("20 items"), "{text}");
    }

    #[test]
    fn one_seed_is_told_by_its_items() {
        let text =
            LADDER.replace("seeds = [1, 2]", "seeds = [1]").replace("items = 20", "items = 500");
        let (read, built) = study(&text);
        let found = Detectable::of(&read, &built).unwrap();
        assert_eq!(found.deviations, None);
        let boolq = found.benchmarks.iter().find(|b| b.name == "boolq").unwrap();
        // (1.96 + 0.84) sqrt(1/2) / sqrt(500), and a little for t.
        assert!((boolq.points - 280.2 * (0.5f64 / 500.0).sqrt()).abs() < 0.05, "{}", boolq.points);
        assert!(found.text().starts_with("1 seed tells two trained models apart"));
    }
}
