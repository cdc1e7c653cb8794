//! Metrics against scikit-learn and the reference's evaluation functions: `zeroshot/`.

use crate::fixtures;
use candle_core::{DType, Tensor};
use dermake_metrics::{RankedScores, ScoredClasses, mean_rank, median_rank, ranks, recall_at_k};
use serde_json::Value;
use std::collections::HashMap;

fn zeroshot() -> (Value, HashMap<String, Tensor>) {
    (fixtures::json("zeroshot/zeroshot.json"), fixtures::tensors("zeroshot/zeroshot.safetensors"))
}

fn labels(tensor: &Tensor) -> Vec<usize> {
    tensor.to_dtype(DType::U32).unwrap().to_vec1::<u32>().unwrap().into_iter().map(|label| label as usize).collect()
}

fn scores(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// `None` for JSON's null and for "NaN".
fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

fn assert_equal(what: &str, ours: Option<f64>, expected: Option<f64>) {
    match (ours, expected) {
        (Some(ours), Some(expected)) => {
            assert!((ours - expected).abs() < 1e-9, "{what}: {ours}, expected {expected}")
        }
        (ours, expected) => assert_eq!(ours, expected, "{what}"),
    }
}

/// What the reference returns for a name of its metrics, in order; `None` for one that it has no function for.
fn reference_metrics(classes: &ScoredClasses, name: &str, counts: &[u32]) -> Vec<Option<f64>> {
    let of = |metric: &str| match metric {
        "auroc" => classes.macro_auroc(counts),
        "top1" => classes.top1_accuracy(counts),
        "top5" => classes.top_k_accuracy(5, counts),
        _ => classes.weighted_f1(counts),
    };
    let names: &[&str] = match name {
        "f1" => &["auroc", "f1"],
        "acc" => &["top1", "top5"],
        "f1+acc" => &["top1", "f1"],
        "auroc+acc" => &["auroc", "top1"],
        other => panic!("the fixtures have a metric that this test does not know: {other}"),
    };
    names.iter().map(|name| of(name)).collect()
}

#[test]
fn classification_equals_scikit_learn_and_the_reference() {
    let (json, tensors) = zeroshot();
    let cases = json["metrics"].as_object().unwrap();
    assert!(!cases.is_empty());
    for (case, expected) in cases {
        let get = |name: &str| &tensors[&format!("{case}.{name}")];
        let n_classes = get("probs").dim(1).unwrap();
        let labels = labels(get("labels"));
        let probabilities: Vec<f32> = get("probs").flatten_all().unwrap().to_vec1().unwrap();
        let classes = ScoredClasses::new(&probabilities, &labels, n_classes);
        let all = vec![1; labels.len()];

        let full = &expected["full_set"];
        let predictions: Vec<usize> = serde_json::from_value(full["predictions"].clone()).unwrap();
        assert_eq!(classes.predictions(), predictions, "{case}");
        assert_equal(&format!("{case} top1"), classes.top1_accuracy(&all), number(&full["top1"]));
        assert_equal(&format!("{case} weighted_f1"), classes.weighted_f1(&all), number(&full["weighted_f1"]));
        assert_equal(&format!("{case} macro_f1"), classes.macro_f1(&all), number(&full["macro_f1"]));
        for (k, key) in [(3, "top3_all_labels"), (5, "top5_all_labels")] {
            if !full[key].is_null() {
                assert_equal(&format!("{case} {key}"), classes.top_k_accuracy(k, &all), number(&full[key]));
            }
        }
        for (class, expected) in full["per_class_auroc"].as_array().unwrap().iter().enumerate() {
            assert_equal(&format!("{case} AUROC of class {class}"), classes.auroc(class, &all), number(expected));
        }
        let defined: Vec<f64> = (0..n_classes).filter_map(|class| classes.auroc(class, &all)).collect();
        let present = defined.iter().sum::<f64>() / defined.len() as f64;
        assert_equal(
            &format!("{case} AUROC over present"),
            Some(present),
            number(&full["macro_auroc_over_present"]),
        );

        for (name, outcome) in expected["reference_single_batch"].as_object().unwrap() {
            compare(&format!("{case} {name}"), &reference_metrics(&classes, name, &all), outcome);
        }
        let Some(split) = expected["reference_split"].as_object() else { continue };
        let n_scored = split["scored_by_reference"].as_u64().unwrap() as usize;
        let first: Vec<u32> = (0..labels.len()).map(|row| u32::from(row < n_scored)).collect();
        for (name, outcome) in split.iter().filter(|(_, outcome)| outcome.is_object()) {
            compare(&format!("{case} {name}, first batch"), &reference_metrics(&classes, name, &first), outcome);
        }
    }
}

/// Where the reference raised, there is nothing to compare with.
fn compare(what: &str, ours: &[Option<f64>], outcome: &Value) {
    let Some(expected) = outcome["value"].as_array() else { return };
    assert_eq!(ours.len(), expected.len(), "{what}");
    for (ours, expected) in ours.iter().zip(expected) {
        assert_equal(what, *ours, number(expected));
    }
}

#[test]
fn auroc_of_concepts_and_of_tied_scores() {
    let (json, tensors) = zeroshot();
    let auroc = |score: &str, label: &str| {
        let is_positive: Vec<bool> = labels(&tensors[label]).into_iter().map(|label| label == 1).collect();
        RankedScores::new(&scores(&tensors[score]), &is_positive).auroc(&vec![1; is_positive.len()])
    };
    let concepts = json["concept"].as_object().unwrap();
    let cases: Vec<_> = concepts.iter().filter(|(_, case)| case.is_object()).collect();
    assert!(!cases.is_empty());
    for (case, expected) in cases {
        let ours = auroc(&format!("concept.{case}.score"), &format!("concept.{case}.labels"));
        assert_equal(case, ours, number(&expected["auroc"]));
    }
    assert_equal("ties", auroc("auroc_ties.score", "auroc_ties.labels"), number(&json["auroc_ties"]));
    let one_class = RankedScores::new(&[0.1, 0.2], &[true, true]).auroc(&[1, 1]);
    assert_equal("one class", one_class, number(&json["auroc_one_class"]));
}

#[test]
fn retrieval_equals_the_reference() {
    let (json, tensors) = zeroshot();
    let cases = json["retrieval"]["cases"].as_object().unwrap();
    assert!(!cases.is_empty());
    for (case, expected) in cases {
        let get = |name: &str| &tensors[&format!("retrieval.{case}.{name}_features")];
        for (key, queries, candidates) in [("image_to_text", "image", "text"), ("text_to_image", "text", "image")] {
            let similarities = get(queries).matmul(&get(candidates).t().unwrap()).unwrap();
            let n = similarities.dim(0).unwrap();
            let ranks = ranks(&similarities.flatten_all().unwrap().to_vec1::<f32>().unwrap(), n, 0);
            let all = vec![1; n];
            for (name, expected) in expected.as_object().unwrap() {
                let Some(metric) = name.strip_prefix(&format!("{key}_")) else { continue };
                let (ours, tolerance) = match metric {
                    "mean_rank" => (mean_rank(&ranks, &all), 0.01),
                    "median_rank" => (median_rank(&ranks, &all), 0.0),
                    recall => {
                        let k = recall.strip_prefix("R@").unwrap().parse().unwrap();
                        (recall_at_k(&ranks, k, &all), 1e-12)
                    }
                };
                let (ours, expected) = (ours.unwrap(), expected.as_f64().unwrap());
                assert!((ours - expected).abs() <= tolerance, "{case} {name}: {ours}, expected {expected}");
            }
        }
    }
}
