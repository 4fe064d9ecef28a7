//! The resolved study: what a study file means once every default is filled in, every delta
//! applied and every held dimension solved.
//!
//! Plain data. Paths are joined with the folder of the file that wrote them, sizes are
//! numbers, and each variant is complete by itself.

use ablate_cost::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expectation::Expectation;
use crate::external::{External, Externals};
use crate::naming::slug;
use crate::rounds::Rounds;
use crate::variant::{Corpus, Eval, Init, Model, Tokenizer, Train};

/// A study: a base, the variants that a design makes of it, and what is expected of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Study {
    /// Slug that names the study's reports, e.g. `quickstart`.
    pub name: String,
    /// Human-readable title; the name when the file gives none.
    pub title: String,
    /// Elements of the paper that the study mirrors, e.g. `figure-1`; what there is, this crate does
    /// not know.
    pub mirrors: Vec<String>,
    /// Seeds that every variant is trained with; not empty, no duplicates.
    pub seeds: Vec<u64>,
    /// How the variants were made.
    pub design: Design,
    /// Dotted paths whose value differs among the variants, in the order of first appearance.
    /// Solved values are not factors.
    pub factors: Vec<String>,
    /// What every variant has at each of the factors, in their order.
    pub axes: Vec<Axis>,
    /// The variants, in the order of the design; none where models of others alone are scored.
    pub variants: Vec<Variant>,
    /// Models that are trained for variants to inherit from, by name.
    pub parents: Vec<Parent>,
    /// Models that exist for variants to inherit from, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<GivenParent>,
    /// Models of others that are scored beside the variants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub externals: Option<Externals>,
    /// What the study expects to see.
    pub claims: Vec<Claim>,
    /// What the report shows.
    pub report: Report,
    /// The profile that was applied.
    pub profile: Option<String>,
}

impl Study {
    /// The parent of that name.
    pub fn parent(&self, name: &str) -> Option<&Parent> {
        self.parents.iter().find(|parent| parent.name == name)
    }

    /// The parent of that name that exists as files.
    pub fn given(&self, name: &str) -> Option<&GivenParent> {
        self.given.iter().find(|parent| parent.name == name)
    }

    /// Models of others that are scored beside the variants.
    pub fn external(&self) -> &[External] {
        self.externals.as_ref().map_or(&[], |externals| &externals.models)
    }

    /// What names the study's report, so that those of several profiles lie side by side: the name,
    /// and that of the profile after a hyphen, unless the name ends in it already.
    pub fn report_name(&self) -> String {
        let suffix = self.profile.as_deref().and_then(slug).map(|slug| format!("-{slug}"));
        match suffix {
            Some(suffix) if !self.name.ends_with(&suffix) => format!("{}{suffix}", self.name),
            _ => self.name.clone(),
        }
    }

    /// The variant of that name.
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }
}

/// The values of a factor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// Dotted path, e.g. `train.batch_tokens`.
    pub path: String,
    /// The end of the path that tells it from the other factors, e.g. `batch_tokens`.
    pub name: String,
    /// One for every variant, in their order.
    pub values: Vec<AxisValue>,
}

/// A variant's place on an axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AxisValue {
    /// As written, without quotes; empty where the variant has no such value.
    pub text: String,
    /// The number that it means: `"1M"` is a million.
    pub number: Option<f64>,
}

/// How a study makes its variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// No design: the base alone.
    Single,
    /// Named deltas, each against the base.
    List,
    /// Every combination of the values of several paths.
    Grid,
    /// The k-th values of several paths together.
    Zip,
    /// The base, then each alternative of each path alone.
    OneAtATime,
    /// Named deltas, each on top of the one before.
    Ladder,
    /// Values drawn from ranges.
    Random,
}

/// A model that is trained once, before the variants that inherit from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parent {
    /// Slug.
    pub name: String,
    /// Seed of its training.
    pub seed: u64,
    /// The base with the parent's tables laid over it. Never inherits in turn.
    pub variant: Variant,
}

/// A parent that exists as files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GivenParent {
    /// Slug.
    pub name: String,
    /// Its folder or file.
    pub path: String,
}

/// One complete configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// Slug (`[a-z0-9._-]+`), unique in the study.
    pub name: String,
    /// What people read in tables and figures.
    pub label: String,
    /// What was written differently from the base. A solved value is in `held` instead.
    pub delta: Vec<Change>,
    /// Training and validation text.
    pub corpus: Corpus,
    /// Tokenizer.
    pub tokenizer: Tokenizer,
    /// Sizes and constants of the decoder.
    pub model: Model,
    /// Where the first weights come from.
    pub init: Init,
    /// Optimisation.
    pub train: Train,
    /// Passes over the data.
    pub rounds: Rounds,
    /// Benchmarks.
    pub eval: Eval,
    /// What `[hold]` kept equal, unless the study or the variant holds nothing.
    pub held: Option<Held>,
}

impl Variant {
    /// The sizes that decide this variant's parameter count.
    pub fn shape(&self) -> Shape {
        self.model.shape(self.tokenizer.vocabulary)
    }
}

/// One value that differs from the base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Dotted path, e.g. `train.learning_rate`.
    pub path: String,
    /// TOML text of the base's value or of the default; empty when the base has no such value.
    pub from: String,
    /// TOML text of the variant's value; empty when the variant has no such value.
    pub to: String,
}

/// What `[hold]` kept equal in a variant, and how well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// What is counted.
    pub count: HeldCount,
    /// Parameters aimed at.
    pub target: u64,
    /// Parameters that the variant has.
    pub actual: u64,
    /// The dimension that moves.
    pub solved: Solved,
    /// Its value.
    pub value: usize,
}

impl Held {
    /// Relative deviation from the target: 0.01 is one percent too many.
    pub fn residual(&self) -> f64 {
        self.actual as f64 / self.target as f64 - 1.0
    }
}

/// Which parameters are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HeldCount {
    /// All of them.
    Total,
    /// All but embedding and head.
    NonEmbedding,
}

/// The dimension that is solved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Solved {
    /// `model.depth`.
    Depth,
    /// `model.width`, with the heads and feed-forward channels that follow from it.
    Width,
}

/// Something that a paper states, to be checked against our own rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// Slug, unique in the study.
    pub id: String,
    /// The claim in words.
    pub statement: String,
    /// What is compared, e.g. `average`.
    pub metric: String,
    /// The expectation as written, e.g. `compact > base`.
    pub expect: String,
    /// What `expect` and `within` mean.
    pub expectation: Expectation,
    /// Where the claim is made, e.g. `Table 1`.
    pub source: String,
    /// The paper's rows for the variants of the expectation, in their order; empty when they are
    /// to be found by name or rank.
    pub paper: Vec<String>,
    /// Whether a contradiction fails the run.
    pub require: bool,
}

/// What the report shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Tables by name; `None` is every table that has rows.
    pub tables: Option<Vec<String>>,
    /// Figures by name; `None` is every figure that has data.
    pub figures: Option<Vec<String>>,
    /// The variant that others are compared with; `None` is the first.
    pub baseline: Option<String>,
}
