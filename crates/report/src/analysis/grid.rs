//! How a study's varied settings become the axes of its figures.
//!
//! The rule, for every grid (and zip, and one-at-a-time over one path): the first setting that is a
//! number in every variant is the horizontal axis; the next one, number or not, tells lines apart;
//! all others tell panels apart.

use crate::rows::{AxisInfo, StudyInfo};

/// The largest value over the smallest from which an axis is logarithmic in any case.
const WIDE: f64 = 20.0;

/// Where every variant of a study stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid {
    /// Name of the horizontal axis.
    pub(crate) x: String,
    /// Its values with their texts, ascending.
    pub(crate) values: Vec<(f64, String)>,
    /// Whether ratios, not differences, are even.
    pub(crate) log: bool,
    /// Labels of the lines; a single empty one where nothing tells lines apart.
    pub(crate) lines: Vec<String>,
    /// Titles of the panels; a single empty one where nothing tells panels apart.
    pub(crate) panels: Vec<String>,
    /// Of every variant.
    pub(crate) places: Vec<Place>,
}

/// Where a variant stands, as positions among values, lines and panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) value: usize,
    pub(crate) line: usize,
    pub(crate) panel: usize,
}

impl Grid {
    /// The grid of a study, where it has one with a numeric setting.
    pub(crate) fn of(study: &StudyInfo) -> Option<Self> {
        let numbers = |axis: &AxisInfo| -> Option<Vec<f64>> {
            let all: Option<Vec<f64>> = axis.numbers.iter().copied().collect();
            all.filter(|all| all.iter().all(|number| number.is_finite()))
        };
        let (first, own) = study.axes.iter().enumerate().find_map(|(i, axis)| {
            let own = numbers(axis)?;
            own.iter().any(|number| *number != own[0]).then_some((i, own))
        })?;
        let mut others: Vec<&AxisInfo> = Vec::new();
        match study.design.as_str() {
            "grid" => {
                others.extend(
                    study.axes.iter().enumerate().filter(|(i, _)| *i != first).map(|a| a.1),
                );
            }
            // What is zipped follows the first setting.
            "zip" => {}
            "one-at-a-time" if study.axes.len() == 1 => {}
            _ => return None,
        }
        let axis = &study.axes[first];
        let mut values: Vec<(f64, String)> = Vec::new();
        for (number, text) in own.iter().zip(&axis.texts) {
            if !values.iter().any(|(known, _)| known == number) {
                values.push((*number, text.clone()));
            }
        }
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let lines = labels(others.first().copied().into_iter(), own.len());
        let panels = labels(others.iter().skip(1).copied(), own.len());
        let places = own
            .iter()
            .enumerate()
            .map(|(variant, number)| Place {
                value: values.iter().position(|(known, _)| known == number).unwrap_or(0),
                line: lines.1[variant],
                panel: panels.1[variant],
            })
            .collect();
        Some(Self {
            x: spaced(&axis.name),
            log: is_even_in_ratio(&values),
            values,
            lines: lines.0,
            panels: panels.0,
            places,
        })
    }
}

/// The distinct labels of some axes together, in the order of their first variants, and which of them
/// each variant has.
fn labels<'a>(
    axes: impl Iterator<Item = &'a AxisInfo>,
    variants: usize,
) -> (Vec<String>, Vec<usize>) {
    let axes: Vec<&AxisInfo> = axes.collect();
    let (mut known, mut of) = (Vec::new(), Vec::new());
    for variant in 0..variants {
        let text = |axis: &&AxisInfo| {
            let text = axis.texts.get(variant).map_or("", String::as_str);
            format!("{} {text}", spaced(&axis.name)).trim_end().to_string()
        };
        let label = axes.iter().map(text).collect::<Vec<_>>().join(", ");
        let position = known.iter().position(|other| *other == label).unwrap_or_else(|| {
            known.push(label);
            known.len() - 1
        });
        of.push(position);
    }
    (known, of)
}

