//! The stages of a language-model study: for each kind of work its recipe, which is what the
//! result depends on, and the function that makes it inside a worker.
//!
//! ```text
//! corpus ─┬─ tokenizer ─┬─ shards ─┬─ train ── select ── train (further rounds) ─┐
//!         │             └─ compact ┘     └─ inherit ── train (a child) ──────────┼─ eval, skips,
//!         └──────────────────────────────────────────────── benchmarks ──────────┘ losses, progress
//! ```
//!
//! Between a parent's training and `inherit` there may be `skips` or `importance`, which say what of
//! it matters, or `masks`, which learns that and hands on the parent that it learned on.
//!
//! In place of a parent's training there may be `foreign`, a model of another maker.
//!
//! Raise a stage's `VERSION` when its code changes what it makes; add options to a recipe with
//! a default that is left out of the bytes, so that results made before keep their keys.

pub mod benchmarks;
pub mod compact;
pub mod corpus;
pub mod documents;
pub mod eval;
pub mod foreign;
pub mod importance;
pub mod inherit;
mod journal;
pub mod losses;
pub mod masks;
pub mod outside;
pub mod progress;
pub mod select;
pub mod shards;
pub mod skips;
pub mod tokenizer;
pub mod train;

use std::fmt::Display;
use std::fs;
use std::path::Path;

use ablate_model::Backend;
use ablate_pipeline::{Context, Failure, FailureKind, write_atomic};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// How a stage is made: `Ok(false)` when it was asked to stop.
type Make = fn(&Context<'_>) -> Result<bool, Failure>;

/// Every stage.
pub const STAGES: [(&str, Make); 15] = [
    (corpus::STAGE, corpus::make),
    (benchmarks::STAGE, benchmarks::make),
    (tokenizer::STAGE, tokenizer::make),
    (compact::STAGE, compact::make),
    (shards::STAGE, shards::make),
    (train::STAGE, train::make),
    (select::STAGE, select::make),
    (foreign::STAGE, foreign::make),
    (importance::STAGE, importance::make),
    (masks::STAGE, masks::make),
    (inherit::STAGE, inherit::make),
    (eval::STAGE, eval::make),
    (skips::STAGE, skips::make),
    (losses::STAGE, losses::make),
    (progress::STAGE, progress::make),
];

/// Makes a task: `Ok(false)` when it was asked to stop.
///
/// # Errors
/// Why there is no result.
pub fn work(context: &Context<'_>) -> Result<bool, Failure> {
    let wanted = context.task.stage.as_str();
    match STAGES.iter().find(|(stage, _)| *stage == wanted) {
        Some((_, make)) => make(context),
        None => Err(bug(format!("there is no stage `{wanted}`"))),
    }
}

/// Key of what computes with tensors, in a node's execution.
pub const BACKEND: &str = "backend";
/// The stages that compute with tensors.
pub const WITH_TENSORS: [&str; 8] = [
    train::STAGE,
    select::STAGE,
    eval::STAGE,
    skips::STAGE,
    losses::STAGE,
    progress::STAGE,
    importance::STAGE,
    masks::STAGE,
];

/// Key of the devices that a training divides its batches among, in a node's execution.
pub const DEVICES: &str = "devices";

/// What a task computes with, once this machine has it.
fn backend(context: &Context<'_>) -> Result<Backend, Failure> {
    let backend = match context.task.execution.get(BACKEND).and_then(|name| name.as_str()) {
        None => Backend::Flex,
        Some(name) => name.parse().map_err(input)?,
    };
    backend.check(devices(&context.task.execution)).map_err(machine)?;
    Ok(backend)
}

/// How many devices a task uses.
pub fn devices(execution: &Map<String, Value>) -> usize {
    let devices = execution.get(DEVICES).and_then(Value::as_u64).unwrap_or(1);
    usize::try_from(devices).unwrap_or(usize::MAX).max(1)
}

fn recipe<T: DeserializeOwned>(context: &Context<'_>) -> Result<T, Failure> {
    serde_json::from_value(context.task.recipe.clone())
        .map_err(|error| bug(format!("the recipe of {} is not valid: {error}", context.task.name)))
}

/// A failure of the user's input: it fails again until the input is mended.
fn input(error: impl Display) -> Failure {
    Failure::new(FailureKind::Input, error.to_string())
}

/// A failure of the machine: no space, no memory, no permission.
fn machine(error: impl Display) -> Failure {
    Failure::new(FailureKind::Machine, error.to_string())
}

fn bug(error: impl Display) -> Failure {
    Failure::new(FailureKind::Bug, error.to_string())
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let bytes = serde_json::to_vec_pretty(value).map_err(bug)?;
    write_atomic(path, &bytes)
        .map_err(|error| machine(format!("cannot write `{}`: {error}", path.display())))
}

/// Reads a JSON file of the store.
///
/// # Errors
/// When it is missing or not what was written.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let bytes = fs::read(path)
        .map_err(|error| machine(format!("cannot read `{}`: {error}", path.display())))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| machine(format!("`{}` is damaged: {error}", path.display())))
}
