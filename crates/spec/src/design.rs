//! Expands a design into drafts: named deltas against the base, or against the draft before.

use crate::naming::{short_names, slug, slug_problem, words};
use crate::reporter::Reporter;
use crate::tree::{At, Node, Table, Value};
use crate::{Design, Solved};
use crate::{sampler, structure};

/// More variants than this are taken for a mistake.
const MOST_VARIANTS: usize = 1000;

/// A variant to be.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) at: At,
    pub(crate) delta: Table,
    /// The draft's own `solve`, and where it is written.
    pub(crate) solve: Option<(Solved, At)>,
    pub(crate) hold: bool,
}

impl Draft {
    /// The base itself.
    pub(crate) fn base(at: &At) -> Self {
        let at = at.clone();
        let name = String::from("base");
        Self { label: name.clone(), name, at, delta: Table::default(), solve: None, hold: true }
    }
}

/// The drafts of a study's `[design]`, in order. Of a random one there are more than variants.
pub(crate) fn expand(study: &Table, fallback: &At, report: &mut Reporter) -> (Design, Vec<Draft>) {
    let Some(design) = study.get("design") else {
        return (Design::Single, vec![Draft::base(fallback)]);
    };
    let chosen = design.table().and_then(|table| table.entries.first());
    let Some(entry) = chosen else { return (Design::Single, Vec::new()) };
    match entry.key.as_str() {
        "list" => (Design::List, steps(&entry.node, report)),
        "ladder" => (Design::Ladder, steps(&entry.node, report)),
        "grid" => (Design::Grid, grid(&axes(&entry.node, report), &entry.node.at, report)),
        "random" => (Design::Random, sampler::draws(&entry.node, report)),
        "zip" => (Design::Zip, zip(&axes(&entry.node, report), report)),
        _ => {
            let axes = axes(&entry.node, report);
            let mut drafts = vec![Draft::base(&entry.key_at)];
            drafts.extend(
                axes.iter().flat_map(|axis| (0..axis.values.len()).map(|i| joint(&[(axis, i)]))),
            );
            (Design::OneAtATime, unique(drafts))
        }
    }
}

fn steps(node: &Node, report: &mut Reporter) -> Vec<Draft> {
    let Some(items) = node.array() else { return Vec::new() };
    if items.is_empty() {
        let what = "the design has no variants".to_string();
        report.error(&node.at, what, "at least one is needed".into(), None);
    }
    let mut drafts: Vec<Draft> = Vec::new();
    for item in items {
        let Some(table) = item.table() else { continue };
        let name = table.get("name").unwrap_or(item);
        let text = name.string().unwrap_or_default().to_string();
        if let Some(problem) = name.string().and_then(slug_problem) {
            let what = format!("`{text}` is not a name for a variant");
            let help =
                slug(&text).map(|slug| format!("name it \"{slug}\" and put the rest into `label`"));
            report.error(&name.at, what, problem.into(), help);
        } else if !text.is_empty() && drafts.iter().any(|draft| draft.name == text) {
            let what = format!("two variants are named `{text}`");
            report.error(&name.at, what, "names must be unique".into(), None);
        }
        let solve = table.get("solve").and_then(|node| {
            let solved = serde_json::from_value(node.to_json()?).ok()?;
            Some((solved, node.at.clone()))
        });
        drafts.push(Draft {
            label: table.get("label").and_then(Node::string).unwrap_or(&text).to_string(),
            name: text,
            at: name.at.clone(),
            delta: table.table("set").cloned().unwrap_or_default(),
            solve,
            hold: !matches!(table.get("hold").map(|node| &node.value), Some(Value::Boolean(false))),
        });
    }
    drafts
}

/// A path and its values, each as a delta.
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) at: At,
    pub(crate) values: Vec<(Node, Table)>,
}

fn axes(node: &Node, report: &mut Reporter) -> Vec<Axis> {
    let entries = node.table().map(|table| table.entries.as_slice()).unwrap_or_default();
    if entries.is_empty() {
        let what = "the design has no axes".to_string();
        let help = Some("add for example \"tokenizer.vocabulary\" = [1024, 2048]".into());
        report.error(&node.at, what, "at least one path is needed".into(), help);
    }
    let paths: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).collect();
    let names = short_names(&paths);
    let mut axes = Vec::new();
    for (entry, name) in entries.iter().zip(names) {
        let Some(items) = entry.node.array() else { continue };
        if items.is_empty() {
            let what = format!("`{}` has no values", entry.key);
            report.error(&entry.node.at, what, "at least one is needed".into(), None);
        }
        let segments = segments(&entry.key, &entry.key_at);
        let values = items.iter().map(|item| {
            let mut delta = Table::default();
            delta.insert(&segments, item.clone());
            structure::check_delta(&mut delta, report);
            (item.clone(), delta)
        });
        axes.push(Axis { name, at: entry.node.at.clone(), values: values.collect() });
    }
    axes
}

