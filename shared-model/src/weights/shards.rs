//! The index of a checkpoint of several files (`model.safetensors.index.json`).

use crate::foreign::json_text;
use crate::{Error, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most files of one checkpoint.
const MAX_SHARDS: usize = 10_000;

/// An index: the file of each tensor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

impl ShardIndex {
    /// Returns whether a file of this name is an index.
    pub fn is_name(file_name: &str) -> bool {
        file_name.to_ascii_lowercase().ends_with(".index.json")
    }

    /// Parses an index as transformers and open_clip write it.
    ///
    /// # Errors
    /// [`Error::ShardIndex`] when it has another form, is empty, or names a file outside of its folder;
    /// [`Error::ForeignFile`] when it is not JSON.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let json = json_text(json, "the JSON index of sharded weights")?;
        let index: Self = match serde_json::from_str(json) {
            Ok(index) => index,
            Err(error) => return fail(format!("expected {{\"weight_map\": {{tensor: file}}}} ({error})")),
        };
        let files = index.files();
        if files.is_empty() || files.len() > MAX_SHARDS {
            return fail(format!("it names {} files, expected 1 to {MAX_SHARDS}", files.len()));
        }
        if let Some(file) = files.into_iter().find(|file| !is_plain(file)) {
            return fail(format!("`{file}` is not the name of a file beside the index"));
        }
        Ok(index)
    }

    /// Returns the names of the files.
    pub fn files(&self) -> BTreeSet<&str> {
        self.weight_map.values().map(String::as_str).collect()
    }
}

fn is_plain(file: &str) -> bool {
    let is_allowed = |c: char| !c.is_control() && !matches!(c, '/' | '\\' | ':');
    !file.is_empty() && !file.starts_with('.') && file.len() <= 255 && file.chars().all(is_allowed)
}

fn fail<T>(detail: String) -> Result<T> {
    Err(Error::ShardIndex { detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_names_its_files_once() {
        let json = br#"{"metadata": {"total_size": 12}, "weight_map": {"a": "m-1.safetensors",
            "b": "m-2.safetensors", "c": "m-1.safetensors"}}"#;
        let index = ShardIndex::from_json(json).unwrap();
        assert_eq!(index.files().into_iter().collect::<Vec<_>>(), ["m-1.safetensors", "m-2.safetensors"]);
        assert!(ShardIndex::is_name("Model.safetensors.index.JSON") && !ShardIndex::is_name("index.json5"));
    }

    #[test]
    fn files_elsewhere_and_other_json_are_refused() {
        for file in ["../up.bin", "/etc/passwd", "a/b.bin", "", ".hidden", "a\\b", "c:x", "a\u{0}"] {
            let json = serde_json::json!({ "weight_map": { "a": file } }).to_string();
            assert!(matches!(ShardIndex::from_json(json.as_bytes()), Err(Error::ShardIndex { .. })), "{file}");
        }
        for json in [&b"{}"[..], b"{\"weight_map\": {}}", b"{\"weight_map\": [1]}", b"{"] {
            assert!(matches!(ShardIndex::from_json(json), Err(Error::ShardIndex { .. })));
        }
        assert!(matches!(ShardIndex::from_json(b"<html>"), Err(Error::ForeignFile { .. })));
    }
}
