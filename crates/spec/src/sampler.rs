//! Variants drawn at random: the sampler of the paper's Figure 4.
//!
//! Every path has a range and a random stream of its own; a draw takes the next number of each.
//! Draws that `[hold]` cannot hold are passed over by the resolver, so there are more than asked for.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::design::{Axis, Draft, joint, segments};
use crate::naming::short_names;
use crate::reporter::Reporter;
use crate::tree::{At, Node, Table, Value};
use crate::{Model, structure};

/// Draws for every variant that is asked for.
const TRIES: usize = 200;
/// Decimals of drawn fractions: few enough to be read.
const DECIMALS: i32 = 3;

/// Numbers from `low` to `high`, both included, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Range {
    Whole { low: i64, high: i64, step: i64 },
    Fraction { low: f64, high: f64, step: Option<f64> },
}

impl Range {
    /// From `[low, high]` or `[low, high, step]`.
    fn read(node: &Node, path: &str, report: &mut Reporter) -> Option<Self> {
        let items = node.array()?;
        let whole: Option<Vec<i64>> = items
            .iter()
            .map(|item| match item.value {
                Value::Integer(number) => Some(number),
                _ => None,
            })
            .collect();
        let numbers: Option<Vec<f64>> = items
            .iter()
            .map(|item| match item.value {
                Value::Integer(number) => Some(number as f64),
                Value::Float(number, _) if number.is_finite() => Some(number),
                _ => None,
            })
            .collect();
        let range = match (whole.as_deref(), numbers.as_deref()) {
            (Some([low, high]), _) => Self::Whole { low: *low, high: *high, step: 1 },
            (Some([low, high, step]), _) => Self::Whole { low: *low, high: *high, step: *step },
            (_, Some([low, high])) => Self::Fraction { low: *low, high: *high, step: None },
            (_, Some([low, high, step])) => {
                Self::Fraction { low: *low, high: *high, step: Some(*step) }
            }
            _ => {
                let what = format!("the range of `{path}` is not one");
                let help = Some("write [low, high] or [low, high, step], in numbers".to_string());
                report.error(&node.at, what, "two or three numbers are needed".into(), help);
                return None;
            }
        };
        let fits = match range {
            Self::Whole { low, high, step } => low <= high && step > 0,
            Self::Fraction { low, high, step } => low <= high && step.is_none_or(|s| s > 0.0),
        };
        if !fits {
            let what = format!("the range of `{path}` holds nothing");
            let why = "low is above high, or the step is not above 0".to_string();
            report.error(&node.at, what, why, None);
        }
        fits.then_some(range)
    }

    fn ends(self) -> [Value; 2] {
        match self {
            Self::Whole { low, high, .. } => [low, high].map(Value::Integer),
            Self::Fraction { low, high, .. } => [low, high].map(fraction),
        }
    }

    /// Every number of the range is as likely as the others.
    fn draw(self, random: &mut ChaCha8Rng) -> Value {
        let mut below = |count: u64| {
            // The high half of a product of 64 bits each: uniform to 2^-64 of the count.
            ((u128::from(random.next_u64()) * u128::from(count)) >> 64) as u64
        };
        match self {
            Self::Whole { low, high, step } => {
                let count = (high.abs_diff(low) / step.unsigned_abs()).saturating_add(1);
                Value::Integer(low + below(count) as i64 * step)
            }
            Self::Fraction { low, high, step: Some(step) } => {
                let count = ((high - low) / step + 1e-9).floor() as u64 + 1;
                fraction(low + below(count) as f64 * step)
            }
            Self::Fraction { low, high, step: None } => {
                let share = below(1 << 53) as f64 / (1u64 << 53) as f64;
                fraction(low + share * (high - low))
            }
        }
    }
}

/// Rounded, with its text.
fn fraction(number: f64) -> Value {
    let scale = 10f64.powi(DECIMALS);
    let number = (number * scale).round() / scale;
    Value::Float(number, format!("{number:?}"))
}

