//! Runs each fuzz target on its seeds, among them what fuzzing once found.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use dermake_fuzz::targets::TARGETS;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn below(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

#[test]
fn every_target_has_seeds_and_every_seed_has_a_target() {
    let folders: BTreeSet<_> = below(&seeds()).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(folders, TARGETS.iter().map(|target| target.name.into()).collect());
    assert!(TARGETS.iter().all(|target| !below(&seeds().join(target.name)).is_empty()));
}

#[test]
fn every_seed_passes_its_check() {
    for target in TARGETS {
        let check = (target.prepare)();
        for path in below(&seeds().join(target.name)) {
            println!("{}", path.display()); // shown where the check panics
            check(&fs::read(path).unwrap());
        }
    }
}
