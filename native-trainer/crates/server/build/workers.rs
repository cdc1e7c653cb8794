//! The builds of the worker's program that a page has, by the names that `web/finish.sh` gives them.

use std::path::{Path, PathBuf};

/// Returns what to say of a page with a single build, as the first `just demo` makes it.
pub fn warning(files: &[PathBuf]) -> Option<&'static str> {
    (files.iter().filter(|path| is_worker(path)).count() == 1).then_some(
        "the page in web/dist, which the program carries, has only one build of its worker and computes on one core; \
         `./justw build` makes all builds",
    )
}

fn is_worker(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("worker-") && name.ends_with("_bg.wasm")
}
