//! Checks that a child fits into the parent that it inherits from.

use ablate_suggestion::advice;

use crate::blame::Blame;
use crate::reporter::Reporter;
use crate::{Grouping, Inherit, Init, LayerCriterion, Parent, Variant, WidthCriterion};

/// Reports masks that cannot be learned.
fn masks(child: &Variant, inherit: &Inherit, blame: &Blame<'_>, report: &mut Reporter) {
    let WidthCriterion::Learned(masks) = inherit.width else {
        if inherit.layers == LayerCriterion::Learned {
            let what = "layers are learned together with the width".to_owned();
            let help = Some("write width.learned = {}, or layers = \"even\"".to_owned());
            let paths = ["init.inherit.layers", "init.inherit.width"];
            blame.error(report, &paths, what, "no masks are learned", help);
        }
        return;
    };
    if masks.tokens < child.train.batch_tokens {
        let (tokens, batch) = (masks.tokens, child.train.batch_tokens);
        let what = format!("{tokens} tokens do not fill a batch of {batch}");
        let why = "masks are learned in batches of `train.batch_tokens`";
        let help = Some(format!("learn masks on {batch} tokens or more"));
        let paths = ["init.inherit.width.learned.tokens", "train.batch_tokens"];
        blame.error(report, &paths, what, why, help);
    }
}

/// Reports everything that keeps a variant from inheriting. `names` are all parents, also
/// those that could not be resolved.
pub(crate) fn check(
    child: &Variant,
    parents: &[Parent],
    names: &[&str],
    blame: &Blame<'_>,
    report: &mut Reporter,
) {
    let Init::Inherit(inherit) = &child.init else { return };
    if !names.contains(&inherit.parent.as_str()) {
        let what = format!("there is no parent `{}`", inherit.parent);
        let help = advice(&inherit.parent, "parents", names)
            .or_else(|| Some(format!("add [parents.{}]", inherit.parent)));
        let why = "no [parents] table has this name";
        return blame.error(report, &["init.inherit.parent"], what, why, help);
    }
    let kept = inherit.first.saturating_add(inherit.last);
    if kept > child.model.depth {
        let what = format!(
            "{} first and {} last layers do not fit into a depth of {}",
            inherit.first, inherit.last, child.model.depth,
        );
        let paths = ["init.inherit.first", "init.inherit.last", "init.inherit", "model.depth"];
        let help = format!("keep {} layers at most in all", child.model.depth);
        blame.error(report, &paths, what, "more layers than the child has", Some(help));
    }
    masks(child, inherit, blame, report);
    let Some(parent) = parents.iter().find(|parent| parent.name == inherit.parent) else { return };
    let (small, large) = (&child.model, &parent.variant.model);
    let sizes = [
        ("model.depth", small.depth, large.depth),
        ("model.width", small.width, large.width),
        ("model.heads", small.heads, large.heads),
        ("model.kv_heads", small.kv_heads, large.kv_heads),
        ("model.ffn", small.ffn, large.ffn),
        ("model.pi.shortcut", small.pi.shortcut, large.pi.shortcut),
        ("model.context", small.context, large.context),
        ("tokenizer.vocabulary", child.tokenizer.vocabulary, parent.variant.tokenizer.vocabulary),
    ];
    for (path, small, large) in sizes {
        if small > large {
            let key = path.rsplit('.').next().unwrap_or(path);
            let what =
                format!("{key} {small} is larger than the {large} of parent `{}`", parent.name);
            let help = format!("take at most {large}, or a larger [parents.{}]", parent.name);
            let why = "a child is cut out of its parent";
            blame.error(report, &[path, "init.inherit"], what, why, Some(help));
        }
    }
    let dim = |model: &crate::Model| model.width / model.heads.max(1);
    let group = |model: &crate::Model| model.heads / model.kv_heads.max(1);
    let pooled = group(small) / group(large).max(1);
    let poolable = inherit.grouping == Grouping::Pooled
        && pooled > 0
        && pooled * group(large) == group(small)
        && large.kv_heads.is_multiple_of(pooled);
    let equals = [
        (["model.head_dim", "model.heads", "model.width"], "head_dim", dim(small), dim(large)),
        (
            ["model.kv_heads", "model.heads", "model.width"],
            "query heads per key head",
            group(small),
            if poolable { group(small) } else { group(large) },
        ),
    ];
    for (paths, what, small, large) in equals {
        if small != large {
            let message =
                format!("{what} {small} differs from the {large} of parent `{}`", parent.name);
            let help = Some(format!("give both the same: {large}"));
            blame.error(report, &paths, message, "whole heads are inherited", help);
        }
    }
    let kind = |model: &crate::Model| (model.pi.activations, model.pi.shortcut > 0);
    if kind(small) != kind(large) {
        let words = |(activations, shortcut): (usize, bool)| {
            let plural = if activations == 1 { "" } else { "s" };
            let with = if shortcut { "a" } else { "no" };
            format!("{activations} activation{plural} and {with} bottleneck")
        };
        let message = format!(
            "{} differ from the {} of parent `{}`",
            words(kind(small)),
            words(kind(large)),
            parent.name
        );
        let help = Some("give both the same [model.pi]".to_owned());
        let paths = ["model.pi.activations", "model.pi.shortcut", "model.pi", "model"];
        blame.error(report, &paths, message, "layers of one kind are inherited", help);
    }
}
