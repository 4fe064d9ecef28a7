//! The headline findings of a study in sentences, computed from the rows. A difference that the test does not separate is said to be one.

use crate::analysis::{Analysis, Difference, Measure, Verdict, vocabulary};
use crate::claims::{self, JudgedClaim};
use crate::number::{count, fixed, grouped, signed};
use crate::paper::Paper;
use crate::rows::{AcceptedRow, ExternalRow, VariantRow};

/// The findings, most important first.
pub(crate) fn findings(
    analysis: &Analysis<'_>,
    paper: &Paper,
    claims: &[JudgedClaim],
) -> Vec<String> {
    let headline = analysis.headline();
    let scored: Vec<usize> = (0..analysis.variants().len())
        .filter(|v| analysis.estimate(*v, headline).is_some())
        .collect();
    let mut out = Vec::new();
    if scored.is_empty() && analysis.variants().is_empty() {
        out.push("Nothing was trained here: the scores are those of models of others.".to_string());
        out.extend(others(analysis));
        return out;
    }
    if scored.is_empty() {
        out.push("No variant finished: there is nothing to compare yet.".to_string());
        out.extend(vocabularies(analysis));
        out.extend(failures(analysis));
        out.extend(others(analysis));
        return out;
    }
    if analysis.data.study.is_ladder() {
        out.extend(ladder(analysis, headline, &scored));
    } else {
        out.extend(against_first(analysis, headline));
    }
    out.extend(best(analysis, headline, &scored));
    if headline == Measure::Average {
        for language in 0..analysis.languages.len() {
            out.extend(best(analysis, Measure::Bits(language), &scored));
        }
        out.extend(chance(analysis, &scored));
    }
    out.extend(claims::finding(claims));
    out.extend(beside(analysis, paper, headline));
    out.extend(vocabularies(analysis));
    out.extend(failures(analysis));
    out.extend(others(analysis));
    out.extend(accepted(analysis));
    out.extend(missed(analysis));
    if analysis.seeds().len() < 2 {
        out.push("There is one seed, so nothing says how much of a difference is luck: no intervals are given and nothing is tested.".to_string());
    }
    out
}

/// Models of others that have no scores, and what to do.
fn others(analysis: &Analysis<'_>) -> Vec<String> {
    let absent = |model: &ExternalRow| {
        let reason = model.absent.as_ref()?;
        Some(format!("External model “{}”: {reason}.", model.title()))
    };
    analysis.data.externals.iter().filter_map(absent).collect()
}

/// `51.2%` or `1.734 bits/byte`, with its half-width.
fn written(analysis: &Analysis<'_>, variant: usize, measure: Measure) -> String {
    let Some(found) = analysis.estimate(variant, measure) else { return String::new() };
    let digits = measure.digits();
    let spread = found
        .interval
        .map(|(low, high)| format!(" ± {}", fixed((high - low) / 2.0, digits)))
        .unwrap_or_default();
    let mean = fixed(found.mean, digits);
    match (measure.higher_is_better(), spread.is_empty()) {
        (false, _) => format!("{mean}{spread} bits/byte"),
        (true, true) => format!("{mean}%"),
        (true, false) => format!("({mean}{spread})%"),
    }
}

/// `+3.1 points, 95% interval +1.9 to +4.3`.
fn difference_words(found: &Difference, measure: Measure) -> String {
    let digits = measure.digits();
    let unit = if measure.higher_is_better() { "points" } else { "bits/byte" };
    let mean = signed(found.mean, digits);
    match (found.verdict, found.interval) {
        (Verdict::Untested, _) | (_, None) => format!("{mean} {unit}"),
        (_, Some((low, high))) => format!(
            "{mean} {unit}, 95% interval {} to {}",
            signed(low, digits),
            signed(high, digits)
        ),
    }
}

fn title<'a>(analysis: &'a Analysis<'_>, variant: usize) -> &'a str {
    analysis.variants()[variant].title()
}

