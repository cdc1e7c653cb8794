//! What the models answer over a socket.

use super::demo::{copy_demo_model, demo_model, photo};
use super::running::{Reply, Running};
use base64::Engine;
use dermake_models::scale::Scale;
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::{ConceptTemplates, LabelSet, Templates};
use shared_model::preprocess::Reading;

/// Between an answer from a batch, or over a socket, and the model by itself.
const TOLERANCE: f64 = 1e-5;

fn assert_near(found: &[(String, f64)], expected: &[(String, f64)]) {
    assert_eq!(found.len(), expected.len());
    for ((found_label, found), (label, expected)) in found.iter().zip(expected) {
        assert_eq!(found_label, label);
        assert!((found - expected).abs() < TOLERANCE, "{label}: {found} and {expected}");
    }
}

#[test]
fn a_photo_is_classified_as_by_the_model_itself() {
    let server = Running::with(|_| {});
    let (model, name) = dermake_models::load(demo_model().to_str().unwrap(), None, &Default::default()).unwrap();
    let expected = |labels: &LabelSet, templates: &Templates| -> Vec<(String, f64)> {
        let classifier = model.classifier(labels, templates, &mut |_, _| {}).unwrap();
        let answers = model.classify(&photo(0), Reading::Photo, &classifier, 3).unwrap();
        answers.into_iter().map(|answer| (answer.label, answer.probability.into())).collect()
    };
    let skin = Templates::skin();
    let built_in = server.post_photo("/v1/classify?labels=f17k&top_k=3", 0);
    assert_near(&built_in.predictions(), &expected(&LabelSet::find("f17k").unwrap(), &skin));
    assert_eq!(built_in.body["model"], name);
    assert!(built_in.body["millis"].as_f64().unwrap() > 0.0);

    let own = LabelSet::from_text("a wheal, psoriasis, melanoma").unwrap();
    let typed = server.post_photo("/v1/classify?labels=a+wheal,psoriasis,melanoma", 0);
    assert_near(&typed.predictions(), &expected(&own, &skin));
    let template = Templates::new(vec!["a drawing of {}".into()]).unwrap();
    let labels = br#"["a wheal", "psoriasis", "melanoma"]"#;
    let form = [("image", &*photo(0)), ("labels", labels), ("template", b"a drawing of {}"), ("model", b"demo")];
    assert_near(&server.post_form("/v1/classify", &form).predictions(), &expected(&own, &template));
    // As `-F labels=@labels.json` sends what an editor saved.
    let saved = "\u{feff}[\r\n  \"a wheal\",\r\n  \"psoriasis\",\r\n  \"melanoma\"\r\n]\r\n".as_bytes();
    let lines = "\u{feff}1. a wheal\r\n2. psoriasis\r\n3. melanoma\r\n".as_bytes();
    for labels in [saved, lines] {
        let form = [("image", &*photo(0)), ("labels", labels)];
        assert_near(&server.post_form("/v1/classify", &form).predictions(), &expected(&own, &skin));
    }
    let wide: Vec<u8> = "a wheal, psoriasis".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = server.post_form("/v1/classify", &[("image", &*photo(0)), ("labels", &wide)]);
    assert!(
        refused.status == 400 && refused.body["message"].as_str().unwrap().contains("UTF-16"),
        "{:?}",
        refused.body
    );
}

#[test]
fn a_request_or_the_server_chooses_the_scale() {
    let (model, _) = dermake_models::load(demo_model().to_str().unwrap(), None, &Default::default()).unwrap();
    let own = f64::from(model.logit_scale().unwrap());
    let server = Running::with(|_| {});
    let scale = |server: &Running, address: &str| server.post_photo(address, 0).body["scale"].as_f64().unwrap();
    let (labels, skin) = (LabelSet::find("pad").unwrap(), Templates::skin());
    let shipped = model.shipped_classifier(&labels, &skin).unwrap().clone();
    let calibrated = model.calibrated(shipped, &skin).scale();
    assert!(calibrated != 100.0 && calibrated != own);
    assert_eq!(scale(&server, "/v1/classify"), calibrated);
    assert_eq!(scale(&server, "/v1/classify?scale=100"), 100.0);
    assert_eq!(scale(&server, "/v1/classify?scale=own"), own);
    assert!((scale(&server, "/v1/annotate?scale=OWN") - own).abs() < 1e-9 * own);
    assert!((scale(&server, "/v1/annotate?scale=100") - 4.5944f64.exp()).abs() < 0.01);
    let labels = |address: &str| server.post_photo(address, 0).predictions();
    for ((label, own), (same, reference)) in
        labels("/v1/classify?scale=own").iter().zip(labels("/v1/classify?scale=100"))
    {
        assert_eq!(*label, same);
        assert!((own - reference).abs() > 0.0 || reference < 1e-6, "{label}");
    }
    let refused = server.post_photo("/v1/classify?scale=99", 0);
    let message = refused.body["message"].as_str().unwrap();
    assert!(
        refused.status == 422 && message.contains("`scale` is \"99\", expected 100, own or calibrated"),
        "{message}"
    );
    let server = Running::with(|config| config.infer.scale = Scale::Own);
    assert_eq!(scale(&server, "/v1/classify"), own);
}

