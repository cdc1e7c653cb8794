//! Label files.

use anyhow::{Context, Result};
use shared_model::labels::LabelSet;
use std::path::Path;

/// Reads a file of class names: a JSON list, or one name a line.
pub fn read(path: &Path) -> Result<LabelSet> {
    let content = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    LabelSet::from_file_content(&content).with_context(|| format!("in {}", path.display()))
}
