//! Files of models.

use std::path::{Path, PathBuf};

/// Where the models lie.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families")
}
