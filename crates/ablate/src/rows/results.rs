//! What the results are that rows are read from, and who made them: from their records alone.

use ablate_model::Backend;
use ablate_pipeline::{Artifact, HOST, canonical_json};
use ablate_report::{ResultRecord, RunRecord};

use crate::exit::CommandError;
use crate::graph::{COMMIT, PROGRAM, StudyGraph};
use crate::stages::{BACKEND, WITH_TENSORS};

/// A result by its record.
pub fn record(artifact: &Artifact) -> Result<ResultRecord, CommandError> {
    let fact = |key: &str| {
        let value = artifact.execution.get(key).and_then(|value| value.as_str());
        value.unwrap_or_default().to_owned()
    };
    let recipe = canonical_json(&artifact.recipe).map_err(CommandError::bug)?;
    let mut content = blake3::Hasher::new();
    for file in &artifact.files {
        content.update(format!("{} {}\n", file.blake3, file.path).as_bytes());
    }
    let program = [fact(PROGRAM), fact(COMMIT)].join(" ");
    let backend = match WITH_TENSORS.contains(&artifact.stage.as_str()) {
        true if fact(BACKEND).is_empty() => Backend::Flex.name().to_owned(),
        true => fact(BACKEND),
        false => String::new(),
    };
    let inputs = artifact.inputs.iter();
    Ok(ResultRecord {
        stage: artifact.stage.clone(),
        name: artifact.name.clone(),
        key: artifact.key.to_string(),
        version: artifact.version,
        recipe: blake3::hash(recipe.as_bytes()).to_hex().to_string(),
        inputs: inputs.map(|(role, key)| (role.clone(), key.to_string())).collect(),
        content: content.finalize().to_hex().to_string(),
        program: program.trim().to_owned(),
        host: fact(HOST),
        backend,
        finished: artifact.finished.clone(),
    })
}

/// The keys behind every variant and seed, finished or not.
pub fn runs(built: &StudyGraph) -> Vec<RunRecord> {
    let key = |id| built.graph.node(id).key().to_string();
    let mut runs = Vec::new();
    for variant in &built.variants {
        runs.extend(variant.seeds.iter().map(|seed| RunRecord {
            variant: variant.name.clone(),
            seed: seed.seed,
            train: seed.rounds.iter().map(|round| key(round.train)).collect(),
            eval: key(seed.eval),
        }));
    }
    runs
}
