//! Classifiers, logits, probabilities and concept scores of `zeroshot/`, and the label data of `metadata/`.

use crate::fixtures;
use candle_core::{DType, Tensor};
use shared_model::concepts::{TEMPERATURE, presence_scores};
use shared_model::labels::{ConceptTemplates, ConceptTerms, LabelSet, Templates, concept_terms};
use shared_model::zero_shot::{Classifier, softmax};
use wasm_bindgen_test::wasm_bindgen_test;

fn numbered(n: usize) -> Vec<String> {
    (0..n).map(|index| format!("class {index}")).collect()
}

fn cases(json: &serde_json::Value) -> Vec<String> {
    json.as_object().unwrap().keys().cloned().collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn classifiers_from_raw_embeddings() {
    let tensors = fixtures::tensors("zeroshot/zeroshot.safetensors");
    let json = fixtures::json("zeroshot/zeroshot.json");
    let cases = cases(&json["classifier"]);
    assert!(!cases.is_empty());
    for case in cases {
        let embeddings = &tensors[&format!("classifier.{case}.text_embeddings")];
        let names = numbered(embeddings.dim(0).unwrap());
        let classifier = Classifier::from_embeddings(&names, embeddings).unwrap();
        fixtures::assert_close(&case, classifier.weights(), &tensors[&format!("classifier.{case}.weights")], 1e-5);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn logits_probabilities_and_ranks() {
    let tensors = fixtures::tensors("zeroshot/zeroshot.safetensors");
    let json = fixtures::json("zeroshot/zeroshot.json");
    let cases = cases(&json["metrics"]);
    assert!(!cases.is_empty());
    for case in cases {
        let get = |name: &str| &tensors[&format!("{case}.{name}")];
        let names = numbered(get("classifier").dim(1).unwrap());
        let classifier = Classifier::from_weights(&names, get("classifier").clone()).unwrap();
        let logits = classifier.logits(get("features")).unwrap();
        fixtures::assert_close(&format!("{case} logits"), &logits, get("logits"), 2e-4);

        let rows: Vec<Vec<f32>> = get("logits").to_vec2().unwrap();
        let probabilities: Vec<f32> = rows.iter().flat_map(|row| softmax(row)).collect();
        let probabilities = Tensor::from_vec(probabilities, get("probs").dims(), logits.device()).unwrap();
        fixtures::assert_close(&format!("{case} probs"), &probabilities, get("probs"), 1e-6);

        let predictions = json["metrics"][&case]["full_set"]["predictions"].as_array().unwrap();
        let ranked = classifier.classify(get("features"), names.len()).unwrap();
        for (row, (ranked, expected)) in ranked.iter().zip(predictions).enumerate() {
            let expected = expected.as_u64().unwrap() as usize;
            // Two logits may be one rounding apart; then either may come first.
            let is_near = rows[row][expected] + 1e-4 >= rows[row].iter().copied().fold(f32::MIN, f32::max);
            assert!(ranked[0].label == names[expected] || is_near, "{case} row {row}");
            assert!(ranked.windows(2).all(|pair| pair[0].logit >= pair[1].logit));
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn concept_presence() {
    let tensors = fixtures::tensors("zeroshot/zeroshot.safetensors");
    let json = fixtures::json("zeroshot/zeroshot.json");
    let concept = &json["concept"];
    let temperature = concept["temperature"].as_f64().unwrap();
    assert!((TEMPERATURE - temperature).abs() < 1e-12, "{temperature}");
    let cases: Vec<String> = cases(concept).into_iter().filter(|key| concept[key].is_object()).collect();
    assert!(!cases.is_empty());
    for case in cases {
        let scores = presence_scores(
            &tensors["concept.image_features_norm"],
            &tensors[&format!("concept.{case}.target_embeddings_norm")],
            &tensors["concept.reference_embeddings_norm"],
            TEMPERATURE,
        )
        .unwrap();
        let expected: Vec<f64> =
            tensors[&format!("concept.{case}.score")].to_dtype(DType::F64).unwrap().to_vec1().unwrap();
        assert_eq!(scores.len(), expected.len());
        for (ours, expected) in scores.iter().zip(expected) {
            assert!((ours - expected).abs() < 2e-5, "{case}: {ours} and {expected}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn built_in_labels_and_prompts_are_the_reference_s() {
    let names = |file: &str| -> Vec<String> {
        serde_json::from_value(fixtures::json(&format!("metadata/{file}.json"))).unwrap()
    };
    for (key, file) in [("pad", "pad"), ("f17k", "f17k_113"), ("snu", "snu_134"), ("sd128", "sd_128")] {
        assert_eq!(LabelSet::find(key).unwrap().class_names, names(file), "{key}");
    }
    assert_eq!(Templates::skin().as_slice(), names("templates"));
    let terms: ConceptTerms = serde_json::from_value(fixtures::json("metadata/concept_terms.json")).unwrap();
    assert_eq!(concept_terms(), &terms);
    let templates: ConceptTemplates =
        serde_json::from_value(fixtures::json("metadata/concept_templates.json")).unwrap();
    assert_eq!(ConceptTemplates::skin(), templates);
}
