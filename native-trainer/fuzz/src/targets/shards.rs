//! The index of weights in several files. Every file that it names must be in its own folder.

use shared_model::weights::{ShardIndex, foreign_text};

/// Reads the input as an index of weights.
pub(super) fn run(json: &[u8]) {
    let _ = foreign_text(json);
    let Ok(index) = ShardIndex::from_json(json) else { return };
    for file in index.files() {
        assert!(!file.is_empty() && !file.contains(['/', '\\']) && file != "..", "{file}");
    }
}
