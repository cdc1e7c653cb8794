//! The demo model and the sample photos, as files.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the demo model.
pub fn demo_model() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared-model/data/demo"))
}

/// A copy of it, under another name.
pub fn copy_demo_model(folder: &Path, name: &str) {
    fs::create_dir_all(folder).unwrap();
    for file in fs::read_dir(demo_model()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["name"] = name.into();
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
}

/// A sample photo.
pub fn photo(index: usize) -> Vec<u8> {
    let file = format!("../../../shared-model/data/samples/sample-{}.jpg", index % 3 + 1);
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}
