//! What the metric of a claim names among the measures of a study.

use crate::analysis::{Analysis, Measure};

/// Lower case, with hyphens for everything that separates words: `exam (en)` is `exam-en`.
pub(super) fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// The measure of that name.
///
/// # Errors
/// Why there is none, or more than one.
pub(super) fn measure(analysis: &Analysis<'_>, name: &str) -> Result<Measure, String> {
    const BITS: &str = "bits-per-byte";
    let wanted = plain(name);
    let mut known: Vec<(String, Measure)> = Vec::new();
    if !analysis.benchmarks.is_empty() {
        known.push(("average".into(), Measure::Average));
    }
    if !analysis.languages.is_empty() {
        known.push((BITS.into(), Measure::MeanBits));
    }
    for (l, language) in analysis.languages.iter().enumerate() {
        known.push((plain(&format!("{BITS}-{language}")), Measure::Bits(l)));
    }
    let exact = |known: &[(String, Measure)]| {
        known.iter().find(|(name, _)| *name == wanted).map(|(_, measure)| *measure)
    };
    let mut short = Vec::new();
    for (b, benchmark) in analysis.benchmarks.iter().enumerate() {
        known.push((plain(&benchmark.title()), Measure::Benchmark(b)));
        if plain(&benchmark.name) == wanted {
            short.push(b);
        }
    }
    let titles = |all: &[usize]| {
        let titles: Vec<String> =
            all.iter().map(|b| plain(&analysis.benchmarks[*b].title())).collect();
        titles.join(" or ")
    };
    if let Some(measure) = exact(&known) {
        return Ok(measure);
    }
    match short[..] {
        [one] => Ok(Measure::Benchmark(one)),
        [] => {
            let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            let there = if names.is_empty() { "none".to_string() } else { names.join(", ") };
            Err(format!("the rows have no metric `{name}`; there are: {there}"))
        }
        _ => Err(format!("there are several `{name}`: write {}", titles(&short))),
    }
}
