//! The type stubs beside the Rust source. What the functions do is tested in Python: `test_*.py`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

const STUBS: &str = include_str!("../python/dermake/_dermake.pyi");
const SOURCES: [&str; 2] = [include_str!("../src/model.rs"), include_str!("../src/values.rs")];

/// Names between `start` and the first of `ends`, of each line that begins with `start` behind spaces.
fn names<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    let name = |line: &'a str| line.trim_start().strip_prefix(start)?.split(['(', '<']).next();
    text.lines().filter_map(name).collect()
}

/// Functions and methods that Python sees: those in `#[pymethods]`, and those below `#[pyfunction]`.
fn exported() -> BTreeSet<&'static str> {
    let methods = SOURCES[0].split("#[pymethods]\n").nth(1).and_then(|rest| rest.split("\n}\n").next()).unwrap();
    let mut exported = names(methods, "fn ");
    for source in SOURCES {
        for function in source.split("#[pyfunction]\n").skip(1) {
            exported.extend(
                names(function, "pub fn ").first().map(|_| {
                    function.split("pub fn ").nth(1).and_then(|rest| rest.split(['(', '<']).next()).unwrap()
                }),
            );
        }
    }
    exported.remove("__repr__");
    exported.insert("name"); // a field
    exported
}

#[test]
fn every_function_of_the_module_has_a_type_and_no_other_has() {
    let mut stubs = names(STUBS, "def ");
    stubs.retain(|name| !name.starts_with("__"));
    assert_eq!(stubs, exported());
}

#[test]
fn every_argument_of_a_method_is_in_its_type() {
    for signature in SOURCES[0].split("#[pyo3(signature = (").skip(1) {
        let (arguments, rest) = signature.split_once("))]").unwrap();
        let function = rest.split("fn ").nth(1).unwrap().split(['(', '<']).next().unwrap();
        let stub = STUBS.split(&format!("def {function}(")).nth(1).unwrap().split("->").next().unwrap();
        for argument in arguments.split(',').map(|argument| argument.split('=').next().unwrap().trim()) {
            let is_there = argument == "*" || stub.contains(&format!("{argument}:"));
            assert!(is_there, "{argument} of {function}");
        }
    }
}
