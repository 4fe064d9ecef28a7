//! What tells two variants apart, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use ablate_pipeline::{changes, fields};
use ablate_spec::Variant;
use serde::Serialize;
use serde_json::{Value, json};

use super::side::{Side, solved};
use crate::exit::CommandError;

/// Two variants, in the names that scripts rely on.
#[derive(Debug, Serialize)]
pub struct Pair {
    pub a: String,
    pub b: String,
    /// Of the resolved settings.
    pub differences: Vec<Difference>,
    pub parameters: [u64; 2],
    pub embedding_head_share: [f64; 2],
    pub train_tokens: [u64; 2],
    pub train_flops: [f64; 2],
    /// Stages that both need, by kind.
    pub shared: BTreeMap<&'static str, usize>,
    /// Stages that only the first needs.
    pub only_a: BTreeMap<&'static str, usize>,
    /// Stages that only the second needs.
    pub only_b: BTreeMap<&'static str, usize>,
    /// Settings that were changed together, where it was more than one: a difference of scores belongs
    /// to none of them alone.
    pub confounded: Vec<String>,
}

/// A setting that two variants do not have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    pub field: String,
    /// As JSON; none where there is no such setting.
    pub a: Option<String>,
    pub b: Option<String>,
    /// Whether it was written, or follows from what was.
    pub kind: Kind,
}

/// Where a difference comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Written in the study file.
    Declared,
    /// Solved, or derived from what is written.
    Follows,
}

impl Pair {
    pub fn new(a: (&Side, usize), b: (&Side, usize)) -> Result<Self, CommandError> {
        let (one, other) = (a.0.variant(a.1), b.0.variant(b.1));
        // Deltas are against one base only within a study.
        let same_base = a.0.file == b.0.file;
        let mut differences = differences(one, other)?;
        let declared = declared(one, other, same_base, &differences);
        for difference in &mut differences {
            let written = declared.iter().any(|path| covers(path, &difference.field));
            difference.kind = if written { Kind::Declared } else { Kind::Follows };
        }
        differences.sort_by(|x, y| (x.kind, &x.field).cmp(&(y.kind, &y.field)));
        let (of_a, of_b) = (a.0.estimate(a.1), b.0.estimate(b.1));
        let (left, right) = (a.0.stages(a.1), b.0.stages(b.1));
        let count = |own: &BTreeMap<&'static str, BTreeSet<String>>,
                     keep: &dyn Fn(&str, &String) -> bool| {
            own.iter()
                .map(|(stage, keys)| (*stage, keys.iter().filter(|key| keep(stage, key)).count()))
                .filter(|(_, count)| *count > 0)
                .collect()
        };
        let within = |all: &BTreeMap<&'static str, BTreeSet<String>>, stage: &str, key: &String| {
            all.get(stage).is_some_and(|keys| keys.contains(key))
        };
        Ok(Self {
            a: one.name.clone(),
            b: other.name.clone(),
            parameters: [of_a.parameters.total, of_b.parameters.total],
            embedding_head_share: [
                of_a.parameters.embedding_head_share(),
                of_b.parameters.embedding_head_share(),
            ],
            train_tokens: [of_a.train_tokens, of_b.train_tokens],
            train_flops: [of_a.train_flops, of_b.train_flops],
            shared: count(&left, &|stage, key| within(&right, stage, key)),
            only_a: count(&left, &|stage, key| !within(&right, stage, key)),
            only_b: count(&right, &|stage, key| !within(&left, stage, key)),
            confounded: if declared.len() > 1 { declared } else { Vec::new() },
            differences,
        })
    }
}

/// Resolved settings that differ, all taken for derived.
fn differences(a: &Variant, b: &Variant) -> Result<Vec<Difference>, CommandError> {
    let plain = |variant: &Variant| -> Result<_, CommandError> {
        let mut value = serde_json::to_value(variant).map_err(CommandError::bug)?;
        if let Value::Object(map) = &mut value {
            for told_elsewhere in ["name", "label", "delta", "held"] {
                map.remove(told_elsewhere);
            }
        }
        Ok(fields(&value))
    };
    let found = changes(&plain(a)?, &plain(b)?);
    let difference = |change: ablate_pipeline::Change| Difference {
        field: change.field,
        a: change.from,
        b: change.to,
        kind: Kind::Follows,
    };
    Ok(found.into_iter().map(difference).collect())
}

/// Paths that were written differently. Between studies, which have no base in common, all that differs
/// but what `[hold]` solved.
fn declared(a: &Variant, b: &Variant, same_base: bool, found: &[Difference]) -> Vec<String> {
    if !same_base {
        let solved = [solved(a), solved(b)];
        let fields = found.iter().map(|difference| difference.field.clone());
        return fields.filter(|field| !solved.contains(&Some(field.as_str()))).collect();
    }
    let written = |variant: &Variant| -> BTreeMap<String, String> {
        variant.delta.iter().map(|change| (change.path.clone(), change.to.clone())).collect()
    };
    let (left, right) = (written(a), written(b));
    let paths: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    paths.into_iter().filter(|path| left.get(*path) != right.get(*path)).cloned().collect()
}

/// Whether a written path and a resolved field are one setting, or one is a part of the other.
fn covers(path: &str, field: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    within(path, field) || within(field, path)
}

impl Pair {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty() && self.only_a.is_empty() && self.only_b.is_empty()
    }

    /// The pair without differences that are told elsewhere.
    pub fn without(mut self, told: &BTreeSet<Difference>) -> Self {
        self.differences.retain(|difference| !told.contains(difference));
        self
    }

    /// For JSON that is put together from several.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|_| json!({}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_setting_is_that_setting() {
        assert!(covers("model.width", "model.width"));
        assert!(covers("model.ffn.size", "model.ffn"));
        assert!(covers("rounds", "rounds.rate"));
        assert!(covers("corpus.sources", "corpus.sources[0].weight"));
        assert!(!covers("model.width", "model.width_of_something"));
        assert!(!covers("model.depth", "model.width"));
    }
}
