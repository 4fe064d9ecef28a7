//! A study, or a variant of one, that is compared with another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ablate_pipeline::NodeId;
use ablate_spec::{Solved, Study, Variant};

use crate::cli::StudyArgs;
use crate::estimate::{Estimates, Timing, VariantEstimate, estimate};
use crate::exit::CommandError;
use crate::graph::{self, SeedNodes, StudyGraph};
use crate::machine::Machine;
use crate::root::Root;
use crate::study;

/// A study that is read, built and priced.
pub struct Side {
    pub file: PathBuf,
    pub study: Study,
    /// The variant that is asked for, by its place; none where the whole study is.
    pub variant: Option<usize>,
    built: StudyGraph,
    estimates: Estimates,
}

/// The file and the variant that an argument names. A file whose name has a colon is a file.
pub fn parse(text: &str) -> (PathBuf, Option<&str>) {
    match text.rsplit_once(':') {
        Some((file, variant)) if !Path::new(text).exists() => (file.into(), Some(variant)),
        _ => (text.into(), None),
    }
}

impl Side {
    pub fn open(
        root: &Root,
        (file, variant): (PathBuf, Option<&str>),
        profile: Option<&String>,
    ) -> Result<Self, CommandError> {
        let args = StudyArgs { study: file.clone(), profile: profile.cloned(), set: Vec::new() };
        let study = study::load(&args)?.study;
        let (stand_in, _) = graph::stand_in(&study, &root.benchmarks());
        let mut built = graph::build(&stand_in, &root.benchmarks())?;
        let estimates = estimate(&mut built, &stand_in, root, &Machine::current(), Timing::Cached);
        let variant = variant.map(|wanted| study::find_variant(&study, wanted)).transpose()?;
        Ok(Self { file, study, variant, built, estimates })
    }

    pub fn variant(&self, place: usize) -> &Variant {
        &self.study.variants[place]
    }

    pub fn estimate(&self, place: usize) -> &VariantEstimate {
        &self.estimates.variants[place]
    }

    /// Keys of all stages that a variant needs, by stage.
    pub fn stages(&self, place: usize) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let ends = self.built.variants[place].seeds.iter().flat_map(SeedNodes::ends);
        let mut open: Vec<NodeId> = ends.collect();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                let node = self.built.graph.node(id);
                found.entry(node.stage).or_default().insert(node.key().to_string());
                open.extend(node.inputs.values().copied());
            }
        }
        found
    }
}

/// Path of the dimension that was solved for a variant, if one was.
pub fn solved(variant: &Variant) -> Option<&'static str> {
    Some(match variant.held.as_ref()?.solved {
        Solved::Depth => "model.depth",
        Solved::Width => "model.width",
    })
}