/// The whole climb, then which rungs carry it.
fn ladder(analysis: &Analysis<'_>, measure: Measure, scored: &[usize]) -> Vec<String> {
    let mut out = Vec::new();
    if let (Some(first), Some(last)) = (scored.first(), scored.last())
        && first != last
        && let Some(found) = analysis.difference(*last, *first, measure)
    {
        let verdict = match found.verdict {
            Verdict::Better | Verdict::Untested => "",
            Verdict::Worse => " This is worse than where it started.",
            Verdict::Indistinct => " This cannot be told from no difference.",
        };
        out.push(format!(
            "From “{}” to “{}” the {} goes from {} to {} ({}).{verdict}",
            title(analysis, *first),
            title(analysis, *last),
            measure_words(analysis, measure),
            written(analysis, *first, measure),
            written(analysis, *last, measure),
            difference_words(&found, measure),
        ));
    }
    let steps = (1..analysis.variants().len()).map(|v| (v, v - 1)).collect();
    out.extend(verdicts(analysis, measure, steps, "the rung below"));
    out
}

fn against_first(analysis: &Analysis<'_>, measure: Measure) -> Vec<String> {
    let pairs: Vec<(usize, usize)> = (1..analysis.variants().len()).map(|v| (v, 0)).collect();
    if pairs.is_empty() {
        return vec![format!(
            "“{}” reaches {} ({}).",
            title(analysis, 0),
            written(analysis, 0, measure),
            measure_words(analysis, measure)
        )];
    }
    verdicts(analysis, measure, pairs, &format!("“{}”", title(analysis, 0)))
}

/// One sentence per verdict, naming the variants and their differences.
fn verdicts(
    analysis: &Analysis<'_>,
    measure: Measure,
    pairs: Vec<(usize, usize)>,
    against: &str,
) -> Vec<String> {
    let tested: Vec<(usize, Difference)> = pairs
        .into_iter()
        .filter_map(|(a, b)| analysis.difference(a, b, measure).map(|d| (a, d)))
        .collect();
    let list = |wanted: Verdict| {
        let found: Vec<String> = tested
            .iter()
            .filter(|(_, d)| d.verdict == wanted)
            .map(|(v, d)| {
                let unit = if measure.higher_is_better() { "" } else { " bits/byte" };
                format!("“{}” ({}{unit})", title(analysis, *v), signed(d.mean, measure.digits()))
            })
            .collect();
        (found.len(), few(&found))
    };
    let mut out = Vec::new();
    for (verdict, words) in [
        (Verdict::Better, "Better than"),
        (Verdict::Worse, "Worse than"),
        (Verdict::Indistinct, "Not distinguishable from"),
        (Verdict::Untested, "Not tested against"),
    ] {
        let (count, names) = list(verdict);
        if count > 0 {
            out.push(format!("{words} {against}: {names}."));
        }
    }
    out
}

/// The first names of a list, and how many more there are.
fn few(names: &[String]) -> String {
    const MOST: usize = 6;
    if names.len() <= MOST {
        return names.join(", ");
    }
    format!("{} and {} more", names[..MOST - 1].join(", "), names.len() + 1 - MOST)
}

fn measure_words(analysis: &Analysis<'_>, measure: Measure) -> String {
    match measure {
        Measure::Average => "average score".to_string(),
        Measure::Benchmark(_) => analysis.name_of(measure).0,
        Measure::Bits(_) | Measure::MeanBits => {
            format!("bits per byte of {}", analysis.name_of(measure).0.to_lowercase())
        }
    }
}

fn best(analysis: &Analysis<'_>, measure: Measure, scored: &[usize]) -> Option<String> {
    if scored.len() < 2 {
        return None;
    }
    let (best, separated) = analysis.best(measure)?;
    let (name, value) = (title(analysis, best), written(analysis, best, measure));
    let what = match measure {
        Measure::Average => "Best average score".to_string(),
        Measure::Benchmark(_) => format!("Best on {}", analysis.name_of(measure).0),
        Measure::Bits(_) | Measure::MeanBits => {
            format!("Lowest on {}", analysis.name_of(measure).0.to_lowercase())
        }
    };
    if separated {
        return Some(format!("{what}: “{name}” with {value}, separated from every other variant."));
    }
    let rivals: Vec<String> = scored
        .iter()
        .filter(|v| **v != best)
        .filter(|v| {
            analysis
                .difference(best, **v, measure)
                .is_some_and(|d| d.verdict == Verdict::Indistinct)
        })
        .map(|v| format!("“{}”", title(analysis, *v)))
        .collect();
    Some(if rivals.is_empty() {
        format!("{what}: “{name}” with {value}.")
    } else {
        format!("{what}: “{name}” with {value}, not distinguishable from {}.", few(&rivals))
    })
}

