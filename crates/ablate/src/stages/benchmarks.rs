//! Benchmark items of a study: the storyworld's own, imported ones, and the user's files.

use std::fs;
use std::io::Write;

use ablate_benchmark::{Ask, Library};
use ablate_pipeline::{Context, Failure, Node};
use ablate_storyworld::{Item, World};
use serde::{Deserialize, Serialize};

use super::eval::Scoring;
use super::{bug, input, machine, outside, recipe};

pub const STAGE: &str = "benchmarks";
pub const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// Seed of the storyworld whose benchmarks are drawn, if any are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<u64>,
    /// Names of the storyworld's benchmarks.
    pub names: Vec<String>,
    /// Items per benchmark.
    pub items: usize,
    /// Content of the user's files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Imported benchmarks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imported: Vec<Imported>,
}

/// An imported benchmark, by its content.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Imported {
    pub name: String,
    /// The blake3 of the records.
    pub records: String,
    /// The blake3 of the definition that asks them.
    pub definition: String,
    /// The prompts are written for one scoring.
    pub scoring: Scoring,
    /// How many are asked.
    pub items: usize,
}

/// Key of the folders of definitions and imports in a node's execution.
pub const LIBRARY: &str = "library";

/// How a study asks an imported benchmark.
pub fn ask(scoring: Scoring, items: usize) -> Ask {
    Ask { scoring: Some(scoring.into()), shots: None, limit: Some(items) }
}

/// Key of the list of the user's files in a node's execution.
pub const PATHS: &str = "paths";

/// Draws the storyworld's items, so that what cannot be drawn is known before anything is made.
///
/// # Errors
/// A benchmark without a balanced set of so few items.
pub fn check(node: &Node) -> Result<(), Failure> {
    let recipe: Recipe = serde_json::from_value(node.recipe.clone()).map_err(bug)?;
    draw(&recipe).map(|_| ())
}

/// Items of every benchmark of the storyworld.
fn draw(recipe: &Recipe) -> Result<Vec<(&str, Vec<Item>)>, Failure> {
    let Some(seed) = recipe.world else { return Ok(Vec::new()) };
    let world = World::new(seed);
    let of = |name: &String| {
        let items = world.benchmark(name, recipe.items).unwrap_or_default();
        if items.is_empty() {
            return Err(input(format!(
                "`eval.items` is {}, too few for a balanced set of `{name}`; ask for at least 60",
                recipe.items
            )));
        }
        Ok(items)
    };
    recipe.names.iter().map(|name| Ok((name.as_str(), of(name)?))).collect()
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    for (name, items) in draw(&recipe)? {
        let path = context.directory.join(format!("{name}.jsonl"));
        let mut out = Vec::new();
        for item in items {
            serde_json::to_writer(&mut out, &item).map_err(bug)?;
            out.push(b'\n');
        }
        fs::write(path, out).map_err(machine)?;
    }
    for imported in &recipe.imported {
        let folders = context.task.execution.get(LIBRARY).cloned().unwrap_or_default();
        let [definitions, folder]: [String; 2] = serde_json::from_value(folders).map_err(bug)?;
        let library = Library::new(definitions, folder);
        let found = library.open(&imported.name).map_err(input)?;
        let same = found.about.records == imported.records
            && found.definition.digest == imported.definition;
        if !same {
            return Err(input(format!(
                "`{}` was imported anew, or is asked in another way, since the run began; run it \
                 again",
                imported.name
            )));
        }
        let questions = found.ask(&ask(imported.scoring, recipe.items)).map_err(input)?;
        let mut out = Vec::new();
        for question in questions {
            serde_json::to_writer(&mut out, &question.item).map_err(bug)?;
            out.push(b'\n');
        }
        let path = context.directory.join(format!("imported-{}.jsonl", imported.name));
        fs::write(path, out).map_err(machine)?;
    }
    let paths: Vec<String> = match context.task.execution.get(PATHS) {
        Some(paths) => serde_json::from_value(paths.clone()).map_err(bug)?,
        None => Vec::new(),
    };
    for (position, path) in paths.iter().enumerate() {
        let bytes =
            fs::read(path).map_err(|error| input(format!("cannot read `{path}`: {error}")))?;
        let copy = context.directory.join(format!("user-{position}.jsonl"));
        fs::File::create(&copy).and_then(|mut file| file.write_all(&bytes)).map_err(machine)?;
        // Checked now, line by line, rather than after an hour of training.
        ablate_eval::read_items(&copy)
            .map_err(|error| input(error.to_string().replace(&copy.display().to_string(), path)))?;
    }
    outside::unchanged(paths.iter().zip(&recipe.files))?;
    Ok(true)
}
