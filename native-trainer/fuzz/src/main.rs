//! Runs the target that the variable `DERMAKE_FUZZ` names: libFuzzer, whose `main` this program has, calls it for each
//! input. One program for all targets, because linking is what takes long.
#![no_main]

use dermake_fuzz::targets::{Check, TARGETS};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static CHECK: LazyLock<Check> = LazyLock::new(|| {
    let name = std::env::var("DERMAKE_FUZZ").unwrap_or_default();
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("error: the variable DERMAKE_FUZZ is {name:?}, expected one of {}", names.join(", "));
        std::process::exit(2);
    };
    (target.prepare)()
});

// Prepared before the first input, whose time is measured.
fuzz_target!(init: { LazyLock::force(&CHECK); }, |input: &[u8]| CHECK(input));
