//! What learned masks came to.

use serde::{Deserialize, Serialize};

/// A share that is further than this from what it was to come to has missed it.
const NEAR: f64 = 0.05;

/// The units of one kind that masks had shut at the end of their learning. As many as wanted are kept in
/// any case; but where masks had not come to that share, the model still had most of what went when it
/// was learned what should go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaskShare {
    /// `layers`, `hidden`, `heads`, `ffn` or `bottleneck`.
    pub units: String,
    /// Expected share of them that is shut, a fraction of 1.
    pub shut: f64,
    /// What it was to come to.
    pub target: f64,
}

impl MaskShare {
    /// Whether the masks did not come to it.
    pub(crate) fn missed(&self) -> bool {
        (self.shut - self.target).abs() > NEAR
    }
}