fn spaced(name: &str) -> String {
    name.replace(['_', '.'], " ")
}

/// Whether values double, or grow by another constant factor, or span a wide range.
fn is_even_in_ratio(values: &[(f64, String)]) -> bool {
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return false };
    if first.0 <= 0.0 {
        return false;
    }
    let ratios: Vec<f64> = values.windows(2).map(|pair| pair[1].0 / pair[0].0).collect();
    let constant = ratios.len() > 1 && ratios.iter().all(|r| (r / ratios[0] - 1.0).abs() < 0.02);
    constant || last.0 / first.0 > WIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, texts: &[&str]) -> AxisInfo {
        let number = |text: &str| match text.strip_suffix('M') {
            Some(millions) => millions.parse::<f64>().ok().map(|n| n * 1e6),
            None => text.parse().ok(),
        };
        AxisInfo {
            name: name.into(),
            texts: texts.iter().map(ToString::to_string).collect(),
            numbers: texts.iter().map(|text| number(text)).collect(),
        }
    }

    fn study(design: &str, axes: Vec<AxisInfo>) -> StudyInfo {
        StudyInfo { design: design.into(), axes, ..StudyInfo::default() }
    }

    #[test]
    fn figure_8_is_scores_over_batches_with_a_line_for_each_power() {
        let batches = ["1M", "1M", "2M", "2M", "4M", "4M"];
        let powers = ["0", "0.5", "0", "0.5", "0", "0.5"];
        let axes = vec![axis("batch_tokens", &batches), axis("learning_rate.power", &powers)];
        let grid = Grid::of(&study("grid", axes.clone())).unwrap();
        assert_eq!(grid.x, "batch tokens");
        assert_eq!(
            grid.values.iter().map(|v| v.1.as_str()).collect::<Vec<_>>(),
            ["1M", "2M", "4M"]
        );
        assert!(grid.log);
        assert_eq!(grid.lines, ["learning rate power 0", "learning rate power 0.5"]);
        assert_eq!(grid.panels, [""]);
        assert_eq!(grid.places[3], Place { value: 1, line: 1, panel: 0 });
        // The other way round the power is the axis, and is not spaced by ratios.
        let turned = Grid::of(&study("grid", axes.into_iter().rev().collect())).unwrap();
        assert!(!turned.log && turned.values.len() == 2 && turned.lines.len() == 3);
    }

    #[test]
    fn words_are_lines_and_the_rest_are_panels() {
        let axes = vec![
            axis("scheme", &["gpt2", "gpt2", "internlm", "internlm"]),
            axis("depth", &["2", "8", "2", "8"]),
            axis("tied", &["true", "true", "false", "false"]),
        ];
        let grid = Grid::of(&study("grid", axes.clone())).unwrap();
        assert_eq!(grid.x, "depth");
        assert_eq!(grid.lines, ["scheme gpt2", "scheme internlm"]);
        assert_eq!(grid.panels, ["tied true", "tied false"]);
        assert_eq!(Grid::of(&study("list", axes.clone())), None);
        assert_eq!(Grid::of(&study("one-at-a-time", axes.clone())), None);
        assert_eq!(Grid::of(&study("grid", axes[..1].to_vec())), None, "no number");
        let zip = Grid::of(&study("zip", axes[1..].to_vec())).unwrap();
        assert_eq!((zip.lines.len(), zip.panels.len()), (1, 1));
    }

    #[test]
    fn a_wide_range_is_drawn_by_ratios() {
        let decays = axis("weight_decay", &["0.1", "0.2", "0.01", "0.001", "0.0001"]);
        assert!(Grid::of(&study("one-at-a-time", vec![decays])).unwrap().log);
        let rates = axis("rate", &["0", "0.25", "0.5", "1"]);
        assert!(!Grid::of(&study("grid", vec![rates])).unwrap().log);
    }
}
