//! Models that answer, and come and go while the server runs.

use super::demo::copy_demo_model;
use super::running::{Reply, Running};
use super::*;

/// Returns where a page may classify with each hosted model.
fn addresses(server: &Running) -> Vec<Option<String>> {
    let list = server.get("/models").body;
    let address = |model: &serde_json::Value| model.get("classify").map(|url| url.as_str().unwrap().to_owned());
    list.as_array().unwrap().iter().map(address).collect()
}

fn classify_with(server: &Running, model: &str) -> Reply {
    server.post_photo(&format!("/v1/classify?model={model}"), 0)
}

/// A folder, in it a parent with the model `first`, and a server of that parent.
fn folder_with_one_model() -> (TempDir, PathBuf, Running) {
    let folder = tempfile::tempdir().unwrap();
    let parent = folder.path().join("parent");
    copy_demo_model(&parent.join("first"), "the first");
    let server = Running::with(|config| config.models = vec![parent.clone()]);
    (folder, parent, server)
}

#[test]
fn a_model_put_into_the_folder_answers_and_one_taken_away_does_not() {
    let (folder, parent, server) = folder_with_one_model();
    assert_eq!(classify_with(&server, "second").code(), "no_such_model");

    copy_demo_model(&folder.path().join("copied"), "the second");
    fs::rename(folder.path().join("copied"), parent.join("a second")).unwrap();
    assert_eq!(classify_with(&server, "a+second").body["model"], "the second");
    let of = |folder: &str| Some(format!("/v1/classify?model={folder}"));
    assert_eq!(addresses(&server), [of("a%20second"), of("first")]);
    assert_eq!(server.post_photo("/v1/classify", 0).body["model"], "the second", "the first of the parent");
    let document = server.get("/v1/openapi.json").body;
    let names = ["a second", "the second", "first", "the first"];
    assert_eq!(document["components"]["schemas"]["Model"]["enum"], serde_json::json!(names));

    fs::remove_dir_all(parent.join("a second")).unwrap();
    assert_eq!(classify_with(&server, "third").code(), "no_such_model");
    assert_eq!(classify_with(&server, "a+second").code(), "no_such_model");
    assert_eq!(classify_with(&server, "first").body["model"], "the first");
}

/// As while another model is copied over it: the server ended with a bus error.
#[test]
fn a_model_answers_whatever_becomes_of_its_files() {
    let (_folder, parent, server) = folder_with_one_model();
    let expected = classify_with(&server, "first").predictions();
    for file in fs::read_dir(parent.join("first")).unwrap() {
        fs::write(file.unwrap().path(), "").unwrap();
    }
    assert_eq!(classify_with(&server, "first").predictions(), expected);
    assert_eq!(classify_with(&server, "first&labels=wheal,nodule").predictions().len(), 2, "texts are encoded");
}

#[test]
fn a_model_that_cannot_be_loaded_is_hosted_and_does_not_answer() {
    let (folder, parent, server) = folder_with_one_model();
    let broken = folder.path().join("broken");
    copy_demo_model(&broken, "another");
    let mut weights = fs::read(broken.join("vision.safetensors")).unwrap();
    *weights.last_mut().unwrap() ^= 1;
    fs::write(broken.join("vision.safetensors"), weights).unwrap();
    fs::rename(broken, parent.join("broken")).unwrap();
    assert_eq!(classify_with(&server, "broken").code(), "no_such_model");
    assert_eq!(addresses(&server), [None, Some("/v1/classify?model=first".to_owned())]);
    assert_eq!(classify_with(&server, "first").status, 200);
}

#[test]
fn a_folder_without_a_usable_model_waits_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let parent = folder.path().join("parent");
    fs::create_dir_all(parent.join("broken")).unwrap();
    fs::write(parent.join("broken/manifest.json"), "{").unwrap();
    let server = Running::with(|config| config.models = vec![parent.clone()]);
    let refusal = server.post_photo("/v1/classify", 0);
    assert_eq!((refusal.status, refusal.code()), (404, "no_such_model"));
    assert_eq!(refusal.body["message"], "no model answers here at the moment");
    assert_eq!(server.get("/readyz").status, 503);

    copy_demo_model(&folder.path().join("copied"), "the first");
    fs::rename(folder.path().join("copied"), parent.join("first")).unwrap();
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.post_photo("/v1/classify", 0).body["model"], "the first");
}

#[test]
fn pages_are_told_of_no_answers_that_they_cannot_have() {
    let site = tempfile::tempdir().unwrap();
    let tokens = site.path().join("tokens");
    fs::write(&tokens, "token").unwrap();
    assert_eq!(addresses(&Running::with(|config| config.access.tokens = Some(tokens))), [None]);
    assert_eq!(addresses(&Running::with(|config| config.infer.device = None)), [None]);
    let named = Running::with(|config| config.infer.models = vec!["demo".into()]);
    assert_eq!(addresses(&named), [Some("/v1/classify?model=demo".to_owned())], "the same model by its name");
}
