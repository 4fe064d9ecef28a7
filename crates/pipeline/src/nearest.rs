//! Why a node is not in the store: what keeps it from being the stored result that is most like it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::artifact::Artifact;
use crate::contents::Kind;
use crate::fields::{Change, changes, fields};
use crate::graph::{Graph, Key, NodeId};
use crate::store::{Store, StoreError, attempt, valid_record};

/// Differences that an input of which nothing is known counts as.
const UNKNOWN: usize = 10;

/// The records of all results of a store.
#[derive(Debug, Default)]
pub struct Records {
    all: Vec<Record>,
    by_stage: BTreeMap<String, Vec<usize>>,
    by_key: HashMap<Key, usize>,
}

#[derive(Debug)]
struct Record {
    artifact: Artifact,
    fields: BTreeMap<String, String>,
}

/// The stored result that is most like a node, and what differs.
#[derive(Debug)]
pub struct Nearest<'a> {
    /// Its record.
    pub artifact: &'a Artifact,
    /// What keeps it from being the node's; not empty unless it is the node's.
    pub mismatches: Vec<Mismatch>,
}

/// Something that differs between a node and a stored result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mismatch {
    /// A field of the recipe, or the version of the stage.
    Field {
        /// The roles of the inputs that lead to it, from the node on; empty for its own.
        through: Vec<String>,
        /// The field: what is stored, and what is wanted.
        change: Change,
    },
    /// An input that is to be made itself.
    Missing {
        /// Its role.
        role: String,
        /// The input.
        node: NodeId,
    },
    /// The stored result was made from something whose record is gone, or has no such input.
    Gone {
        /// The roles that lead to the input.
        through: Vec<String>,
        /// The key that was its; nothing where there was no such input.
        key: Option<Key>,
    },
    /// The stored result has an input that is no longer read.
    Unread {
        /// The roles that lead to it.
        through: Vec<String>,
    },
}

impl Records {
    /// Reads the records of all results. Damaged ones are left out: `verify` names them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        let mut records = Self::default();
        for entry in store.contents()?.into_iter().filter(|entry| entry.kind == Kind::Result) {
            if let Some(artifact) = attempt("read", &entry.path, valid_record(&entry.path))? {
                records.add(artifact);
            }
        }
        Ok(records)
    }

    fn add(&mut self, artifact: Artifact) {
        let index = self.all.len();
        self.by_key.insert(artifact.key.clone(), index);
        self.by_stage.entry(artifact.stage.clone()).or_default().push(index);
        let mut fields = fields(&artifact.recipe);
        fields.insert("version".to_owned(), artifact.version.to_string());
        self.all.push(Record { artifact, fields });
    }

    /// The stored result of the same stage with the fewest differences to a node, those of what it was
    /// made from included; of several the one that was made last. `missing` are the nodes that are to
    /// be made, which answer for themselves.
    pub fn nearest(
        &self,
        graph: &Graph,
        id: NodeId,
        missing: &BTreeSet<NodeId>,
        distances: &Distances,
    ) -> Option<Nearest<'_>> {
        let candidates = self.by_stage.get(graph.node(id).stage)?;
        let record = candidates.iter().map(|index| &self.all[*index]).min_by(|a, b| {
            let of = |record: &Record| self.distance(graph, id, record, distances);
            of(a).cmp(&of(b)).then_with(|| b.artifact.finished.cmp(&a.artifact.finished))
        })?;
        let mut mismatches = Vec::new();
        self.mismatches(graph, id, record, missing, &mut Vec::new(), &mut mismatches);
        mismatches.sort();
        mismatches.dedup();
        Some(Nearest { artifact: &record.artifact, mismatches })
    }

    /// Number of fields in which a node and what it is made from differ from a result.
    fn distance(&self, graph: &Graph, id: NodeId, record: &Record, known: &Distances) -> usize {
        let place = (id, record.artifact.key.clone());
        if let Some(distance) = known.0.borrow().get(&place) {
            return *distance;
        }
        let node = graph.node(id);
        let mut distance = changes(&record.fields, &wanted(graph, id)).len();
        for (role, input) in &node.inputs {
            let stored = record.artifact.inputs.get(role);
            if stored == Some(graph.node(*input).key()) {
                continue;
            }
            distance += match stored.and_then(|key| self.record(key)) {
                Some(other) if other.artifact.stage == graph.node(*input).stage => {
                    self.distance(graph, *input, other, known).max(1)
                }
                _ => UNKNOWN,
            };
        }
        distance += record.artifact.inputs.keys().filter(|r| !node.inputs.contains_key(*r)).count();
        known.0.borrow_mut().insert(place, distance);
        distance
    }

    fn mismatches(
        &self,
        graph: &Graph,
        id: NodeId,
        record: &Record,
        missing: &BTreeSet<NodeId>,
        through: &mut Vec<String>,
        mismatches: &mut Vec<Mismatch>,
    ) {
        let node = graph.node(id);
        mismatches.extend(
            changes(&record.fields, &wanted(graph, id))
                .into_iter()
                .map(|change| Mismatch::Field { through: through.clone(), change }),
        );
        for (role, input) in &node.inputs {
            let stored = record.artifact.inputs.get(role);
            if stored == Some(graph.node(*input).key()) {
                continue;
            }
            if missing.contains(input) {
                mismatches.push(Mismatch::Missing { role: role.clone(), node: *input });
                continue;
            }
            through.push(role.clone());
            match stored.and_then(|key| self.record(key)) {
                Some(other) if other.artifact.stage == graph.node(*input).stage => {
                    self.mismatches(graph, *input, other, missing, through, mismatches);
                }
                _ => mismatches
                    .push(Mismatch::Gone { through: through.clone(), key: stored.cloned() }),
            }
            through.pop();
        }
        for role in record.artifact.inputs.keys().filter(|role| !node.inputs.contains_key(*role)) {
            let mut path = through.clone();
            path.push(role.clone());
            mismatches.push(Mismatch::Unread { through: path });
        }
    }

    fn record(&self, key: &Key) -> Option<&Record> {
        self.by_key.get(key).map(|index| &self.all[*index])
    }
}

