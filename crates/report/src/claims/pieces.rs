//! Single tests of a claim: what is set beside each other, brought into one shape and tested.

use ablate_stats::{Contrast, Correlation};

use super::evidence::{Compared, Piece, Question};
use crate::analysis::{
    Aligned, Analysis, FEWEST, Measure, SIZES, Size, aligned, end_against_middle, single_skips,
};

/// The variants of these names, each with values.
pub(super) fn indices(
    analysis: &Analysis<'_>,
    names: &[String],
    measure: Measure,
) -> Result<Vec<usize>, String> {
    names
        .iter()
        .map(|name| {
            let index = analysis.variants().iter().position(|variant| variant.name == *name);
            let index = index.ok_or_else(|| format!("there is no variant `{name}`"))?;
            if analysis.by_seed(index, measure).is_none() {
                return Err(analysis.failure(index).unwrap_or_else(|| {
                    format!(
                        "{} has no {}",
                        analysis.variants()[index].title(),
                        analysis.name_of(measure).0.to_lowercase()
                    )
                }));
            }
            Ok(index)
        })
        .collect()
}

/// A test for every pair: the first minus the second.
pub(super) fn differences(
    analysis: &Analysis<'_>,
    measure: Measure,
    pairs: Vec<(usize, usize)>,
    judge: impl Fn(&Contrast) -> (f64, f64, f64),
) -> Result<Vec<Piece>, String> {
    let title = |v: usize| analysis.variants()[v].title().to_string();
    pairs
        .into_iter()
        .map(|(a, b)| {
            let (found, note) = contrast(analysis, measure, &[a], &[b])?;
            let (p, holds, against) = judge(&found);
            Ok(Piece {
                compared: Compared::Variants,
                a: title(a),
                b: title(b),
                terms: vec![(a, 1.0), (b, -1.0)],
                question: Question::Difference(found),
                p,
                holds,
                against,
                note,
            })
        })
        .collect()
}

/// A test for every gain and the next: `a - b` minus `c - d`, which is `a + d` minus `b + c`.
pub(super) fn gains(
    analysis: &Analysis<'_>,
    measure: Measure,
    gains: &[(usize, usize)],
    judge: impl Fn(&Contrast) -> (f64, f64, f64),
) -> Result<Vec<Piece>, String> {
    let title = |v: usize| analysis.variants()[v].title();
    let gain = |(a, b): (usize, usize)| format!("“{}” − “{}”", title(a), title(b));
    gains
        .windows(2)
        .map(|pair| {
            let ((a, b), (c, d)) = (pair[0], pair[1]);
            let (found, note) = contrast(analysis, measure, &[a, d], &[b, c])?;
            let (p, holds, against) = judge(&found);
            Ok(Piece {
                compared: Compared::Gains,
                a: gain((a, b)),
                b: gain((c, d)),
                terms: vec![(a, 1.0), (b, -1.0), (c, -1.0), (d, 1.0)],
                question: Question::Difference(found),
                p,
                holds,
                against,
                note,
            })
        })
        .collect()
}

