//! First weights of a child, cut out of its parent.

use ablate_inherit::{Grouping, Middle, WidthCriterion, select_layers};
use ablate_model::{ModelConfig, Weights};
use ablate_pipeline::{Context, Failure};
use serde::{Deserialize, Serialize};

use super::{bug, compact, input, machine, read_json, recipe, skips, train, write_json};

pub const STAGE: &str = "inherit";
pub const VERSION: u32 = 1;

/// What was taken from where.
const MAP: &str = "inheritance.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    pub child: ModelConfig,
    /// Layers kept at the bottom and at the top.
    pub first: usize,
    pub last: usize,
    /// How the layers between are chosen.
    #[serde(default, skip_serializing_if = "Layers::is_even")]
    pub layers: Layers,
    pub width: WidthCriterion,
    #[serde(default, skip_serializing_if = "is_kept")]
    pub grouping: Grouping,
}

fn is_kept(grouping: &Grouping) -> bool {
    *grouping == Grouping::Kept
}

/// Which layers between the first and the last ones are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layers {
    #[default]
    Even,
    /// By the input `skips`: those without which the parent scores worst.
    Skips,
    /// By the input `skips`: those with the largest Block Influence.
    Influence,
}

impl Layers {
    fn is_even(&self) -> bool {
        *self == Self::Even
    }
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let folder = context.input("parent")?;
    let config: ModelConfig = read_json(&folder.join(train::CONFIG))?;
    let parent = Weights::load(&folder.join(train::WEIGHTS)).map_err(machine)?;
    // Without a map, child and parent share their tokenizer.
    let vocabulary: Vec<u32> = match context.task.inputs.get("vocabulary") {
        Some(folder) => read_json(&folder.join(compact::ID_MAP))?,
        None => {
            let size = u32::try_from(config.shape.vocabulary).map_err(bug)?;
            (0..size).collect()
        }
    };
    let depth = recipe.child.shape.depth;
    let skips = || skips::read(context.input("skips")?);
    let scores = match recipe.layers {
        Layers::Even => Vec::new(),
        Layers::Skips => skips()?.losses(),
        Layers::Influence => skips()?.influence,
    };
    let middle = match recipe.layers {
        Layers::Even => Middle::Even,
        Layers::Skips | Layers::Influence => Middle::Important(&scores),
    };
    let ends = [recipe.first, recipe.last];
    let layers = select_layers(config.shape.depth, depth, ends, middle).map_err(input)?;
    let (weights, map) = ablate_inherit::inherit(
        (&config, &parent),
        &recipe.child,
        &vocabulary,
        &layers,
        recipe.width,
        recipe.grouping,
    )
    .map_err(input)?;
    weights.save(&context.directory.join(train::WEIGHTS)).map_err(machine)?;
    write_json(&context.directory.join(train::CONFIG), &recipe.child)?;
    write_json(&context.directory.join(MAP), &map)?;
    Ok(true)
}
