//! One row per variant: its shape, its price and what became of it.

use ablate_cost::{Parameters, flops_per_token};
use ablate_model::ModelConfig;
use ablate_pipeline::Failure;
use ablate_report::{MaskShare, Params, VariantRow};
use ablate_spec::{Held, Variant};

use super::Results;
use super::reading::reading;
use crate::exit::CommandError;
use crate::graph::{AbsentVariant, VariantNodes};
use crate::stages::{compact, masks, read_json, select, shards, train};

pub fn row(
    results: &Results<'_>,
    nodes: &VariantNodes,
    variant: &Variant,
) -> Result<VariantRow, CommandError> {
    let mut row = described(variant);
    if let Some(folder) = results.folder(nodes.shards)? {
        let summary: shards::Summary = read(&folder.join(shards::SUMMARY))?;
        row.bytes_per_token = summary.bytes_per_token();
    }
    if let Some(compact) = nodes.compact
        && let Some(folder) = results.folder(compact)?
    {
        row.coverage = Some(read::<compact::Coverage>(&folder.join(compact::COVERAGE))?.kept);
    }
    spent(results, nodes, variant, &mut row)?;
    learned(results, nodes, &mut row)?;
    for seed in &nodes.seeds {
        if results.artifact(seed.eval)?.is_none() {
            let reason = results.reason(seed.eval)?;
            row.failed.push((seed.seed, reason.unwrap_or_else(|| "not finished".to_owned())));
        }
        for round in &seed.rounds {
            let step = results.divergence(round.train)?;
            row.diverged.extend(step.map(|step| (seed.seed, step)));
        }
    }
    Ok(row)
}

/// A variant that cannot be made for now.
pub fn absent(variant: &Variant, absent: &AbsentVariant) -> VariantRow {
    let mut row = described(variant);
    row.failed = absent.seeds.iter().map(|seed| (*seed, absent.reason())).collect();
    row
}

/// What the study says of a variant.
fn described(variant: &Variant) -> VariantRow {
    let shape = variant.shape();
    let parameters = shape.parameters();
    VariantRow {
        name: variant.name.clone(),
        label: variant.label.clone(),
        delta: variant
            .delta
            .iter()
            .map(|change| (change.path.clone(), change.from.clone(), change.to.clone()))
            .collect(),
        params: params(&parameters),
        share: parameters.embedding_head_share(),
        depth: shape.depth as u64,
        width: shape.width as u64,
        heads: shape.heads as u64,
        kv_heads: shape.kv_heads as u64,
        ffn: shape.ffn as u64,
        vocabulary: shape.vocabulary as u64,
        context: variant.model.context as u64,
        residual: variant.held.as_ref().map(Held::residual),
        batch_tokens: variant.train.batch_tokens,
        learning_rate: variant.train.learning_rate,
        rounds: variant.rounds.count as u64,
        reading: reading(&variant.rounds),
        ..VariantRow::default()
    }
}

/// Tokens, text, operations and seconds of the finished trainings, means over the seeds.
fn spent(
    results: &Results<'_>,
    nodes: &VariantNodes,
    variant: &Variant,
    row: &mut VariantRow,
) -> Result<(), CommandError> {
    let per_token = flops_per_token(&variant.shape(), variant.model.context);
    let (mut tokens, mut bytes, mut seeds) = (0, 0, 0_u64);
    let (mut flops, mut scoring, mut seconds) = (0.0, 0.0, 0.0);
    for seed in &nodes.seeds {
        let last = seed.rounds.last().map(|round| round.train);
        let Some(last) = last else { continue };
        if results.artifact(last)?.is_none() {
            continue;
        }
        seeds += 1;
        for round in &seed.rounds {
            let Some(folder) = results.folder(round.train)? else { continue };
            let summary: train::Summary = read(&folder.join(train::SUMMARY))?;
            tokens += summary.tokens;
            bytes += summary.bytes;
            flops += summary.tokens as f64 * per_token.training;
            seconds += results.artifact(round.train)?.map_or(0.0, |artifact| artifact.seconds);
            let Some(select) = round.select else { continue };
            let Some(folder) = results.folder(select)? else { continue };
            // The pass that scores the batches is part of the price.
            let ledger: ablate_train::rounds::Ledger = read(&folder.join(select::LEDGER))?;
            scoring += ledger.tokens as f64 * per_token.forward;
            seconds += results.artifact(select)?.map_or(0.0, |artifact| artifact.seconds);
        }
    }
    // Where no seed has finished, nothing was added up.
    let seeds = seeds.max(1);
    row.train_tokens = tokens / seeds;
    row.train_bytes = bytes / seeds;
    row.train_flops = (flops + scoring) / seeds as f64;
    row.scoring_flops = scoring / seeds as f64;
    row.seconds = seconds / seeds as f64;
    Ok(())
}

/// Adds what the masks cost that the first weights were chosen by: every seed needs them.
fn learned(
    results: &Results<'_>,
    nodes: &VariantNodes,
    row: &mut VariantRow,
) -> Result<(), CommandError> {
    let Some(id) = results.built.masks(nodes) else { return Ok(()) };
    let Some(folder) = results.folder(id)? else { return Ok(()) };
    let read_failure = |failure: Failure| CommandError::machine(failure.message);
    let (summary, _) = masks::read(&folder).map_err(read_failure)?;
    let trunk: ModelConfig = read(&folder.join(train::CONFIG))?;
    let per_token = flops_per_token(&trunk.shape, trunk.context).training;
    row.mask_tokens = summary.tokens;
    row.mask_shares = shares(&summary);
    row.train_flops += summary.tokens as f64 * per_token;
    row.seconds += results.artifact(id)?.map_or(0.0, |artifact| artifact.seconds);
    Ok(())
}

/// What the masks of every kind came to, and what they were to come to.
fn shares(summary: &masks::Summary) -> Vec<MaskShare> {
    let both = masks::named(&summary.sparsity).into_iter().zip(masks::named(&summary.target));
    both.filter_map(|((units, shut), (_, target))| {
        Some(MaskShare { units: units.to_owned(), shut: shut?, target: target? })
    })
    .collect()
}

fn read<T: serde::de::DeserializeOwned>(path: &std::path::Path) -> Result<T, CommandError> {
    read_json(path).map_err(|failure| CommandError::machine(failure.message))
}

/// Parameter counts as rows have them.
pub(super) fn params(counted: &Parameters) -> Params {
    Params {
        total: counted.total,
        embedding: counted.embedding,
        head: counted.head,
        non_embedding: counted.non_embedding,
    }
}
