//! The OpenAPI document: `openapi.json` with the limits and models of this server.

use serde_json::{Value, json};

use super::state::Api;

const DOCUMENT: &str = include_str!("openapi.json");

/// Returns the document with the models that answer at this moment.
pub(super) fn document(api: &Api, requires_token: bool) -> Value {
    let mut document: Value = serde_json::from_str(DOCUMENT).expect("a file of this crate that the tests read too");
    let limits = &api.limits;
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let schemas = &mut document["components"]["schemas"];
    schemas["Model"]["enum"] = json!(api.engines.accepted_names());
    schemas["Templates"]["items"]["maxLength"] = limits.max_label_bytes.into();
    schemas["Templates"]["maxItems"] = limits.max_labels.into();
    schemas["Text"]["maxLength"] = limits.max_label_bytes.into();
    // One sentence each at least.
    let max_texts = limits.max_labels.min(limits.max_prompts);
    schemas["Texts"]["maxItems"] = max_texts.into();
    schemas["TextPhotos"]["anyOf"][1]["maxItems"] = limits.max_images.into();
    for lists in ["LabelsInJson", "ConceptsInJson"] {
        schemas[lists]["anyOf"][1]["maxItems"] = max_texts.into();
    }
    for address in ["/v1/embed", "/v1/similarity"] {
        let content = &mut document["paths"][address]["post"]["requestBody"]["content"];
        let images = &mut content["multipart/form-data"]["schema"]["properties"]["image"];
        images["maxItems"] = limits.max_images.into();
    }
    if requires_token {
        document["components"]["securitySchemes"] = json!({ "token": { "type": "http", "scheme": "bearer" } });
        for address in ["/v1/classify", "/v1/annotate", "/v1/embed", "/v1/similarity"] {
            document["paths"][address]["post"]["security"] = json!([{ "token": [] }]);
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::OBSTACLES;
    use shared_model::api::{Annotated, Classified, Compared, Embedded, Embedding, HostedModel, Refusal};
    use shared_model::calibration::Certainty;
    use shared_model::concepts::Finding;
    use shared_model::manifest::Manifest;
    use shared_model::zero_shot::Prediction;

    /// The names of a type's fields, as they go over the wire.
    fn fields(sample: &impl serde::Serialize) -> Vec<String> {
        let Value::Object(fields) = serde_json::to_value(sample).unwrap() else { panic!("an object") };
        fields.keys().cloned().collect()
    }

    #[test]
    fn it_describes_the_types_of_the_wire() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let (model, millis) = (String::new(), 0.0);
        let embeddings = vec![Embedding::Values(Vec::new())];
        let prediction = Prediction { label: String::new(), probability: 0.0, logit: 0.0 };
        let certainty = Certainty { unsure: true, none_of_these: true, match_score: 0.0, match_threshold: 0.0 };
        for (name, expected) in [
            ("Prediction", fields(&prediction)),
            ("Certainty", fields(&certainty)),
            ("Finding", fields(&Finding { concept: String::new(), score: 0.0, typical: Some(true) })),
            (
                "Classified",
                fields(&Classified {
                    model: model.clone(),
                    predictions: Vec::new(),
                    certainty: None,
                    scale: 100.0,
                    warnings: Vec::new(),
                    millis,
                }),
            ),
            (
                "Annotated",
                fields(&Annotated {
                    model: model.clone(),
                    concepts: Vec::new(),
                    scale: 100.0,
                    warnings: Vec::new(),
                    millis,
                }),
            ),
            ("Embedded", fields(&Embedded { model: model.clone(), embeddings, millis })),
            ("Compared", fields(&Compared { model, cosines: Vec::new(), millis })),
            ("Refusal", fields(&Refusal { code: String::new(), message: String::new() })),
        ] {
            let schema = &document["components"]["schemas"][name];
            let Value::Object(properties) = &schema["properties"] else { panic!("{name} has no properties") };
            assert!(properties.keys().eq(expected.iter()), "{name}: {schema}");
            let n_required = expected.iter().filter(|field| *field != "typical").count();
            assert_eq!(schema["required"].as_array().map(Vec::len), Some(n_required), "{name}");
        }
    }

    #[test]
    fn it_has_every_answer_of_readyz() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let not_ready = &document["paths"]["/readyz"]["get"]["responses"]["503"]["content"]["text/plain"]["schema"];
        assert_eq!(not_ready["enum"], json!(OBSTACLES));
    }

    #[test]
    fn it_describes_a_hosted_model_with_and_without_what_may_be_absent() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let schema = &document["components"]["schemas"]["HostedModel"];
        let demo = shared_model::demo::file(Manifest::FILE_NAME).unwrap();
        let mut manifest = Manifest::from_json(demo).unwrap();
        let listed = |manifest: &Manifest, classify| fields(&HostedModel::new(manifest, String::new(), classify));
        let all = listed(&manifest, Some(String::new()));
        let Value::Object(properties) = &schema["properties"] else { panic!("no properties") };
        assert!(
            properties.len() == all.len() && all.iter().all(|field| properties.contains_key(field)),
            "{schema}"
        );
        manifest.notice = None;
        let required = schema["required"].as_array().unwrap().iter().map(|field| field.as_str().unwrap());
        let required: std::collections::BTreeSet<&str> = required.collect();
        assert!(listed(&manifest, None).iter().map(String::as_str).eq(required), "{schema}");
    }
}
