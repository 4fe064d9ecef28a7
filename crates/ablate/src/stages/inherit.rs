//! First weights of a child, cut out of its parent.

use ablate_inherit::{Grouping, Middle, WidthCriterion, select_layers};
use ablate_model::{ModelConfig, Units, Weights};
use ablate_pipeline::{Context, Failure};
use serde::{Deserialize, Serialize};

use super::{
    bug, compact, importance, input, machine, masks, read_json, recipe, skips, train, write_json,
};

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

/// Whether heads that share a key may become more than in the parent.
pub fn grouping(pooled: bool) -> Grouping {
    if pooled { Grouping::Pooled } else { Grouping::Kept }
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
    /// By masks that are learned on them, together with those on channels and heads.
    Learned,
}

impl Layers {
    pub fn is_even(&self) -> bool {
        *self == Self::Even
    }
}

/// A trained model and what of its vocabulary the child knows.
pub struct Parent {
    pub config: ModelConfig,
    pub weights: Weights,
    /// Its id of every id of the child.
    pub vocabulary: Vec<u32>,
}

impl Parent {
    /// From the inputs `parent` and `vocabulary`.
    ///
    /// # Errors
    /// When they are missing or not what was written.
    pub fn load(context: &Context<'_>, child: &ModelConfig) -> Result<Self, Failure> {
        let folder = context.input("parent")?;
        let config: ModelConfig = read_json(&folder.join(train::CONFIG))?;
        let weights = Weights::load(&folder.join(train::WEIGHTS)).map_err(machine)?;
        // Without a map, child and parent share their tokenizer; a parent may have spare rows.
        let vocabulary = match context.task.inputs.get("vocabulary") {
            Some(folder) => read_json(&folder.join(compact::ID_MAP))?,
            None => {
                let size = u32::try_from(child.shape.vocabulary).map_err(bug)?;
                (0..size).collect()
            }
        };
        Ok(Self { config, weights, vocabulary })
    }

    /// The layers that a child keeps, chosen before its channels.
    ///
    /// # Errors
    /// When the child's depth is not possible, or what decides is missing.
    pub fn select(
        &self,
        context: &Context<'_>,
        child: &ModelConfig,
        ends: [usize; 2],
        layers: Layers,
    ) -> Result<Vec<usize>, Failure> {
        let skips = || skips::read(context.input("skips")?);
        let scores = match layers {
            Layers::Even => None,
            Layers::Skips => Some(skips()?.losses()),
            Layers::Influence => Some(skips()?.influence),
            Layers::Learned => return Err(bug("layers are learned together with the width")),
        };
        let middle = scores.as_deref().map_or(Middle::Even, Middle::Important);
        select_layers(self.config.shape.depth, child.shape.depth, ends, middle).map_err(input)
    }
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let parent = Parent::load(context, &recipe.child)?;
    let of = (&parent.config, &parent.weights);
    let cut = |layers: &[usize], scores: Option<&Units>| {
        let how = (recipe.width, scores);
        ablate_inherit::inherit(of, &recipe.child, &parent.vocabulary, layers, how, recipe.grouping)
            .map_err(input)
    };
    let select =
        || parent.select(context, &recipe.child, [recipe.first, recipe.last], recipe.layers);
    let (weights, map) = match recipe.width {
        WidthCriterion::Learned => {
            // The parent is the one that was masked, with masks in its weights.
            let (masks::Summary { masks, .. }, trunk) = masks::read(context.input("parent")?)?;
            let open = |layer: &usize| masks.layers.get(*layer).is_some_and(|mask| *mask > 0.0);
            let layers: Vec<usize> = (0..parent.config.shape.depth).filter(open).collect();
            let (weights, map) = cut(&layers, Some(&masks.of_layers(&layers)))?;
            (weights, map.after(&trunk))
        }
        WidthCriterion::Taylor => {
            let saliency = context.input("importance")?.join(importance::SALIENCY);
            let saliency = Weights::load(&saliency).map_err(machine)?;
            let layers = select()?;
            let scores =
                ablate_inherit::taylor((&parent.config, &saliency), &layers, &parent.vocabulary)
                    .map_err(input)?;
            cut(&layers, Some(&scores))?
        }
        _ => cut(&select()?, None)?,
    };
    weights.save(&context.directory.join(train::WEIGHTS)).map_err(machine)?;
    write_json(&context.directory.join(train::CONFIG), &recipe.child)?;
    write_json(&context.directory.join(MAP), &map)?;
    Ok(true)
}
