//! Where the fixture files are.

use std::path::{Path, PathBuf};

/// Returns the folder that `DERMAKE_FIXTURES` names, by default this repository's.
pub fn fixture_folder() -> PathBuf {
    let own_folder = || {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let mut folders = above.map(|folder| folder.join("shared-model/tests/fixtures"));
        folders.find(|folder| folder.is_dir()).expect("the repository has fixtures")
    };
    std::env::var_os("DERMAKE_FIXTURES").map_or_else(own_folder, PathBuf::from)
}
