//! All of `dermake eval` on the demo model and a drawn set that it has not seen; the figures are pinned in
//! `snapshots/eval_synth.json`. Where they should change, delete that file: the test writes what it finds and fails.

use crate::dermake;
use dermake_evaluation::results::Results;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A picture or two of a hundred and forty may fall on the other side where another machine rounds otherwise.
const TOLERANCE: f64 = 0.015;
const MEAN_RANK_TOLERANCE: f64 = 0.15;

#[test]
fn the_demo_model_has_its_figures_on_a_set_it_has_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut synth = dermake();
    synth
        .args(["synth", "--images", "1000", "--seed", "5", "--image-size", "112", "--out"])
        .arg(path("data/synth"));
    synth.assert().success();
    let mut eval = dermake();
    eval.args(["eval", "--data"])
        .arg(path("data"))
        .arg("--out")
        .arg(path("report"))
        .arg("--cache")
        .arg(path("cache"));
    let output = eval.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let results: Results = serde_json::from_slice(&fs::read(path("report/results.json")).unwrap()).unwrap();
    let figures: BTreeMap<String, Option<f64>> = results
        .benchmarks
        .iter()
        .flat_map(|result| {
            result.metrics.iter().map(|metric| (format!("{}.{}", result.key, metric.key), metric.value))
        })
        .collect();
    assert_snapshot(&figures);
    assert!(results.skipped.iter().any(|skipped| skipped.key == "pad" && !skipped.how.is_empty()));
    let groups = &results.benchmarks[0].breakdowns;
    assert_eq!(groups.iter().map(|group| group.column.as_str()).collect::<Vec<_>>(), ["fitzpatrick", "sex", "age"]);
    assert!(groups[0].groups.len() == 6 && groups[0].gap.is_some());

    // What is printed ends with the table; the page needs nothing but itself.
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.trim_end().lines().next_back().unwrap().contains("of the training images"), "{table}");
    let written = fs::read_to_string(path("report/results.md")).unwrap();
    assert!(written.contains("top-1 accuracy") && written.contains("PAD/MAKE_PAD.csv"), "{written}");
    let page = fs::read_to_string(path("report/report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("data:image/jpeg;base64,"));
    assert!(!page.contains("src=\"http") && !page.contains("<script src") && !page.contains("@import"));
}

fn assert_snapshot(figures: &BTreeMap<String, Option<f64>>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/snapshots/eval_synth.json");
    let Ok(json) = fs::read(&path) else {
        fs::write(&path, serde_json::to_string_pretty(figures).unwrap() + "\n").unwrap();
        panic!("there was no snapshot; look at the one that was written: {}", path.display());
    };
    let expected: BTreeMap<String, Option<f64>> = serde_json::from_slice(&json).unwrap();
    assert_eq!(figures.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (key, expected) in &expected {
        let tolerance = match key {
            key if key.contains("mean_rank") => MEAN_RANK_TOLERANCE,
            // Whole numbers: a rank or a concept may stand at the edge.
            key if key.contains("median_rank") || key.ends_with("n_passed") => 1.0,
            _ => TOLERANCE,
        };
        match (figures[key], expected) {
            (Some(ours), Some(expected)) => {
                assert!((ours - expected).abs() <= tolerance, "{key}: {ours}, {expected}")
            }
            (ours, expected) => assert_eq!(ours, *expected, "{key}"),
        }
    }
}