/// The segments of a dotted path, each with its place inside the quoted key.
pub(crate) fn segments<'a>(path: &'a str, at: &At) -> Vec<(&'a str, At)> {
    let quotes = at.span.len().checked_sub(path.len()).filter(|quotes| quotes.is_multiple_of(2));
    let mut start = at.span.start + quotes.unwrap_or(0) / 2;
    path.split('.')
        .map(|segment| {
            let span = match quotes {
                Some(0 | 2) => start..start + segment.len(),
                // Escapes inside the key: its segments cannot be told apart in the text.
                _ => at.span.clone(),
            };
            start += segment.len() + 1;
            (segment, At { source: at.source, span })
        })
        .collect()
}

/// The draft that takes one value of each of these axes.
pub(crate) fn joint(choice: &[(&Axis, usize)]) -> Draft {
    let mut delta = Table::default();
    let (mut names, mut labels) = (Vec::new(), Vec::new());
    for (axis, index) in choice {
        let (node, part) = &axis.values[*index];
        crate::merge::overlay(&mut delta, part, &mut Vec::new());
        let axis_slug = slug(&axis.name).unwrap_or_default();
        let value = words(node);
        names.push(match slug(&value) {
            Some(value) => format!("{axis_slug}-{value}"),
            None => format!("{axis_slug}-{}", index + 1),
        });
        labels.push(format!("{} {value}", axis.name.replace(['_', '.'], " ")));
    }
    let at = choice.first().map(|(axis, index)| axis.values[*index].0.at.clone());
    Draft {
        name: names.join("_"),
        label: labels.join(", "),
        at: at.unwrap_or(At { source: 0, span: 0..0 }),
        delta,
        solve: None,
        hold: true,
    }
}

fn grid(axes: &[Axis], at: &At, report: &mut Reporter) -> Vec<Draft> {
    let sizes = axes.iter().map(|axis| axis.values.len());
    let total = sizes.fold(1, usize::saturating_mul);
    if total > MOST_VARIANTS {
        let what = format!("the grid has {total} variants");
        let why = format!("more than {MOST_VARIANTS}");
        report.error(at, what, why, Some("vary fewer paths, or fewer values of each".into()));
        return Vec::new();
    }
    if axes.is_empty() {
        return Vec::new();
    }
    let mut choices: Vec<Vec<(&Axis, usize)>> = vec![Vec::new()];
    for axis in axes {
        let extended = choices.iter().flat_map(|choice| {
            (0..axis.values.len()).map(|index| {
                let mut choice = choice.clone();
                choice.push((axis, index));
                choice
            })
        });
        choices = extended.collect();
    }
    unique(choices.iter().map(|choice| joint(choice)).collect())
}

fn zip(axes: &[Axis], report: &mut Reporter) -> Vec<Draft> {
    let Some(first) = axes.first() else { return Vec::new() };
    let mut shortest = first.values.len();
    for axis in axes {
        let (length, expected) = (axis.values.len(), first.values.len());
        if length != expected {
            let what = format!("zipped paths have {expected} and {length} values");
            let why = format!("`{}` has {expected}", first.name);
            let help = Some("give every path the same number of values".into());
            report.error(&axis.at, what, why, help);
        }
        shortest = shortest.min(length);
    }
    let joint_at = |index| joint(&axes.iter().map(|axis| (axis, index)).collect::<Vec<_>>());
    unique((0..shortest).map(joint_at).collect())
}

/// Generated names can collide once cut to slugs: later ones get a number.
fn unique(mut drafts: Vec<Draft>) -> Vec<Draft> {
    for index in 1..drafts.len() {
        let taken = |name: &str| drafts[..index].iter().any(|draft| draft.name == name);
        if taken(&drafts[index].name) {
            let name = drafts[index].name.clone();
            let free = (2..).map(|n| format!("{name}-{n}")).find(|name| !taken(name));
            drafts[index].name = free.unwrap_or(name);
        }
    }
    drafts
}
