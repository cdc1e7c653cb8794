//! The saved result and the shared text.

use super::*;
use crate::language::Catalog;
use crate::report::{Report, ReportContext};
use crate::sentences::{printed_rows, shared_text};

fn context() -> ReportContext {
    ReportContext {
        answered_at: "2026-11-27T23:59:58.123Z".into(),
        page_build: "0123456789abcdef".into(),
        server: None,
    }
}

#[test]
fn a_result_has_the_photo_the_crop_the_answers_and_the_model() {
    let mut state = answered();
    state.apply(Event::PhotoHashed(1, "ab".repeat(32)));
    let report = Report::of(&state, context()).unwrap();
    assert_eq!(report.file_name(), "dermake-2026-11-27T23-59-58.json");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["answers"][0], serde_json::json!({"label": "a", "probability": 0.75}));
    assert_eq!(json["photo"]["sha256"], "ab".repeat(32));
    assert_eq!((&json["photo"]["crop"], &json["model"]["name"]), (&serde_json::Value::Null, &"m".into()));
    assert!(json["disclaimer"].as_str().unwrap().contains("not a medical device"));

    let crop = Crop::first(SIZE);
    state.apply(Event::CropChanged(Some(crop)));
    assert_eq!(Report::of(&state, context()).unwrap().photo.crop, None, "the answer is of the whole photo");
    state.apply(Event::CropSettled);
    assert_eq!(Report::of(&state, context()), None, "there is no answer yet");
    state.worker_replies(predictions());
    let report = Report::of(&state, context()).unwrap();
    assert_eq!(report.photo.crop, Some(crop));
    let rows = printed_rows(&Catalog::english(), &report);
    assert!(
        rows.iter().any(|(name, value)| name == "Seen by the model" && value.contains("180 × 180")),
        "{rows:?}"
    );
}

#[test]
fn a_shared_text_has_the_first_answers_and_the_disclaimer() {
    let mut state = answered();
    let many = (0..9).map(|n| Prediction { label: format!("label {n}"), probability: 0.1, logit: 1.0 }).collect();
    let computed = Computed { by: Engine::Wasm, note: None };
    let answer =
        Answer { predictions: many, certainty: None, millis: 1.0, finished_at: 0.0, computed, concepts: None };
    state.answer = Some(answer.clone());
    let share = |state: &AppState| {
        let report = Report::of(state, context()).unwrap();
        shared_text(&Catalog::english(), &report)
    };
    let text = share(&state);
    assert!(text.contains("label 4: 10.0 %\n… and 4 more labels") && !text.contains("label 5"), "{text}");
    assert!(text.contains("not a medical device"));
    assert!(text.contains("is not calibrated for these labels"), "{text}");

    state.answer = Some(Answer { certainty: Some(NONE_OF_THESE), ..answer });
    let report = Report::of(&state, context()).unwrap();
    assert!(share(&state).contains("None of these: no label of the list fits"), "{}", share(&state));
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["certainty"], serde_json::to_value(NONE_OF_THESE).unwrap());
}

#[test]
fn the_hash_of_another_photo_is_ignored() {
    let mut state = answered();
    state.apply(Event::PhotoHashed(7, "00".repeat(32)));
    assert_eq!(Report::of(&state, context()).unwrap().photo.sha256, None);
}
