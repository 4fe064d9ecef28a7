//! Layers that scoring leaves out, against the depth that the model came to.

use crate::Variant;
use crate::blame::Blame;
use crate::reporter::Reporter;

/// Reports numbers of layers that the variant does not have.
pub(crate) fn check(variant: &Variant, blame: &Blame<'_>, report: &mut Reporter) {
    let depth = variant.model.depth;
    if let Some(count) = variant.eval.skip_layers.iter().find(|count| **count > depth) {
        let what = format!("{count} layers cannot be left out of {depth}");
        let help = Some(format!("leave out at most {depth}"));
        let paths = ["eval.skip_layers", "model.depth"];
        blame.error(report, &paths, what, "more layers than the model has", help);
    }
}