#[test]
fn photos_that_wait_together_run_together_and_get_what_they_get_alone() {
    const N_PHOTOS: usize = 6;
    let alone = Running::with(|config| config.infer.max_batch = 1);
    // The batch is computed when it is full: the wait is longer than any test.
    let together = Running::with(|config| {
        config.infer.max_batch = N_PHOTOS as u32;
        config.infer.batch_wait_ms = 10_000;
    });
    let path = "/v1/classify?labels=sd128&top_k=128";
    let answers: Vec<Reply> = std::thread::scope(|scope| {
        let ask = |index| {
            scope.spawn({
                let server = &together;
                move || server.post_photo(path, index)
            })
        };
        let asked: Vec<_> = (0..N_PHOTOS).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    for (index, answer) in answers.iter().enumerate() {
        assert_near(&answer.predictions(), &alone.post_photo(path, index).predictions());
    }
    assert_eq!(together.count("batch_size_count", "Images"), 1.0);
    assert_eq!(together.count("batch_size_sum", "Images"), N_PHOTOS as f64);
    assert_eq!(alone.count("batch_size_count", "Images"), N_PHOTOS as f64);
}

#[test]
fn a_classifier_is_made_once() {
    let server = Running::with(|_| {});
    let path = "/v1/classify?labels=wheal,nodule";
    let first = server.post_photo(path, 0).predictions();
    let n_encoded = server.count("batch_size_sum", "Texts");
    assert_eq!(n_encoded, 16.0); // two labels in eight templates
    assert_eq!(server.post_photo(path, 0).predictions(), first);
    server.post_photo("/v1/classify?labels=f17k", 0);
    assert_eq!(server.count("batch_size_sum", "Texts"), n_encoded);
}

#[test]
fn concepts_are_scored_as_by_the_model_itself() {
    let server = Running::with(|_| {});
    let answer = server.post_photo("/v1/annotate?top_k=64", 1);
    let (model, _) = dermake_models::load("demo", None, &Default::default()).unwrap();
    let names: Vec<_> =
        answer.body["concepts"].as_array().unwrap().iter().map(|c| c["concept"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 64);
    let concepts: Vec<Concept> = names.iter().map(|&name| Concept::find(name).unwrap()).collect();
    let templates = ConceptTemplates::skin();
    let features = model.encode_texts(&ConceptScorer::prompts(&concepts, &templates), &mut |_, _| {}).unwrap();
    let image = model.image_features(&photo(1), Reading::Photo).unwrap();
    let expected = ConceptScorer::new(&concepts, &templates, &features).unwrap().scores(&image).unwrap();
    let found = answer.body["concepts"].as_array().unwrap().iter().map(|c| c["score"].as_f64().unwrap());
    for (found, expected) in found.clone().zip(expected.iter().flatten()) {
        // The texts had others beside them. A score moves by 25 times as much as a cosine, at its temperature.
        assert!((found - expected).abs() < 25.0 * TOLERANCE, "{found} and {expected}");
    }
    assert!(found.clone().zip(found.skip(1)).all(|(a, b)| a >= b), "the most present first");
    let own = server.post_photo("/v1/annotate?concepts=Bulla,tattoo", 1);
    assert_eq!(own.body["concepts"].as_array().unwrap().len(), 2);
}

#[test]
fn concepts_that_are_typical_of_a_label_are_marked_and_there_beyond_the_first() {
    let server = Running::with(|_| {});
    let concepts = |query: &str| server.post_photo(&format!("/v1/annotate?{query}"), 1).body["concepts"].clone();
    let all = concepts("top_k=64");
    let all = all.as_array().unwrap();
    let marked = concepts("typical_of=Psoriasis&top_k=2");
    let is_typical =
        |found: &serde_json::Value| ["plaque", "scale", "erythema"].contains(&found["concept"].as_str().unwrap());
    let expected =
        all.iter().enumerate().filter(|(rank, found)| *rank < 2 || is_typical(found)).map(|(_, found)| {
            let mut found = found.clone();
            found["typical"] = is_typical(&found).into();
            found
        });
    assert_eq!(marked, serde_json::Value::Array(expected.collect()), "{all:?}");
    assert_eq!(all[0].get("typical"), None, "without a label");

    let answer = server.post_photo("/v1/annotate?typical_of=alopecia+areata&concepts=bulla,scale", 1);
    let said = "there is no list of typical findings for \"alopecia areata\"; no concept is marked";
    assert_eq!(answer.body["warnings"], serde_json::json!([said]));
    assert_eq!(answer.body["concepts"][0].get("typical"), None);
    let refused = server.post_photo("/v1/annotate?typical_of=psorasis", 1);
    let message = refused.body["message"].as_str().unwrap();
    assert!(
        refused.status == 422
            && message.starts_with("`typical_of`: ")
            && message.ends_with("did you mean psoriasis?"),
        "{message}"
    );
}

#[test]
fn features_come_as_numbers_or_bytes_and_meet_in_cosines() {
    let server = Running::with(|_| {});
    let texts = ["a wheal", "eczema on an arm, with scales", "ünïcode 🙂"];
    let json = serde_json::json!({ "texts": texts }).to_string();
    let of_texts = server.post("/v1/embed", "application/json", &json).numbers("embeddings");
    let of_images = server.post_form("/v1/embed", &[("image", &photo(0)), ("image", &photo(1))]);
    let of_images = of_images.numbers("embeddings");
    let width = of_images.len() / 2;
    assert_eq!(of_texts.len(), 3 * width);
    for feature in of_images.chunks(width).chain(of_texts.chunks(width)) {
        assert!((feature.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-5, "unit length");
    }

    let bytes = server.post("/v1/embed?encoding=base64", "application/json", &json).body["embeddings"][1].clone();
    let bytes = base64::prelude::BASE64_STANDARD.decode(bytes.as_str().unwrap()).unwrap();
    let values = bytes.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    assert!(values.eq(of_texts[width..2 * width].iter().map(|value| *value as f32)));

    let mut form: Vec<(&str, &[u8])> = texts.iter().map(|text| ("text", text.as_bytes())).collect();
    let photos = [photo(0), photo(1)];
    form.extend(photos.iter().map(|photo| ("image", &**photo)));
    let cosines = server.post_form("/v1/similarity", &form).numbers("cosines");
    let expected = of_images.chunks(width).flat_map(|image| {
        of_texts.chunks(width).map(move |text| image.iter().zip(text).map(|(a, b)| a * b).sum::<f64>())
    });
    for (found, expected) in cosines.iter().zip(expected) {
        assert!((found - expected).abs() < TOLERANCE, "{found} and {expected}");
    }
    assert_eq!(cosines.len(), 6);
}

#[test]
fn a_request_names_one_of_several_models() {
    let folder = tempfile::tempdir().unwrap();
    let second = folder.path().join("second");
    copy_demo_model(&second, "the second");
    let server = Running::with(|config| config.models.push(second));
    for (name, expected) in [("second", "the second"), ("the+second", "the second"), ("SECOND", "the second")] {
        let answer = server.post_photo(&format!("/v1/classify?model={name}"), 0);
        assert_eq!(answer.body["model"], expected);
    }
    assert_ne!(server.post_photo("/v1/classify", 0).body["model"], "the second");
    let unknown = server.post_photo("/v1/classify?model=third", 0);
    assert_eq!((unknown.status, unknown.code()), (404, "no_such_model"));
}

#[test]
fn every_set_that_came_with_a_model_is_answered_whatever_may_be_encoded() {
    let server = Running::with(|config| config.limits.max_prompts = 100);
    for labels in ["pad", "f17k", "snu", "sd128"] {
        assert_eq!(server.post_photo(&format!("/v1/classify?labels={labels}"), 0).status, 200, "{labels}");
    }
    let refused = server.post_photo("/v1/classify?labels=snu&template=one+{}", 0);
    assert_eq!((refused.status, refused.code()), (422, "invalid"), "134 sentences");
}

#[test]
fn without_inference_there_is_no_such_address() {
    let server = Running::with(|config| config.infer.device = None);
    assert_eq!(server.get("/v1/classify").status, 404);
    let refused = server.post_photo("/v1/classify", 0);
    assert_eq!((refused.status, refused.code()), (404, "not_found"));
    assert!(refused.body["message"].as_str().unwrap().contains("--infer"), "{refused:?}");
    assert_eq!(server.get("/readyz").status, 200);
}
