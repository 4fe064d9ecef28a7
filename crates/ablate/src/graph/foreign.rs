//! Parents that exist as files.

use std::path::Path;

use ablate_inherit::check_sizes;
use ablate_pipeline::Graph;
use ablate_spec as spec;

use super::build::{add, given};
use super::inputs::{TokenizerFiles, absolute};
use super::{GivenNodes, variants};
use crate::exit::CommandError;
use crate::foreign as files;
use crate::stages::{foreign, inherit};

/// The nodes of a parent: its weights, by the content of its files, and its tokenizer.
///
/// # Errors
/// Files that are missing, or no model.
pub fn nodes(
    graph: &mut Graph,
    tokenizers: &mut TokenizerFiles,
    parent: &spec::GivenParent,
) -> Result<GivenNodes, CommandError> {
    model(graph, tokenizers, &parent.name, (&parent.path, None))
}

/// The nodes of any model that exists, with the tokenizer that is named or else its own.
///
/// # Errors
/// As [`nodes`].
pub fn model(
    graph: &mut Graph,
    tokenizers: &mut TokenizerFiles,
    name: &str,
    (place, pieces): (&str, Option<&str>),
) -> Result<GivenNodes, CommandError> {
    let path = Path::new(place);
    let model = files::look(path)?;
    let pieces = match pieces {
        Some(pieces) => pieces.to_owned(),
        None => files::tokenizer_of(path, &model)?.to_string_lossy().into_owned(),
    };
    let found = tokenizers.open(&pieces)?;
    files::check_vocabulary(pieces.as_ref(), found.vocabulary, model.shape.vocabulary)?;
    let tokenizer = given(graph, &pieces, found)?;
    let recipe = foreign::Recipe { content: files::content(path)?, model: model.clone() };
    let inputs = [("tokenizer", tokenizer)];
    let weights = add(graph, foreign::STAGE, foreign::VERSION, name, &recipe, inputs)?;
    let path = absolute(&[place.to_owned()])?.remove(0);
    graph.node_mut(weights).execution.insert(foreign::PATH.to_owned(), path.into());
    Ok(GivenNodes { model, weights, tokenizer, pieces })
}

/// Checks what a trained parent's child is checked for when the study is read.
///
/// # Errors
/// A child that does not fit, or a choice that needs a parent that was trained here.
pub fn check_child(
    variant: &spec::Variant,
    parent: &GivenNodes,
    init: &spec::Inherit,
) -> Result<(), CommandError> {
    let (name, of) = (&variant.name, &init.parent);
    let child = variants::model(variant);
    let grouping = match init.grouping {
        spec::Grouping::Kept => inherit::grouping(false),
        spec::Grouping::Pooled => inherit::grouping(true),
    };
    let wrong = |reason: String| {
        Err(CommandError::usage(format!("variant `{name}` cannot inherit from `{of}`: {reason}")))
    };
    if let Err(error) = check_sizes(&parent.model.shape, &child.shape, grouping) {
        return wrong(error.to_string());
    }
    if child.context > parent.model.context {
        let (own, most) = (child.context, parent.model.context);
        return wrong(format!(
            "its context is {own}, but the parent's {most}; take at most {most}"
        ));
    }
    if !parent.model.rope_scaling.is_none() {
        return wrong(
            "its rotary angles are stretched (`rope_scaling`), which a child's are not".into(),
        );
    }
    if child.rope_theta != parent.model.rope_theta {
        let (own, theirs) = (child.rope_theta, parent.model.rope_theta);
        return wrong(format!(
            "its rotary angles have the base {own}, but the parent's {theirs}; set \
             `model.rope_theta = {theirs:?}`"
        ));
    }
    if child.norm_eps != parent.model.norm_eps {
        let (own, theirs) = (child.norm_eps, parent.model.norm_eps);
        return wrong(format!(
            "its norms add {own:e}, but the parent's {theirs:e}; set `model.norm_eps = {theirs:e}`"
        ));
    }
    Ok(())
}
