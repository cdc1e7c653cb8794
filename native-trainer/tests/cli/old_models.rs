//! Quantized models that earlier versions wrote are read, and give the answers that they gave then.

use super::{dermake, json_lines, sample};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Between processors, logits of about 10 differ by less; a format that is misread, by units.
const TOLERANCE: f64 = 0.05;

#[test]
fn models_of_earlier_versions_give_the_answers_of_then() {
    let versions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let versions = fs::read_dir(versions).unwrap().map(|entry| entry.unwrap().path());
    let mut n_models = 0;
    for version in versions.filter(|path| path.is_dir()) {
        let answers: Value = serde_json::from_slice(&fs::read(version.join("answers.json")).unwrap()).unwrap();
        for (format, answers) in answers.as_object().unwrap() {
            n_models += 1;
            for (labels, logits) in answers.as_object().unwrap() {
                check(&version.join(format), labels, logits);
            }
        }
    }
    assert!(n_models >= 3);
}

fn check(model: &Path, labels: &str, logits: &Value) {
    let mut command = dermake();
    command.args(["classify", "--json", "--top-k", "6", "--labels", labels, "--model"]).arg(model);
    let output = command.arg(sample(2)).output().unwrap();
    assert!(output.status.success(), "{}: {}", model.display(), String::from_utf8_lossy(&output.stderr));
    let answer = json_lines(&output.stdout).remove(0);
    let predictions = answer["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), logits.as_object().unwrap().len());
    for prediction in predictions {
        let (label, found) = (prediction["label"].as_str().unwrap(), prediction["logit"].as_f64().unwrap());
        let expected = logits[label].as_f64().unwrap();
        assert!((found - expected).abs() < TOLERANCE, "{}: {label} is {found}, was {expected}", model.display());
    }
}
