//! The whole study file as it is written: the base, and what is made of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::external::ExternalTable;
use crate::size::{Count, Share};
use crate::tables::{
    CorpusTable, EvalTable, InitTable, ModelTable, RoundsTable, TokenizerTable, TrainTable,
};
use crate::{HeldCount, Solved};

/// A study: a base configuration, the variants made of it, and what is expected of them.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Study file of ablate")]
pub(crate) struct StudyFile {
    /// A study file that this one is laid over, relative to this file's folder.
    pub(crate) extends: Option<String>,
    /// Name, title and seeds.
    pub(crate) study: Option<StudyTable>,
    /// Training and validation text.
    pub(crate) corpus: Option<CorpusTable>,
    /// The tokenizer.
    pub(crate) tokenizer: Option<TokenizerTable>,
    /// Sizes and constants of the decoder.
    pub(crate) model: Option<ModelTable>,
    /// Where the first weights come from.
    pub(crate) init: Option<InitTable>,
    /// Optimisation.
    pub(crate) train: Option<TrainTable>,
    /// Passes over the training data.
    pub(crate) rounds: Option<RoundsTable>,
    /// Benchmarks.
    pub(crate) eval: Option<EvalTable>,
    /// What stays equal while something else varies.
    pub(crate) hold: Option<HoldTable>,
    /// Models to inherit from, by name.
    pub(crate) parents: Option<BTreeMap<String, ParentTable>>,
    /// Models of others that are scored beside the variants.
    pub(crate) external: Option<Vec<ExternalTable>>,
    /// How variants are made of the base; without it, the base is the only variant.
    pub(crate) design: Option<DesignTable>,
    /// What is expected of the results.
    pub(crate) claim: Option<Vec<ClaimTable>>,
    /// What the report shows.
    pub(crate) report: Option<ReportTable>,
    /// Tables that `--profile NAME` lays over the rest, by name.
    pub(crate) profile: Option<BTreeMap<String, ProfileTable>>,
}

/// Name, title and seeds.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StudyTable {
    /// Slug that names the reports; the file's name without its extension when not written.
    pub(crate) name: Option<String>,
    /// Title of the report; the name when not written.
    pub(crate) title: Option<String>,
    /// Elements of the paper that the study mirrors: one such as "figure-1", or an array of them.
    pub(crate) mirrors: Option<Mirrors>,
    /// Seeds that every variant is trained with.
    #[schemars(length(min = 1))]
    pub(crate) seeds: Vec<u64>,
}

impl Default for StudyTable {
    fn default() -> Self {
        Self { name: None, title: None, mirrors: None, seeds: vec![1] }
    }
}

/// One element of the paper, or several.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Mirrors {
    One(String),
    Several(Vec<String>),
}

impl From<Mirrors> for Vec<String> {
    fn from(mirrors: Mirrors) -> Self {
        match mirrors {
            Mirrors::One(element) => vec![element],
            Mirrors::Several(elements) => elements,
        }
    }
}

impl JsonSchema for Mirrors {
    fn schema_name() -> Cow<'static, str> {
        "Mirrors".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
    }
}

/// A part of the base, laid over it.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetTable {
    /// Training and validation text.
    pub(crate) corpus: Option<CorpusTable>,
    /// The tokenizer.
    pub(crate) tokenizer: Option<TokenizerTable>,
    /// Sizes and constants of the decoder.
    pub(crate) model: Option<ModelTable>,
    /// Where the first weights come from.
    pub(crate) init: Option<InitTable>,
    /// Optimisation.
    pub(crate) train: Option<TrainTable>,
    /// Passes over the training data.
    pub(crate) rounds: Option<RoundsTable>,
    /// Benchmarks.
    pub(crate) eval: Option<EvalTable>,
}

/// A model that is trained before the variants that inherit from it: the base, with these
/// tables laid over it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParentTable {
    /// A model that exists, instead of one that is trained: a folder of Hugging Face, a GGUF file or a
    /// .bin of llama2.c. The only key then.
    pub(crate) path: Option<String>,
    /// Seed of its training; the study's first seed when not written.
    pub(crate) seed: Option<u64>,
    /// The tokenizer.
    pub(crate) tokenizer: Option<TokenizerTable>,
    /// Sizes and constants of the decoder.
    pub(crate) model: Option<ModelTable>,
    /// Where the first weights come from; never a parent.
    pub(crate) init: Option<InitTable>,
    /// Optimisation.
    pub(crate) train: Option<TrainTable>,
    /// Passes over the training data.
    pub(crate) rounds: Option<RoundsTable>,
}

