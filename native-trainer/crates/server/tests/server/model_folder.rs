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
    let server = Running::with(|config| {
        config.models = vec![parent.clone()];
        config.limits.rate_per_sec = 0;
    });
    (folder, parent, server)
}

/// Waits until it is so; panics after a minute.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        assert!(started.elapsed().as_secs() < 60, "never so");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Changes a model's file and, unless it is to be a damaged copy, its hash in the manifest.
fn change_weights(model: &std::path::Path, is_damaged: bool) {
    let (weights, manifest) = (model.join("vision.safetensors"), model.join("manifest.json"));
    let mut content = fs::read(&weights).unwrap();
    let before = sha256(&content);
    content[..8].fill(0xff); // the length of a safetensors file's header
    fs::write(&weights, &content).unwrap();
    if !is_damaged {
        let json = fs::read_to_string(&manifest).unwrap();
        assert!(json.contains(&before));
        fs::write(&manifest, json.replace(&before, &sha256(&content))).unwrap();
    }
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
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("first");
    copy_demo_model(&model, "the first");
    let server = Running::with(|config| config.models = vec![model.clone()]);
    let expected = classify_with(&server, "first").predictions();
    for file in fs::read_dir(model).unwrap() {
        fs::write(file.unwrap().path(), "").unwrap();
    }
    assert_eq!(classify_with(&server, "first").predictions(), expected);
    assert_eq!(classify_with(&server, "first&labels=wheal,nodule").predictions().len(), 2, "texts are encoded");
}

#[test]
fn a_model_that_cannot_be_loaded_is_hosted_and_does_not_answer() {
    let (folder, parent, server) = folder_with_one_model();
    let broken = folder.path().join("broken");
    copy_demo_model(&broken, "the first");
    change_weights(&broken, false);
    fs::rename(broken, parent.join("broken")).unwrap();
    assert_eq!(classify_with(&server, "broken").code(), "no_such_model");
    // Not with the address of the other model, which has the same name.
    assert_eq!(addresses(&server), [None, Some("/v1/classify?model=first".to_owned())]);
    assert_eq!(classify_with(&server, "first").status, 200);
}

#[test]
fn a_damaged_copy_of_a_model_is_not_hosted_and_does_not_answer() {
    let (folder, parent, server) = folder_with_one_model();
    let damaged = folder.path().join("damaged");
    copy_demo_model(&damaged, "another");
    change_weights(&damaged, true);
    fs::rename(damaged, parent.join("damaged")).unwrap();
    assert_eq!(classify_with(&server, "damaged").code(), "no_such_model");
    assert_eq!(addresses(&server), [Some("/v1/classify?model=first".to_owned())]);
}

/// Found in use: until somebody asked for the list, the old weights answered.
#[test]
fn a_model_that_is_replaced_or_removed_is_followed_without_a_request_for_the_list() {
    let (folder, parent, server) = folder_with_one_model();
    copy_demo_model(&folder.path().join("new"), "the new first");
    copy_demo_model(&folder.path().join("second"), "the second");
    fs::rename(folder.path().join("second"), parent.join("second")).unwrap();
    wait_until(|| classify_with(&server, "the+second").status == 200);
    fs::rename(parent.join("first"), folder.path().join("old")).unwrap();
    fs::rename(folder.path().join("new"), parent.join("first")).unwrap();
    wait_until(|| classify_with(&server, "first").body["model"] == "the new first");
    assert_eq!(
        server.post_photo("/v1/classify", 0).body["model"],
        "the new first",
        "still the first of the parent"
    );
    fs::remove_dir_all(parent.join("first")).unwrap();
    wait_until(|| server.post_photo("/v1/classify", 0).body["model"] == "the second");
    assert_eq!(classify_with(&server, "first").code(), "no_such_model");
}

#[test]
fn models_of_one_name_are_told_apart_by_their_folders() {
    let (folder, parent, server) = folder_with_one_model();
    copy_demo_model(&folder.path().join("copied"), "the first");
    fs::rename(folder.path().join("copied"), parent.join("another")).unwrap();
    assert_eq!(classify_with(&server, "another").body["model"], "another");
    assert_eq!(classify_with(&server, "first").body["model"], "first");
    let of = |folder: &str| Some(format!("/v1/classify?model={folder}"));
    assert_eq!(addresses(&server), [of("another"), of("first")]);
    for name in ["the+first", "THE+FIRST"] {
        let refused = classify_with(&server, name);
        assert_eq!((refused.status, refused.code()), (422, "invalid"));
        let message = refused.body["message"].as_str().unwrap();
        assert!(message.ends_with("; expected `model` to be one of `another`, `first`"), "{message}");
    }
    let document = server.get("/v1/openapi.json").body;
    assert_eq!(document["components"]["schemas"]["Model"]["enum"], serde_json::json!(["another", "first"]));
    let counts = server.get("/metrics").body;
    for model in ["another", "first"] {
        assert!(counts.as_str().unwrap().contains(&format!("dermake_waiting{{model=\"{model}\"")), "{counts}");
    }
}

/// Found in use: with tokens, too, everybody could read the path in `/v1/openapi.json`.
#[test]
fn a_model_that_is_named_by_its_path_is_called_by_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("second");
    copy_demo_model(&model, "the second");
    let server = Running::with(|config| config.infer.models = vec![model.display().to_string()]);
    assert_eq!(classify_with(&server, "second").body["model"], "the second");
    let document = server.get("/v1/openapi.json").body;
    let names = serde_json::json!(["second", "the second"]);
    assert_eq!(document["components"]["schemas"]["Model"]["enum"], names);
    let unknown = classify_with(&server, "third");
    for answer in [&document, &unknown.body] {
        assert!(!answer.to_string().contains(folder.path().to_str().unwrap()), "{answer}");
    }
    let twins = || {
        let site = Site::new();
        let mut config = site.config();
        config.infer.device = Some("cpu".parse().unwrap());
        config.infer.models = vec![model.display().to_string(), model.display().to_string()];
        Server::new(&config).err().unwrap()
    };
    assert!(matches!(twins(), Error::SameName { name } if name == "second"));
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
