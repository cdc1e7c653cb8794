//! Small files beside a model: those of its tokenizer, and those of other repositories that its config names.

use super::{CONFIG, Fault, LISTING, MODEL, World, write_model};
use dermake_hub::{Error, HubSettings, resolve_named_with};
use std::fs;

/// A hub with a model of transformers.
fn with_transformers() -> World {
    let world = World::new();
    fs::remove_file(world.published(CONFIG)).unwrap();
    fs::write(world.published("config.json"), r#"{"model_type": "clip"}"#).unwrap();
    for name in ["merges.txt", "preprocessor_config.json", "training_args.bin", "vocab.json"] {
        fs::write(world.published(name), "{}").unwrap();
    }
    world
}

#[test]
fn a_model_of_transformers_brings_its_tokenizer_and_its_image_processor() {
    let world = with_transformers();
    let files = world.resolve().unwrap();
    assert!(files.config.as_ref().unwrap().ends_with("config.json"));
    let names: Vec<&str> = files.companions.keys().map(String::as_str).collect();
    assert_eq!(names, ["merges.txt", "preprocessor_config.json", "vocab.json"]);
    assert!(files.preprocessor().unwrap().ends_with("preprocessor_config.json"));
    let offline = HubSettings { offline: true, ..world.settings.clone() };
    assert_eq!(dermake_hub::resolve_with(MODEL, &offline).unwrap(), files);
}

/// As where another program has downloaded only the weights.
#[test]
fn a_cached_commit_without_its_tokenizer_or_image_processor_is_completed() {
    for lost in ["vocab.json", "preprocessor_config.json"] {
        let world = with_transformers();
        let files = world.resolve().unwrap();
        let snapshot = files.weights.parent().unwrap();
        let commit = format!("{MODEL}@{}", snapshot.file_name().unwrap().to_str().unwrap());
        let resolve = || dermake_hub::resolve_with(&commit, &world.settings);

        let n_requests = world.hub.seen().len();
        assert_eq!(resolve().unwrap().companions, files.companions);
        assert_eq!(world.hub.seen().len(), n_requests, "a commit that lacks nothing needs no network");

        fs::remove_file(snapshot.join(lost)).unwrap();
        assert_eq!(resolve().unwrap().companions, files.companions, "{lost}");

        fs::remove_file(snapshot.join(lost)).unwrap();
        world.hub.inject(LISTING, Fault::Status(503));
        assert!(!resolve().unwrap().companions.contains_key(lost), "what there is answers while the hub does not");
    }
}

#[test]
fn where_both_libraries_describe_a_model_the_files_that_are_not_taken_are_named() {
    let world = World::new();
    for name in ["config.json", "model.safetensors"] {
        fs::write(world.published(name), "{}").unwrap();
    }
    let files = world.resolve().unwrap();
    assert_eq!(files.passed_over, ["config.json", "model.safetensors"]);
    world.assert_whole(&files);
    let folder = world.published(CONFIG).parent().unwrap().to_owned();
    let resolve = |path: &std::path::Path| dermake_hub::resolve(path.to_str().unwrap()).unwrap();
    assert_eq!(resolve(&folder).passed_over, files.passed_over);
    assert_eq!(resolve(&folder.join(CONFIG)).passed_over, files.passed_over);
    // Whoever names the weights has chosen them.
    let named = resolve(&folder.join("model.safetensors"));
    assert!(named.config.unwrap().ends_with(CONFIG));
    assert_eq!(named.passed_over, ["config.json"]);
    fs::write(folder.join("manifest.json"), "{}").unwrap();
    assert!(resolve(&folder).passed_over.is_empty());
}

#[test]
fn a_plain_model_of_open_clip_brings_no_tokenizer() {
    let world = World::new();
    fs::write(world.published("tokenizer.json"), "{}").unwrap();
    assert!(world.resolve().unwrap().companions.is_empty());
    assert!(!world.hub.seen().iter().any(|seen| seen.path.ends_with("tokenizer.json")));
}

#[test]
fn files_of_another_repository_are_downloaded_once_and_answer_offline() {
    let world = World::new();
    let repository = world.folder.path().join("hub/ada/bert");
    fs::create_dir_all(&repository).unwrap();
    fs::write(repository.join("config.json"), r#"{"model_type": "bert"}"#).unwrap();
    fs::write(repository.join("pytorch_model.bin"), "weights, which nobody asks for").unwrap();
    let model = world.resolve().unwrap();
    let named = |names: &[&str], settings: &HubSettings| resolve_named_with(&model, "ada/bert", names, settings);
    let found = named(&["config.json", "vocab.txt"], &world.settings).unwrap();
    assert_eq!(fs::read(&found["config.json"]).unwrap(), br#"{"model_type": "bert"}"#);
    assert_eq!(found.len(), 1);
    assert!(!world.hub.seen().iter().any(|seen| seen.path.contains("bert") && seen.path.ends_with(".bin")));

    let offline = HubSettings { offline: true, ..world.settings.clone() };
    assert_eq!(named(&["config.json", "vocab.txt"], &offline).unwrap(), found);
    assert!(matches!(named(&["vocab.txt"], &offline), Err(Error::NotCached { .. })));
    assert!(matches!(named(&["vocab.txt"], &world.settings), Err(Error::MissingFile { .. })));
}

#[test]
fn a_folder_of_the_repository_s_name_beside_the_weights_comes_first() {
    let world = World::new();
    let folder = world.folder.path().join("local");
    write_model(&folder, 2);
    fs::create_dir_all(folder.join("ada/bert")).unwrap();
    fs::write(folder.join("ada/bert/config.json"), "{}").unwrap();
    let model = dermake_hub::resolve(folder.to_str().unwrap()).unwrap();
    let found = resolve_named_with(&model, "ada/bert", &["config.json"], &world.settings).unwrap();
    assert_eq!(found["config.json"], folder.join("ada/bert/config.json"));
    for outside in ["../local", "/etc", "ada/../../x"] {
        let refused = resolve_named_with(&model, outside, &["config.json"], &world.settings);
        assert!(matches!(refused, Err(Error::ModelId { .. })), "{outside}");
    }
}