/// Distances between nodes of one graph and results, as far as they were asked for.
#[derive(Debug, Default)]
pub struct Distances(RefCell<HashMap<(NodeId, Key), usize>>);

fn wanted(graph: &Graph, id: NodeId) -> BTreeMap<String, String> {
    let node = graph.node(id);
    let mut fields = fields(&node.recipe);
    fields.insert("version".to_owned(), node.version.to_string());
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(graph: &Graph, id: NodeId, finished: &str) -> Artifact {
        let node = graph.node(id);
        Artifact {
            key: node.key().clone(),
            stage: node.stage.to_owned(),
            name: node.name.clone(),
            version: node.version,
            recipe: node.recipe.clone(),
            inputs: node
                .inputs
                .iter()
                .map(|(role, id)| (role.clone(), graph.node(*id).key().clone()))
                .collect(),
            files: Vec::new(),
            finished: finished.to_owned(),
            seconds: 1.0,
            execution: json!({}),
            accepted: BTreeMap::new(),
        }
    }

    /// Text of a size, trained on at a rate, scored.
    fn chain(size: u64, rate: f64) -> (Graph, [NodeId; 3]) {
        let mut graph = Graph::new();
        let text = graph.add("text", 1, "text", json!({ "bytes": size }), []).unwrap();
        let train = graph
            .add("train", 1, "a", json!({ "rate": rate, "steps": 5 }), [("text", text)])
            .unwrap();
        let eval = graph.add("eval", 2, "a", json!({ "items": 3 }), [("model", train)]).unwrap();
        (graph, [text, train, eval])
    }

    fn records(of: &[(u64, f64)]) -> Records {
        let mut records = Records::default();
        for (day, (size, rate)) in of.iter().enumerate() {
            let (graph, ids) = chain(*size, *rate);
            for id in ids {
                if !records.by_key.contains_key(graph.node(id).key()) {
                    records.add(record(&graph, id, &format!("2026-11-{:02}", day + 1)));
                }
            }
        }
        records
    }

    fn field(through: &[&str], field: &str, from: &str, to: &str) -> Mismatch {
        Mismatch::Field {
            through: through.iter().map(|role| (*role).to_owned()).collect(),
            change: Change { field: field.into(), from: Some(from.into()), to: Some(to.into()) },
        }
    }

    #[test]
    fn the_difference_is_named_where_it_is() {
        let records = records(&[(100, 0.1), (200, 0.5)]);
        let (graph, [text, train, eval]) = chain(100, 0.2);
        let missing = BTreeSet::from([train, eval]);
        let known = Distances::default();
        let nearest = |id| records.nearest(&graph, id, &missing, &known).unwrap();
        assert_eq!(nearest(train).mismatches, [field(&[], "rate", "0.1", "0.2")]);
        // The scores are asked for anew because of the training alone.
        assert_eq!(
            nearest(eval).mismatches,
            [Mismatch::Missing { role: "model".into(), node: train }]
        );
        assert!(nearest(text).mismatches.is_empty());
    }

    #[test]
    fn inputs_that_are_there_are_looked_into() {
        // Both texts are there; the training on the second at the first rate is not.
        let records = records(&[(100, 0.1), (200, 0.5)]);
        let (graph, [_, train, eval]) = chain(200, 0.1);
        let missing = BTreeSet::from([train, eval]);
        let nearest = records.nearest(&graph, train, &missing, &Distances::default()).unwrap();
        // Either is one difference away; the later one is taken.
        assert_eq!(nearest.mismatches, [field(&[], "rate", "0.5", "0.1")]);
        let (graph, [_, train, eval]) = chain(200, 0.1);
        let only = self::records(&[(100, 0.1)]);
        let missing = BTreeSet::from([train, eval]);
        let nearest = only.nearest(&graph, train, &missing, &Distances::default()).unwrap();
        assert_eq!(nearest.mismatches, [field(&["text"], "bytes", "100", "200")]);
    }

    #[test]
    fn versions_and_lost_records_are_causes() {
        let mut records = Records::default();
        let (graph, [text, train, eval]) = chain(100, 0.1);
        let mut old = record(&graph, eval, "2026-11-01");
        old.version = 1;
        old.inputs.insert("shards".into(), graph.node(text).key().clone());
        records.add(old);
        let (other, [_, _, wanted]) = chain(100, 0.3);
        let nearest =
            records.nearest(&other, wanted, &BTreeSet::new(), &Distances::default()).unwrap();
        assert_eq!(
            nearest.mismatches,
            [
                field(&[], "version", "1", "2"),
                Mismatch::Gone {
                    through: vec!["model".into()],
                    key: Some(graph.node(train).key().clone())
                },
                Mismatch::Unread { through: vec!["shards".into()] },
            ]
        );
        assert!(records.nearest(&other, train, &BTreeSet::new(), &Distances::default()).is_none());
    }
}
