//! Reads claims: orders and equalities of variants such as `compact > base`, orders of gains such as
//! `b - a > d - c`, relations of the metric to a size such as `rises with depth`, and which layers
//! matter, as in `first 2 layers > middle layers`.

use ablate_suggestion::advice;

use crate::file::ClaimTable;
use crate::naming::slug_problem;
use crate::reporter::Reporter;
use crate::tree::{At, Node, Table};
use crate::{Claim, End, Expectation, Quantity};

/// The claims of a study over variants of these names; `None` when the names are not known
/// because a variant could not be read.
pub(crate) fn read(study: &Table, names: Option<&[&str]>, report: &mut Reporter) -> Vec<Claim> {
    let items = study.get("claim").and_then(Node::array).unwrap_or_default();
    let mut claims: Vec<Claim> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for item in items.iter().filter(|item| !item.is_spoilt()) {
        let table = item.to_json().and_then(|json| serde_json::from_value::<ClaimTable>(json).ok());
        let Some(table) = table else { continue };
        let at = |key: &str| item.table().and_then(|t| t.get(key)).unwrap_or(item).at.clone();
        if let Some(problem) = slug_problem(&table.id) {
            let what = format!("`{}` is not an id for a claim", table.id);
            report.error(&at("id"), what, problem.into(), None);
        } else if ids.contains(&table.id) {
            let what = format!("two claims have the id `{}`", table.id);
            report.error(&at("id"), what, "ids must be unique".into(), None);
        }
        ids.push(table.id.clone());
        let Some(expectation) = expectation(&table, &at, names, report) else { continue };
        let paper = paper_rows(&table, &expectation, &at, report);
        claims.push(Claim {
            statement: table.statement.unwrap_or_else(|| table.expect.clone()),
            id: table.id,
            metric: table.metric,
            expect: table.expect,
            expectation,
            source: table.source.unwrap_or_default(),
            paper,
            require: table.require,
        });
    }
    claims
}

/// What `expect` and `within` say together.
fn expectation(
    table: &ClaimTable,
    at: &dyn Fn(&str) -> At,
    names: Option<&[&str]>,
    report: &mut Reporter,
) -> Option<Expectation> {
    let expect = table.expect.as_str();
    if let Some((relation, quantity)) = relation(expect) {
        let quantity = size(quantity, &at("expect"), report)?;
        if relation == Relation::Unrelated {
            let within = tolerance(table, at, "0.3, the largest rank correlation", report)?;
            if within >= 1.0 {
                let what = format!("`claim.within` cannot be {within}");
                let why = "a rank correlation is always within 1".to_string();
                report.error(&at("within"), what, why, None);
                return None;
            }
            return Some(Expectation::Unrelated { quantity, within });
        }
        no_tolerance(table, at, report)?;
        return Some(Expectation::Trend { quantity, rises: relation == Relation::Rises });
    }
    let signs: Vec<char> = expect.chars().filter(|c| ['>', '<', '='].contains(c)).collect();
    let mut variants: Vec<_> =
        expect.split(['>', '<', '=']).map(|part| part.trim().to_string()).collect();
    if signs.is_empty()
        || signs.iter().any(|sign| *sign != signs[0])
        || variants.iter().any(String::is_empty)
    {
        let what = format!("`{expect}` is not an expectation");
        let why =
            "expected names of variants joined by `>`, by `<` or by `=`, differences of them \
                   joined by `>`, `rises with`, `falls with` or `unrelated to` a size, or `first 2 \
                   layers > middle layers`"
                .to_string();
        let help = Some("write for example expect = \"compact > base\"".into());
        report.error(&at("expect"), what, why, help);
        return None;
    }
    if variants.iter().any(|part| part.contains(" - ")) {
        let expectation = gains(&variants, signs[0], &at("expect"), names, report)?;
        no_tolerance(table, at, report)?;
        return Some(expectation);
    }
    if variants.iter().any(|part| part.ends_with(" layers") || part.ends_with(" layer")) {
        let Some((end, count)) = layers(&variants, signs[0]) else {
            let what = format!("`{expect}` says nothing of layers that can be tested");
            let why = "a number of layers at one end is set against the middle ones".to_string();
            let help = Some("write for example expect = \"first 2 layers > middle layers\"".into());
            report.error(&at("expect"), what, why, help);
            return None;
        };
        if table.metric.replace('-', "_").starts_with("bits_per_byte") {
            let what = "layers are left out for benchmarks only".to_string();
            let why = "this is no score of a benchmark".to_string();
            let help = Some("compare the average, or a benchmark".into());
            report.error(&at("metric"), what, why, help);
            return None;
        }
        no_tolerance(table, at, report)?;
        return Some(Expectation::Layers { end, count });
    }
    check_names(&variants, &at("expect"), names, report);
    if signs[0] == '=' {
        let within = tolerance(table, at, "1.0, the largest difference", report)?;
        return Some(Expectation::Equal { variants, within });
    }
    no_tolerance(table, at, report)?;
    if signs[0] == '<' {
        variants.reverse();
    }
    Some(Expectation::Order(variants))
}

