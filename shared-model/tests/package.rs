//! The crate as others get it: `cargo package` must take every file that is compiled in. `just release-check` also builds
//! and runs its example outside of the workspace.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// Files of the package, by their paths in it.
fn packaged() -> BTreeSet<PathBuf> {
    let mut list = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    list.args(["package", "--list", "--allow-dirty", "--offline", "--quiet"]).current_dir(CRATE);
    let output = list.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect()
}

/// A path without `..`, such as `data/a.gz` for `src/tokenizer/../../data/a.gz`.
fn resolved(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut resolved, part| {
        match part {
            Component::ParentDir => _ = resolved.pop(),
            part => resolved.push(part),
        }
        resolved
    })
}

/// Files that a source includes by `include_bytes!("…")` or `include_str!("…")`, but for those of tests.
fn included(source: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(Path::new(CRATE).join(source)).unwrap();
    let calls = ["include_bytes!(\"", "include_str!(\""].into_iter().flat_map(|call| text.split(call).skip(1));
    let paths = calls.filter_map(|rest| Some(resolved(&source.parent()?.join(rest.split('"').next()?))));
    paths.filter(|path| !path.starts_with("tests")).collect()
}

#[test]
fn every_file_that_is_compiled_in_is_in_the_package() {
    let packaged = packaged();
    let sources = packaged.iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let included: BTreeSet<PathBuf> = sources.flat_map(|source| included(source)).collect();
    assert!(included.contains(Path::new("data/demo/vision.safetensors")), "{included:?}");
    let missing: Vec<_> = included.difference(&packaged).collect();
    assert!(missing.is_empty(), "not in the package: {missing:?}");
}

#[test]
fn the_readme_says_of_every_public_module_whether_it_stays() {
    let read = |file: &str| fs::read_to_string(Path::new(CRATE).join(file)).unwrap();
    let source = read("src/lib.rs");
    let public: BTreeSet<_> =
        source.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let readme = read("README.md");
    let row = readme.lines().find(|line| line.starts_with("| the modules `")).unwrap();
    let named: Vec<_> = row.split('`').skip(1).step_by(2).collect();
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), public);
    assert_eq!(named.len(), public.len(), "a module is named twice: {named:?}");
}

#[test]
fn the_package_has_the_examples_the_photos_and_the_licenses_and_no_tests() {
    let packaged = packaged();
    for name in
        ["examples/classify.rs", "data/samples/sample-2.jpg", "README.md", "LICENSE-MIT", "data/LICENSE-CLIP"]
    {
        assert!(packaged.contains(Path::new(name)), "{name}");
    }
    assert!(!packaged.iter().any(|path| path.starts_with("tests")), "the fixtures have megabytes");
}
