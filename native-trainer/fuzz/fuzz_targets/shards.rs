//! The index of weights in several files. Every file that it names must be in its own folder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_model::weights::{ShardIndex, foreign_text};

fuzz_target!(|json: &[u8]| {
    let _ = foreign_text(json);
    let Ok(index) = ShardIndex::from_json(json) else { return };
    for file in index.files() {
        assert!(!file.is_empty() && !file.contains(['/', '\\']) && file != "..", "{file}");
    }
});
