//! Reads claims: orderings of variants such as `compact > base`.

use crate::Claim;
use crate::file::ClaimTable;
use crate::naming::slug_problem;
use crate::reporter::Reporter;
use crate::suggestion::advice;
use crate::tree::{At, Node, Table};

/// The claims of a study over variants of these names; `None` when the names are not known
/// because a variant could not be read.
pub(crate) fn read(study: &Table, names: Option<&[&str]>, report: &mut Reporter) -> Vec<Claim> {
    let items = study.get("claim").and_then(Node::array).unwrap_or_default();
    let mut claims: Vec<Claim> = Vec::new();
    for item in items.iter().filter(|item| !item.is_spoilt()) {
        let table = item.to_json().and_then(|json| serde_json::from_value::<ClaimTable>(json).ok());
        let Some(table) = table else { continue };
        let at = |key: &str| item.table().and_then(|t| t.get(key)).unwrap_or(item).at.clone();
        if let Some(problem) = slug_problem(&table.id) {
            let what = format!("`{}` is not an id for a claim", table.id);
            report.error(&at("id"), what, problem.into(), None);
        } else if claims.iter().any(|claim| claim.id == table.id) {
            let what = format!("two claims have the id `{}`", table.id);
            report.error(&at("id"), what, "ids must be unique".into(), None);
        }
        let order = ordering(&table.expect, &at("expect"), names, report);
        claims.push(Claim {
            statement: table.statement.unwrap_or_else(|| table.expect.clone()),
            order: order.unwrap_or_default(),
            id: table.id,
            metric: table.metric,
            expect: table.expect,
            source: table.source.unwrap_or_default(),
            require: table.require,
        });
    }
    claims
}

/// The names of an ordering, largest first.
fn ordering(
    expect: &str,
    at: &At,
    names: Option<&[&str]>,
    report: &mut Reporter,
) -> Option<Vec<String>> {
    let falling = expect.contains('>');
    let parts: Vec<_> = expect.split(['>', '<']).map(str::trim).collect();
    if parts.len() < 2 || parts.contains(&"") || (falling && expect.contains('<')) {
        let what = format!("`{expect}` is not an ordering");
        let why = "expected names of variants joined by `>` or by `<`".to_string();
        report.error(at, what, why, Some("write for example expect = \"compact > base\"".into()));
        return None;
    }
    for (index, part) in parts.iter().enumerate() {
        if let Some(names) = names.filter(|names| !names.contains(part)) {
            let what = format!("there is no variant `{part}`");
            let help = advice(part, "variants", names);
            report.error(at, what, "this ordering names it".into(), help);
        } else if parts[..index].contains(part) {
            let what = format!("`{part}` is compared with itself");
            report.error(at, what, "named twice".into(), None);
        }
    }
    let mut order: Vec<_> = parts.into_iter().map(String::from).collect();
    if !falling {
        order.reverse();
    }
    Some(order)
}
