//! Environment variables as compose files, batch systems and shells set them.

use crate::dermake;
use crate::sample;
use std::process::Output;

fn classify(variables: &[(&str, &str)]) -> Output {
    let mut command = dermake();
    command.env_remove("DERMAKE_LOG").args(["classify", "--json"]).arg(sample(1));
    command.envs(variables.iter().copied()).output().unwrap()
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What was printed but for the time that it took.
fn answer(output: &Output) -> serde_json::Value {
    let mut answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    answer.as_object_mut().unwrap().remove("millis");
    answer
}

#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let expected = classify(&[]);
    assert!(expected.status.success() && !expected.stderr.is_empty(), "it warns of the demo model");
    let empty = classify(&[("DERMAKE_MODEL", ""), ("DERMAKE_DEVICE", " "), ("DERMAKE_LOG", "")]);
    assert_eq!((log(&empty), answer(&empty)), (log(&expected), answer(&expected)));
}

#[test]
fn a_log_level_that_is_none_is_a_warning_and_silences_nothing() {
    let expected = log(&classify(&[]));
    let bad = log(&classify(&[("DERMAKE_LOG", "verbose")]));
    assert!(bad.contains("DERMAKE_LOG is \"verbose\", expected off, error, warn"), "{bad}");
    assert!(bad.ends_with(&expected), "{bad}");
    assert_eq!(log(&classify(&[("DERMAKE_LOG", "off")])), "");
}

#[test]
fn a_thread_count_of_a_million_is_limited() {
    let output = classify(&[("RAYON_NUM_THREADS", "999999")]);
    assert!(output.status.success(), "{}", log(&output));
    assert!(log(&output).contains("RAYON_NUM_THREADS is 999999, over the limit of"), "{}", log(&output));
}

#[test]
fn the_demo_model_is_found_in_any_case() {
    let expected = classify(&[]);
    let shouted = classify(&[("DERMAKE_MODEL", "DEMO")]);
    assert!(shouted.status.success(), "{}", log(&shouted));
    assert_eq!(answer(&shouted), answer(&expected));
}

#[test]
fn no_cache_counts_more_than_the_variable_of_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    for arguments in [
        &["finetune", "--out", "x", "--data", "gone"][..],
        &["calibrate", "demo", "--data", "gone"],
        &["data", "overlap", "--out", "x.csv", "gone", "gone"],
    ] {
        let mut command = dermake();
        let output =
            command.args(arguments).arg("--no-cache").env("DERMAKE_FEATURES", &cache).current_dir(folder.path());
        let log = log(&output.output().unwrap());
        assert!(log.contains("gone") && !log.contains("cannot be used with"), "{arguments:?}: {log}");
    }
    assert!(!cache.exists());
}