/// The sum of some variants minus the sum of others, seed by seed and, where the documents agree, item
/// by item, and what was left out.
fn contrast(
    analysis: &Analysis<'_>,
    measure: Measure,
    plus: &[usize],
    minus: &[usize],
) -> Result<(Contrast, Option<String>), String> {
    let mut variants: Vec<usize> = Vec::new();
    for variant in plus.iter().chain(minus) {
        if !variants.contains(variant) {
            variants.push(*variant);
        }
    }
    let titles: Vec<String> =
        variants.iter().map(|v| format!("“{}”", analysis.variants()[*v].title())).collect();
    let all = match &titles[..] {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => titles.concat(),
    };
    let sides: Vec<_> = variants.iter().map(|variant| (analysis, *variant)).collect();
    let Aligned { seeds, grids, note, .. } = match aligned(&sides, measure) {
        None => return Err(format!("{all} have no values to compare")),
        Some(Err(unaligned)) => return Err(format!("{all}: {}", unaligned.reason)),
        Some(Ok(aligned)) => aligned,
    };
    if seeds.len() < 2 {
        return Err(format!(
            "{all} have one seed in common, which says nothing of another training; two are needed at least"
        ));
    }
    let sum = |names: &[usize]| {
        let mut sum = vec![vec![0.0; grids[0][0].len()]; seeds.len()];
        for grid in names.iter().flat_map(|name| {
            variants.iter().zip(&grids).filter(move |(variant, _)| *variant == name)
        }) {
            for (row, values) in sum.iter_mut().zip(grid.1) {
                row.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        }
        sum
    };
    let found = Contrast::of(&sum(plus), &sum(minus)).map_err(|e| e.to_string())?;
    Ok((found, note))
}

/// Whether a layer at an end matters more than one of the middle, over all trained models of the study.
pub(super) fn layers(
    analysis: &Analysis<'_>,
    measure: Measure,
    (first, count): (bool, u64),
    judge: impl Fn(&Contrast) -> (f64, f64, f64),
) -> Result<Piece, String> {
    let benchmark = match measure {
        Measure::Average => None,
        Measure::Benchmark(b) => Some(&analysis.benchmarks[b]),
        Measure::Bits(_) | Measure::MeanBits => {
            return Err("layers are left out for benchmarks only, not for bits per byte".into());
        }
    };
    let models = single_skips(analysis.data, |row| {
        benchmark.is_none_or(|b| b.name == row.benchmark && b.language == row.language)
    });
    if models.is_empty() {
        return Err("no model was scored without single layers (eval.skip_layers = [1])".into());
    }
    let rows = analysis.variants();
    let depth = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.depth);
    let values: Vec<Vec<f64>> = models
        .iter()
        .filter_map(|((name, _), scores)| {
            Some(vec![end_against_middle(scores, depth(name)?, first, count)?])
        })
        .collect();
    if values.len() < 2 {
        return Err(format!(
            "{} model{} with such layers and a middle; two are needed at least",
            values.len(),
            if values.len() == 1 { "" } else { "s" }
        ));
    }
    let none = vec![vec![0.0]; values.len()];
    let found = Contrast::of(&values, &none).map_err(|e| e.to_string())?;
    let (p, holds, against) = judge(&found);
    let left_out = models.len() - values.len();
    let end = if first { "first" } else { "last" };
    let what = if count == 1 { "layer".to_string() } else { format!("{count} layers") };
    Ok(Piece {
        compared: Compared::Layers,
        a: format!("{end} {what}"),
        b: "middle layers".into(),
        terms: Vec::new(),
        question: Question::Difference(found),
        p,
        holds,
        against,
        note: (left_out > 0)
            .then(|| format!("{left_out} of {} models have no such layers", models.len())),
    })
}

/// A size and the metric, over all variants with a value.
pub(super) fn correlation(
    analysis: &Analysis<'_>,
    measure: Measure,
    size: &str,
    judge: impl Fn(&Correlation) -> (f64, f64, f64),
) -> Result<Piece, String> {
    let Some(Size { title, of, .. }) = SIZES.into_iter().find(|known| known.name == size) else {
        return Err(format!("there is no size `{size}`"));
    };
    let rows = analysis.variants();
    let (x, y): (Vec<f64>, Vec<f64>) = (0..rows.len())
        .filter_map(|v| Some((of(&rows[v]), analysis.estimate(v, measure)?.mean)))
        .unzip();
    if x.len() < FEWEST {
        return Err(format!(
            "a rank correlation needs {FEWEST} variants with values at least; there are {}",
            x.len()
        ));
    }
    if x.iter().all(|value| *value == x[0]) {
        return Err(format!("all variants have the same {size}"));
    }
    let found = ablate_stats::spearman(&x, &y).map_err(|e| e.to_string())?;
    let (p, holds, against) = judge(&found);
    let left_out = rows.len() - x.len();
    Ok(Piece {
        compared: Compared::Ranks,
        terms: Vec::new(),
        a: title.to_lowercase().replace("ffn", "FFN"),
        b: analysis.name_of(measure).0.to_lowercase(),
        question: Question::Correlation(found),
        p,
        holds,
        against,
        note: (left_out > 0)
            .then(|| format!("{left_out} of {} variants have no value", rows.len())),
    })
}