fn chance(analysis: &Analysis<'_>, scored: &[usize]) -> Option<String> {
    let stuck: Vec<String> = (0..analysis.benchmarks.len())
        .filter(|b| scored.iter().all(|v| analysis.at_chance(*v, *b) == Some(true)))
        .map(|b| analysis.benchmarks[b].title())
        .collect();
    (!stuck.is_empty()).then(|| format!("At chance for every variant: {}.", stuck.join(", ")))
}

/// In how many steps the sign agrees with the paper's.
fn beside(analysis: &Analysis<'_>, paper: &Paper, measure: Measure) -> Option<String> {
    let beside = paper.main_beside(analysis)?;
    let mut same = 0;
    let mut sure = 0;
    let mut steps = 0;
    let mut tested = 0;
    for v in 0..beside.rows.len() {
        let Some(reference) = analysis.reference(v) else { continue };
        let Some(found) = analysis.difference(v, reference, measure) else { continue };
        let ours = if measure.higher_is_better() { found.mean } else { -found.mean };
        let Some(theirs) = beside.gain(v, reference) else { continue };
        steps += 1;
        tested += usize::from(found.verdict != Verdict::Untested);
        if ours * theirs > 0.0 {
            same += 1;
            sure += usize::from(matches!(found.verdict, Verdict::Better | Verdict::Worse));
        }
    }
    let sure = if tested > 0 {
        format!("{sure} of them distinguishable")
    } else {
        "none of them tested".to_string()
    };
    (steps > 0).then(|| {
        format!(
            "Beside {} of the paper ({}), {same} of {steps} differences have the same sign here, {sure}; the scales are {} here and {} there.",
            beside.element.place,
            paper.citation(),
            crate::figures::our_scale(analysis),
            beside.element.scale,
        )
    })
}

/// Which vocabularies the paper's rule allows, for every tokenizer that was compacted.
fn vocabularies(analysis: &Analysis<'_>) -> Vec<String> {
    let tokenizers = &analysis.data.tokenizers;
    let Some(base) = analysis.variants().first() else { return Vec::new() };
    let most = vocabulary::largest(base);
    let compacted = tokenizers
        .iter()
        .filter(|row| tokenizers.iter().any(|other| other.larger.as_ref() == Some(&row.name)));
    let words = compacted.filter_map(|row| {
        let least = row.needed?;
        let of = format!(
            "The {} most frequent of {} pieces of “{}” cover more than 90% of its tokens, and \
             embedding and head stay below 20% of {} parameters at width {} up to {} pieces",
            grouped(least),
            grouped(row.vocabulary),
            row.name,
            count(base.params.total as f64),
            base.width,
            grouped(most),
        );
        Some(if least <= most {
            format!("{of}: the paper's rule allows every vocabulary between the two.")
        } else {
            format!("{of}: no vocabulary keeps the paper's rule.")
        })
    });
    words.collect()
}

/// Variants whose rows rest on what was accepted in the place of something else.
fn accepted(analysis: &Analysis<'_>) -> Option<String> {
    let names: Vec<&str> = analysis
        .variants()
        .iter()
        .filter(|v| !v.accepted.is_empty())
        .map(VariantRow::title)
        .collect();
    let words: Vec<String> =
        analysis.data.provenance.accepted.iter().map(AcceptedRow::words).collect();
    (!names.is_empty()).then(|| {
        format!(
            "Rests on accepted results: {}. What stands for what, because somebody says that both are \
             the same: {}.",
            names.join(", "),
            words.join("; ")
        )
    })
}

/// Variants that were cut by masks which did not come to their target.
fn missed(analysis: &Analysis<'_>) -> Option<String> {
    let names: Vec<&str> = (0..analysis.variants().len())
        .filter(|v| analysis.missed(*v).is_some())
        .map(|v| analysis.variants()[v].title())
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "Learned masks did not come to their target: {}. As many units as wanted were kept all \
             the same, by the largest masks; more updates (tokens of width.learned) bring masks closer.",
            names.join(", ")
        )
    })
}

fn failures(analysis: &Analysis<'_>) -> Vec<String> {
    (0..analysis.variants().len())
        .filter(|v| !analysis.variants()[*v].failed.is_empty())
        .filter_map(|v| analysis.failure(v))
        .map(|text| format!("{text}."))
        .collect()
}
