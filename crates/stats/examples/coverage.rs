//! How often intervals hold the truth, and tests find what is not there, in 10,000 simulated tables each.
//!
//!     cargo run --release --workspace --example coverage
//!
//! Prints the table of docs/statistics.md. Every estimator that reports use is in it, and the bootstraps
//! that they do not decide by.

#[path = "../tests/tables/mod.rs"]
#[allow(dead_code, reason = "shared with the tests, which use the rest")]
mod tables;

use std::io::{self, Write};

use ablate_stats::{
    Comparison, Tested, Units, compare, hierarchical_bootstrap, mean_interval, paired_bootstrap,
    wilson,
};
use tables::{Normal, Setting, answers, clustered};

const TABLES: usize = 10_000;

/// Ends of an interval, and p of no difference where one is tested.
type Found = (f64, f64, Option<f64>);

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "| what | tables of | intervals that hold the truth | p < 5% without a difference |"
    )?;
    writeln!(out, "|---|---|---|---|")?;
    let mut stream = 0;
    let mut line =
        |what: &str, of: &str, truth: f64, draw: &mut dyn FnMut(&mut Normal) -> Found| {
            stream += 1;
            let mut normal = Normal::new(stream);
            let (mut covered, mut found, mut tested) = (0, 0, false);
            for _ in 0..TABLES {
                let (low, high, p) = draw(&mut normal);
                covered += usize::from(low <= truth && truth <= high);
                found += usize::from(p.is_some_and(|p| p < 0.05));
                tested |= p.is_some();
            }
            let percent = |count: usize| 100.0 * count as f64 / TABLES as f64;
            let level = match tested && truth == 0.0 {
                true => format!("{:.1}%", percent(found)),
                false => "–".to_owned(),
            };
            writeln!(out, "| {what} | {of} | {:.1}% | {level} |", percent(covered))
        };

    for seeds in [2, 3, 5] {
        line("a score: t over seeds", &format!("{seeds} seeds"), 5.0, &mut |normal| {
            let values: Vec<f64> = (0..seeds).map(|_| 5.0 + normal.draw()).collect();
            let found = mean_interval(&values, 0.95).unwrap_or_else(|e| unreachable!("{e}"));
            (found.low.unwrap_or(0.0), found.high.unwrap_or(0.0), None)
        })?;
    }
    for (items, truth) in [(100, 0.27), (500, 0.27), (1000, 0.55)] {
        line(
            "a score of one seed: Wilson",
            &format!("{items} items, {truth} right"),
            truth,
            &mut |normal| {
                let right = (0..items).filter(|_| normal.uniform() < truth).count() as u64;
                let found = wilson(right, items, 0.95).unwrap_or_else(|e| unreachable!("{e}"));
                (found.low.unwrap_or(0.0), found.high.unwrap_or(1.0), None)
            },
        )?;
    }
    for clusters in [10, 57, 300] {
        let of = format!("{clusters} subjects of 1 to 5 items, correlation 0.33");
        line("a score of one seed: t over subjects", &of, 0.0, &mut |normal| {
            let (values, labels) = clustered(normal, clusters, 5, 0.7);
            let units = Units::new(&vec![0; values.len()], &labels, &[1.0])
                .and_then(|units| units.of(&values))
                .unwrap_or_else(|e| unreachable!("{e}"));
            let found = mean_interval(&units, 0.95).unwrap_or_else(|e| unreachable!("{e}"));
            (found.low.unwrap_or(0.0), found.high.unwrap_or(0.0), None)
        })?;
    }
    let compared = |a: &[Vec<f64>], b: &[Vec<f64>]| -> Found {
        let found: Comparison = compare(a, b).unwrap_or_else(|e| unreachable!("{e}"));
        let ends = found.difference.low.zip(found.difference.high);
        let (low, high) = ends.unwrap_or((found.difference.mean, found.difference.mean));
        (low, high, Some(found.p))
    };
    for (seeds, items, seed_sd, item_sd, noise) in [
        (2, 100, 0.1, 0.5, "seeds and items vary"),
        (3, 100, 0.0, 0.0, "neither matters"),
        (3, 100, 0.3, 0.0, "seeds vary"),
        (3, 100, 0.0, 1.0, "items vary"),
        (3, 100, 0.1, 0.5, "seeds and items vary"),
        (5, 100, 0.0, 0.0, "neither matters"),
        (5, 100, 0.1, 0.5, "seeds and items vary"),
        (10, 100, 0.1, 0.5, "seeds and items vary"),
        (3, 1, 1.0, 0.0, "one value each"),
    ] {
        let of = format!("{seeds} seeds × {items} items, {noise}");
        let setting = Setting { seeds, items, seed_sd, item_sd, shift: 0.0 };
        line("a difference: two-way t and t over seeds", &of, 0.0, &mut |normal| {
            let (a, b) = setting.draw(normal);
            compared(&a, &b)
        })?;
    }
    for (seeds, items, seed_sd) in [(3, 100, 0.0), (3, 100, 0.2), (5, 100, 0.2), (3, 400, 0.1)] {
        let of =
            format!("{seeds} seeds × {items} items right or wrong, seed effect {seed_sd} logits");
        line("a difference: two-way t and t over seeds", &of, 0.0, &mut |normal| {
            let (a, b) = graded(normal, seeds, items, seed_sd);
            compared(&a, &b)
        })?;
    }
    for (items, first, second) in
        [(100, 0.2, 0.2), (500, 0.2, 0.2), (2000, 0.2, 0.2), (500, 0.25, 0.15), (200, 0.05, 0.01)]
    {
        let of = format!("1 seed × {items} items, {first} and {second} right for one only");
        line("a difference: McNemar's test", &of, first - second, &mut |normal| {
            let [a, b] = answers(normal, items, first, second);
            compared(&a, &b)
        })?;
    }
    let resampled = |found: Tested| {
        let estimate = found.estimate;
        (estimate.low.unwrap_or(0.0), estimate.high.unwrap_or(0.0), Some(found.p))
    };
    for items in [20, 100, 400] {
        line(
            "not decided by: bootstrap over items",
            &format!("1 seed × {items} items"),
            0.0,
            &mut |normal| {
                let values: Vec<f64> = (0..items).map(|_| normal.draw()).collect();
                resampled(
                    paired_bootstrap(&values, 0.95, 400, 1).unwrap_or_else(|e| unreachable!("{e}")),
                )
            },
        )?;
    }
    for seeds in [3, 5] {
        let of = format!("{seeds} seeds × 40 items, seeds vary");
        let setting = Setting { seeds, items: 40, seed_sd: 0.4, item_sd: 0.3, shift: 0.0 };
        line("not decided by: bootstrap over seeds and items", &of, 0.0, &mut |normal| {
            let (a, b) = setting.draw(normal);
            let rows: Vec<Vec<f64>> = a
                .iter()
                .zip(&b)
                .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect())
                .collect();
            let found = hierarchical_bootstrap(&rows, 0.95, 400, 1);
            resampled(found.unwrap_or_else(|e| unreachable!("{e}")))
        })?;
    }
    Ok(())
}

/// Right and wrong answers of two variants that are equally good: items are hard or easy for both and
/// for each, seeds good or bad.
fn graded(
    normal: &mut Normal,
    seeds: usize,
    items: usize,
    seed_sd: f64,
) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let shared: Vec<f64> = (0..items).map(|_| normal.draw() - 0.8).collect();
    let mut side = || {
        let own: Vec<f64> = (0..items).map(|_| 0.5 * normal.draw()).collect();
        let rows = (0..seeds).map(|_| {
            let luck = seed_sd * normal.draw();
            let right = |item: usize| 1.0 / (1.0 + (-(shared[item] + own[item] + luck)).exp());
            (0..items).map(|item| f64::from(normal.uniform() < right(item))).collect()
        });
        rows.collect::<Vec<Vec<f64>>>()
    };
    (side(), side())
}
