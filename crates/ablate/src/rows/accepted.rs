//! Which rows rest on results that stand for others.

use std::collections::{BTreeMap, BTreeSet};

use ablate_pipeline::{Acceptance, Key, NodeId, State};
use ablate_report::{AcceptedRow, StudyData};

use super::Results;
use crate::exit::CommandError;

/// Notes with every variant what its seeds rest on, and in the provenance who says so and why. A result
/// knows what it was made of: what was taken back since is named all the same.
pub fn tell(results: &Results<'_>, data: &mut StudyData) -> Result<(), CommandError> {
    let records: BTreeMap<Key, Acceptance> = results
        .store
        .acceptances()
        .map_err(CommandError::machine)?
        .into_iter()
        .filter_map(|accepted| accepted.record.ok())
        .map(|record| (record.new.key.clone(), record))
        .collect();
    // Inputs come first: what each node rests on, by the keys of what was said.
    let mut rests: Vec<BTreeSet<Key>> = Vec::new();
    let mut read: BTreeMap<Key, Key> = BTreeMap::new();
    for (id, node) in results.built.graph.iter() {
        let mut own = BTreeSet::new();
        for input in node.inputs.values() {
            own.extend(rests[input.index()].iter().cloned());
        }
        if let State::Done(artifact) = results.state(id)? {
            let mut pairs = artifact.accepted.clone();
            if artifact.key != *node.key() {
                pairs.insert(node.key().clone(), artifact.key.clone());
            }
            for (new, old) in pairs {
                match records.get(&new) {
                    Some(record) => own.extend(record.roots()),
                    None => {
                        own.insert(new.clone());
                    }
                }
                read.insert(new, old);
            }
        }
        rests.push(own);
    }
    let of = |id: NodeId| rests.get(id.index()).into_iter().flatten();
    for row in &mut data.variants {
        let nodes = results.built.variants.iter().find(|nodes| nodes.name == row.name);
        let Some(nodes) = nodes else { continue };
        for seed in &nodes.seeds {
            if results.artifact(seed.eval)?.is_none() {
                continue;
            }
            let all: BTreeSet<&Key> = seed.ends().flat_map(of).collect();
            row.accepted.extend(all.into_iter().map(|key| (seed.seed, key.to_string())));
        }
    }
    let all: BTreeSet<&Key> = rests.iter().flatten().collect();
    data.provenance.accepted =
        all.into_iter().map(|key| row(results, key, &records, &read)).collect();
    Ok(())
}

fn row(
    results: &Results<'_>,
    key: &Key,
    records: &BTreeMap<Key, Acceptance>,
    read: &BTreeMap<Key, Key>,
) -> AcceptedRow {
    if let Some(record) = records.get(key) {
        return AcceptedRow {
            stage: record.new.stage.clone(),
            name: record.new.name.clone(),
            key: key.to_string(),
            by_key: record.old.key.to_string(),
            because: record.testimony.because.clone(),
            by: record.testimony.by.clone(),
            at: record.testimony.at.clone(),
        };
    }
    let node = results.built.graph.iter().map(|(_, node)| node).find(|node| node.key() == key);
    AcceptedRow {
        stage: node.map_or_else(String::new, |node| node.stage.to_owned()),
        name: node.map_or_else(String::new, |node| node.name.clone()),
        key: key.to_string(),
        by_key: read.get(key).map(ToString::to_string).unwrap_or_default(),
        because: "taken back since".to_owned(),
        ..AcceptedRow::default()
    }
}
