//! The tables that a run is evaluated on, and which figure is measured on which.

use super::early_stopping::ZERO_SHOT;
use super::recipe::Recipe;
use super::table_hash::{read, table_sha256};
use super::tables::ZeroShotSet;
use anyhow::Result;
use dermake_data::SampleSource;
use dermake_files::hash;
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the table that the validation loss is measured on.
pub const VALIDATION: &str = "validation table";

/// The name of the table of a zero-shot accuracy.
fn zero_shot(name: &str) -> String {
    format!("zero-shot table or class list {name}")
}

/// The name of the table that a figure of an evaluation is measured on.
pub fn table_of(metric: &str) -> String {
    metric.strip_prefix(ZERO_SHOT).map_or_else(|| VALIDATION.into(), zero_shot)
}

/// Hashes of the tables that a run is evaluated on, with the classes of each.
///
/// # Errors
/// When a table cannot be read.
pub fn evaluated_on(
    recipe: &Recipe,
    sets: &[ZeroShotSet],
    data: &Path,
    validation: Option<&SampleSource>,
) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    if let (Some(name), Some(validation)) = (&recipe.data.validation, validation) {
        hashes.insert(VALIDATION.to_string(), table_sha256(&data.join(name), validation.table())?);
    }
    for (set, written) in sets.iter().zip(&recipe.data.zero_shot) {
        let content = [serde_json::to_vec(&set.class_names)?, read(&data.join(&written.table))?].concat();
        hashes.insert(zero_shot(&set.name), hash::sha256(content));
    }
    Ok(hashes)
}
