//! What cannot be had, and how that is said.

use super::*;

#[test]
fn what_the_hub_lacks_is_named() {
    let world = World::new();
    let missing = world.complaint("hf-hub:ada/bones");
    assert!(missing.contains("no model of this name") && missing.contains("ada/bones"), "{missing}");
    let revision = world.complaint("hf-hub:ada/skin@v9");
    assert!(revision.contains("no revision `v9`"), "{revision}");
    let typed = world.complaint("hf-hub:../skin");
    assert!(typed.contains("hf-hub:owner/name"), "{typed}");

    fs::remove_file(world.published(WEIGHTS)).unwrap();
    let weights = world.complaint(MODEL);
    assert!(weights.contains(WEIGHTS) && weights.contains("open_clip_pytorch_model.bin"), "{weights}");
    fs::remove_file(world.published(CONFIG)).unwrap();
    assert!(world.complaint(MODEL).contains("looked for open_clip_config.json"));
}

#[test]
fn no_network_and_no_copy_is_one_sentence() {
    let world = World::new();
    let offline = HubSettings { offline: true, ..world.settings.clone() };
    let error = resolve_with(MODEL, &offline).unwrap_err();
    assert!(error.to_string().contains("HF_HUB_OFFLINE is set"), "{error}");

    let World { hub, settings, folder: _folder } = world;
    drop(hub);
    let error = resolve_with(MODEL, &settings).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&settings.endpoint), "{error}");
    assert!(std::error::Error::source(&error).is_some(), "the cause is kept");
}