/// Draws of `[design.random]` in their order, [`TRIES`] for every variant that is asked for.
pub(crate) fn draws(node: &Node, report: &mut Reporter) -> Vec<Draft> {
    let nothing = Vec::new();
    let Some(table) = node.table() else { return nothing };
    let whole = |key: &str, default: Option<u64>| match table.get(key).map(|node| &node.value) {
        Some(Value::Integer(number)) => u64::try_from(*number).ok(),
        _ => default,
    };
    let (count, ranges) = (whole("count", None), table.table("ranges"));
    let (Some(count), Some(ranges)) = (count, ranges) else {
        for key in ["count", "ranges"].into_iter().filter(|key| table.get(key).is_none()) {
            let what = format!("[design.random] has no `{key}`");
            let help = Some("add for example count = 12, ranges.\"model.depth\" = [4, 12]".into());
            report.error(&node.at, what, format!("`design.random.{key}` is required"), help);
        }
        return nothing;
    };
    if ranges.entries.is_empty() {
        let what = "nothing is drawn".to_string();
        report.error(&node.at, what, "at least one range is needed".into(), None);
        return nothing;
    }
    let paths: Vec<_> = ranges.entries.iter().map(|entry| entry.key.as_str()).collect();
    let mut key = *b"........ablate random design v1 ";
    key[..8].copy_from_slice(&whole("seed", Some(1)).unwrap_or(1).to_le_bytes());
    let mut axes = Vec::new();
    let tries = (count as usize).saturating_mul(TRIES);
    for (stream, (entry, name)) in (0..).zip(ranges.entries.iter().zip(short_names(&paths))) {
        let Some(range) = Range::read(&entry.node, &entry.key, report) else { return nothing };
        let path = segments(&entry.key, &entry.key_at);
        let at = &entry.node.at;
        // The ends stand for all numbers between: each mistake is reported once.
        let mut trial = Reporter::default();
        for end in range.ends() {
            delta(&path, end, at, &mut trial);
        }
        if trial.has_errors() {
            for end in range.ends() {
                delta(&path, end, at, report);
            }
            return nothing;
        }
        let mut random = ChaCha8Rng::from_seed(key);
        random.set_stream(stream);
        let values = (0..tries).map(|_| {
            let value = range.draw(&mut random);
            let node = Node { value: value.clone(), at: at.clone() };
            (node, delta(&path, value, at, &mut Reporter::default()))
        });
        axes.push(Axis { name, at: at.clone(), values: values.collect() });
    }
    let draw = |index| joint(&axes.iter().map(|axis| (axis, index)).collect::<Vec<_>>());
    (0..tries).map(draw).collect()
}

fn delta(path: &[(&str, At)], value: Value, at: &At, report: &mut Reporter) -> Table {
    let mut delta = Table::default();
    delta.insert(path, Node { value, at: at.clone() });
    structure::check_delta(&mut delta, report);
    delta
}

/// Of more draws than are asked for the first that can be held and that differ from those before,
/// named, and how many are missing. `model` gives the size of a draw: `None` where it cannot be held,
/// `Some(None)` where something else is wrong with it.
pub(crate) fn distinct(
    draws: Vec<Draft>,
    model: impl Fn(&Draft) -> Option<Option<Model>>,
) -> (Vec<Draft>, usize) {
    let wanted = draws.len() / TRIES;
    let mut held: Vec<Draft> = Vec::new();
    let mut seen: Vec<(Option<Model>, Table)> = Vec::new();
    for draw in draws {
        if held.len() == wanted {
            break;
        }
        let Some(model) = model(&draw) else { continue };
        // What else was drawn makes two of one size different variants.
        let mut rest = draw.delta.clone();
        rest.remove("model");
        let key = (model, rest);
        if key.0.is_none() || !seen.contains(&key) {
            seen.push(key);
            held.push(draw);
        }
    }
    let digits = held.len().to_string().len();
    for (index, draft) in held.iter_mut().enumerate() {
        draft.name = format!("draw-{:0digits$}", index + 1);
    }
    let missing = wanted - held.len();
    (held, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(range: Range, count: usize) -> Vec<f64> {
        let mut random = ChaCha8Rng::from_seed([3; 32]);
        let mut number = || match range.draw(&mut random) {
            Value::Integer(number) => number as f64,
            Value::Float(number, _) => number,
            other => panic!("{other:?}"),
        };
        (0..count).map(|_| number()).collect()
    }

    #[test]
    fn draws_are_uniform_and_reach_both_ends() {
        let drawn = numbers(Range::Whole { low: 9, high: 12, step: 1 }, 8000);
        for value in 9..=12 {
            let count = drawn.iter().filter(|drawn| **drawn == f64::from(value)).count();
            // Binomial with p = 1/4: 2,000 with a deviation of 39.
            assert!(count.abs_diff(2000) < 160, "{value}: {count}");
        }
        let drawn = numbers(Range::Whole { low: -6, high: 7, step: 6 }, 300);
        assert!([-6.0, 0.0, 6.0].iter().all(|value| drawn.contains(value)));
        assert!(drawn.iter().all(|value| [-6.0, 0.0, 6.0].contains(value)));
        let drawn = numbers(Range::Fraction { low: 1.0, high: 4.0, step: None }, 4000);
        let mean = drawn.iter().sum::<f64>() / 4000.0;
        // The mean of uniform numbers over 3 has the deviation 3 / sqrt(12 n).
        assert!((mean - 2.5).abs() < 4.0 * 3.0 / (12f64 * 4000.0).sqrt(), "{mean}");
        assert!(
            drawn
                .iter()
                .all(|x| (1.0..=4.0).contains(x) && (x * 1e3 - (x * 1e3).round()).abs() < 1e-6)
        );
        let drawn = numbers(Range::Fraction { low: 0.5, high: 2.0, step: Some(0.5) }, 300);
        assert!([0.5, 1.0, 1.5, 2.0].iter().all(|value| drawn.contains(value)));
    }
}