/// `a - b > c - d`.
fn gains(
    parts: &[String],
    sign: char,
    at: &At,
    names: Option<&[&str]>,
    report: &mut Reporter,
) -> Option<Expectation> {
    let pairs: Option<Vec<(&str, &str)>> = parts
        .iter()
        .map(|part| part.split_once(" - ").map(|(a, b)| (a.trim(), b.trim())))
        .collect();
    let written = |pair: &(&str, &str)| !pair.0.is_empty() && !pair.1.is_empty();
    let Some(pairs) = pairs.filter(|pairs| sign == '>' && pairs.iter().all(written)) else {
        let what = "this is not an order of gains".to_string();
        let why = "every side is one variant minus another, joined by `>`".to_string();
        let help = Some("write for example expect = \"b - a > d - c\"".into());
        report.error(at, what, why, help);
        return None;
    };
    let mut variants: Vec<String> = Vec::new();
    let mut place = |name: &str| {
        variants.iter().position(|known| known == name).unwrap_or_else(|| {
            variants.push(name.to_string());
            variants.len() - 1
        })
    };
    let gains = pairs.iter().map(|(a, b)| (place(a), place(b))).collect();
    for (index, (a, b)) in pairs.iter().enumerate() {
        check_names(&[(*a).to_string(), (*b).to_string()], at, names, report);
        if pairs[..index].contains(&(a, b)) {
            let what = format!("`{a} - {b}` is compared with itself");
            report.error(at, what, "named twice".into(), None);
        }
    }
    Some(Expectation::Gains { gains, variants })
}

/// `first 2 layers > middle layers`.
fn layers(parts: &[String], sign: char) -> Option<(End, usize)> {
    let ([outer, middle], '>') = (parts, sign) else { return None };
    let words: Vec<&str> = outer.split_whitespace().collect();
    let ([end, count, "layers" | "layer"], "middle layers") = (&words[..], middle.as_str()) else {
        return None;
    };
    let end = [End::First, End::Last].into_iter().find(|known| known.name() == *end)?;
    let count = count.parse().ok().filter(|count| *count > 0)?;
    Some((end, count))
}

fn check_names(parts: &[String], at: &At, names: Option<&[&str]>, report: &mut Reporter) {
    for (index, part) in parts.iter().enumerate() {
        if let Some(names) = names.filter(|names| !names.contains(&part.as_str())) {
            let what = format!("there is no variant `{part}`");
            let help = advice(part, "variants", names);
            report.error(at, what, "this claim names it".into(), help);
        } else if parts[..index].contains(part) {
            let what = format!("`{part}` is compared with itself");
            report.error(at, what, "named twice".into(), None);
        }
    }
}

/// How the metric relates to a size.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Rises,
    Falls,
    Unrelated,
}

/// `rises with depth` in its two parts.
fn relation(expect: &str) -> Option<(Relation, &str)> {
    let words = [
        ("rises with", Relation::Rises),
        ("falls with", Relation::Falls),
        ("unrelated to", Relation::Unrelated),
    ];
    words.into_iter().find_map(|(words, relation)| {
        let rest = expect.trim().strip_prefix(words)?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| (relation, rest.trim()))
    })
}

fn size(name: &str, at: &At, report: &mut Reporter) -> Option<Quantity> {
    let found = Quantity::ALL.into_iter().find(|quantity| quantity.name() == name);
    if found.is_none() {
        let names = Quantity::ALL.map(Quantity::name);
        let what = format!("there is no size `{name}`");
        let help = advice(name, "sizes", &names);
        report.error(at, what, "this claim names it".into(), help);
    }
    found
}

/// `within`, which this expectation needs.
fn tolerance(
    table: &ClaimTable,
    at: &dyn Fn(&str) -> At,
    example: &str,
    report: &mut Reporter,
) -> Option<f64> {
    if table.within.is_none() {
        let what = format!("`{}` needs `within`", table.expect);
        let why = "no two measurements are exactly equal".to_string();
        let help = Some(format!("add for example within = {example} that counts as none"));
        report.error(&at("expect"), what, why, help);
    }
    table.within
}

/// That there is no `within`, which this expectation has no use for.
fn no_tolerance(table: &ClaimTable, at: &dyn Fn(&str) -> At, report: &mut Reporter) -> Option<()> {
    if table.within.is_none() {
        return Some(());
    }
    let what = format!("`{}` takes no `within`", table.expect);
    let why = "for `=` and `unrelated to` only".to_string();
    report.error(&at("within"), what, why, Some("remove it".into()));
    None
}

/// The paper's rows in the order of the expectation's variants.
fn paper_rows(
    table: &ClaimTable,
    expectation: &Expectation,
    at: &dyn Fn(&str) -> At,
    report: &mut Reporter,
) -> Vec<String> {
    let Some(mut rows) = table.paper.clone() else { return Vec::new() };
    let (rows_named, variants) = (rows.len(), expectation.variants().len());
    if rows_named != variants {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let what = format!(
            "`claim.paper` names {rows_named} row{} for {variants} variant{}",
            plural(rows_named),
            plural(variants)
        );
        let why = "one row for each variant of `expect`, in its order".to_string();
        let help = (variants == 0)
            .then(|| "remove it: what is said of no variant is read off the whole element".into());
        report.error(&at("paper"), what, why, help);
    }
    if matches!(expectation, Expectation::Order(_)) && table.expect.contains('<') {
        rows.reverse();
    }
    rows
}