/// What stays equal while something else varies.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HoldTable {
    /// Which parameters are counted; required.
    pub(crate) params: Option<HeldCount>,
    /// The dimension that moves to make up for the variation.
    pub(crate) solve: Solved,
    /// Largest deviation from the target that is accepted, as a share of it.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) tolerance: Share,
    /// The dimension moves in multiples of this.
    #[schemars(range(min = 1, max = 1048576))]
    pub(crate) step: u64,
    /// Parameters aimed at; the base's own number when not written.
    #[schemars(range(min = 1))]
    pub(crate) target: Option<Count>,
}

impl Default for HoldTable {
    fn default() -> Self {
        Self { params: None, solve: Solved::Depth, tolerance: Share(0.03), step: 1, target: None }
    }
}

/// How variants are made of the base.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DesignTable {
    /// Named deltas, each against the base.
    List(Vec<StepTable>),
    /// Every combination of the values of several dotted paths, the first path slowest.
    Grid(Axes),
    /// The k-th values of several dotted paths together.
    Zip(Axes),
    /// The base first, then each value of each dotted path alone.
    OneAtATime(Axes),
    /// Named deltas, each on top of the one before.
    Ladder(Vec<StepTable>),
    /// Values of several dotted paths drawn from ranges.
    Random(RandomDesignTable),
}

/// Values drawn at random.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RandomDesignTable {
    /// Variants; required.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) count: Option<u64>,
    /// Seed of the draws.
    pub(crate) seed: u64,
    /// Quoted dotted paths into the base, each with [low, high] or [low, high, step]; required.
    pub(crate) ranges: Option<Axes>,
}

impl Default for RandomDesignTable {
    fn default() -> Self {
        Self { count: None, seed: 1, ranges: None }
    }
}

/// Quoted dotted paths into the base, each with its values.
type Axes = BTreeMap<String, Vec<serde_json::Value>>;

/// A named delta.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepTable {
    /// Slug, unique in the study.
    pub(crate) name: String,
    /// What people read in tables and figures; the name when not written.
    pub(crate) label: Option<String>,
    /// What differs; nothing when not written.
    pub(crate) set: Option<SetTable>,
    /// The dimension that moves, instead of `hold.solve`.
    pub(crate) solve: Option<Solved>,
    /// `false` takes this variant out of `[hold]`.
    pub(crate) hold: Option<bool>,
}

/// Something that is expected of the results.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimTable {
    /// Slug, unique in the study.
    pub(crate) id: String,
    /// The claim in words; the expectation when not written.
    pub(crate) statement: Option<String>,
    /// What is compared, e.g. "average".
    #[schemars(length(min = 1))]
    pub(crate) metric: String,
    /// Names of variants joined by `>`, by `<` or by `=`, or `rises with`, `falls with` or
    /// `unrelated to` a size.
    pub(crate) expect: String,
    /// Largest difference, or rank correlation, that counts as none.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) within: Option<f64>,
    /// Where the claim is made, e.g. "Table 1".
    pub(crate) source: Option<String>,
    /// Rows of the paper for the variants of `expect`, in its order.
    pub(crate) paper: Option<Vec<String>>,
    /// Whether a contradiction fails the run.
    #[serde(default)]
    pub(crate) require: bool,
}

/// What the report shows.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReportTable {
    /// Tables by name; every one that has rows when not written.
    pub(crate) tables: Option<Vec<String>>,
    /// Figures by name; every one that has data when not written.
    pub(crate) figures: Option<Vec<String>>,
    /// The variant that others are compared with; the first when not written.
    pub(crate) baseline: Option<String>,
}

/// Tables that a profile lays over the rest.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileTable {
    /// Name, title and seeds.
    pub(crate) study: Option<StudyTable>,
    /// Training and validation text.
    pub(crate) corpus: Option<CorpusTable>,
    /// The tokenizer.
    pub(crate) tokenizer: Option<TokenizerTable>,
    /// Sizes and constants of the decoder.
    pub(crate) model: Option<ModelTable>,
    /// Where the first weights come from.
    pub(crate) init: Option<InitTable>,
    /// Optimisation.
    pub(crate) train: Option<TrainTable>,
    /// Passes over the training data.
    pub(crate) rounds: Option<RoundsTable>,
    /// Benchmarks.
    pub(crate) eval: Option<EvalTable>,
    /// What stays equal while something else varies.
    pub(crate) hold: Option<HoldTable>,
    /// Models to inherit from, by name.
    pub(crate) parents: Option<BTreeMap<String, ParentTable>>,
    /// Models of others that are scored beside the variants; replaces the study's.
    pub(crate) external: Option<Vec<ExternalTable>>,
    /// How variants are made of the base.
    pub(crate) design: Option<DesignTable>,
    /// What is expected of the results.
    pub(crate) claim: Option<Vec<ClaimTable>>,
    /// What the report shows.
    pub(crate) report: Option<ReportTable>,
}
