//! Downloads that go well.

use super::*;

#[test]
fn a_model_is_downloaded_once_and_kept_in_the_known_layout() {
    let world = World::new();
    let files = world.resolve().unwrap();
    world.assert_whole(&files);
    assert_eq!((files.name.as_str(), files.weights_kind), ("ada/skin", WeightsKind::Checkpoint));

    // Another reader of the cache finds the file by its own rules.
    let theirs = hf_hub::Cache::new(world.settings.cache.clone()).model("ada/skin".into()).get(WEIGHTS);
    assert_eq!(theirs.unwrap(), files.weights);
    assert!(fs::read_link(&files.weights).unwrap().starts_with("../../blobs"));
    assert_eq!(world.cached("blobs").len(), 2);

    let n_requests = world.hub.seen().len();
    assert_eq!(world.resolve().unwrap(), files);
    assert_eq!(world.hub.seen().len(), n_requests + 1, "only the listing is asked for again");
    let staging = world.settings.cache.join(".locks/dermake/models--ada--skin");
    assert!(!staging.exists(), "nothing is left in staging");
}

#[test]
fn the_cache_answers_when_the_hub_is_gone() {
    let world = World::new();
    let files = world.resolve().unwrap();
    let World { hub, settings, folder: _folder } = world;
    drop(hub);
    assert_eq!(resolve_with(MODEL, &settings).unwrap(), files);
    let offline = HubSettings { offline: true, ..settings };
    assert_eq!(resolve_with(MODEL, &offline).unwrap(), files);
}

#[test]
fn a_revision_is_another_model_and_a_commit_needs_no_network() {
    let world = World::new();
    write_model(&world.folder.path().join("hub/ada/skin@v2"), 2);
    let main = world.resolve().unwrap();
    let second = resolve_with("hf-hub:ada/skin@v2", &world.settings).unwrap();
    assert_eq!(second.name, "ada/skin@v2");
    assert_ne!(fs::read(&main.weights).unwrap(), fs::read(&second.weights).unwrap());

    let commit = second.weights.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let n_requests = world.hub.seen().len();
    let pinned = resolve_with(&format!("{MODEL}@{commit}"), &world.settings).unwrap();
    assert_eq!((pinned.weights, world.hub.seen().len()), (second.weights, n_requests));
    assert_eq!(world.resolve().unwrap().weights, main.weights);
}

#[test]
fn a_new_commit_downloads_only_what_changed() {
    let world = World::new();
    let old = world.resolve().unwrap();
    fs::write(world.published(CONFIG), "{\"model_cfg\": \"new\"}").unwrap();
    let new = world.resolve().unwrap();
    world.assert_whole(&new);
    assert_ne!(old.config, new.config);
    assert_eq!(world.weights_ranges().len(), 1);
    assert_eq!(world.cached("blobs").len(), 3);
}

#[test]
fn the_token_is_sent_and_its_lack_is_named() {
    let mut world = World::new();
    world.hub.require_token("hf_secret");
    let complaint = world.complaint(MODEL);
    assert!(complaint.contains("401") && complaint.contains("set HF_TOKEN"), "{complaint}");
    assert!(world.cached("blobs").is_empty());

    world.settings.token = Some("hf_wrong".into());
    assert!(world.complaint(MODEL).contains("the token in use may not read it"));

    world.settings.token = Some("hf_secret".into());
    world.assert_whole(&world.resolve().unwrap());
    let seen = world.hub.seen();
    let resolved = seen.iter().rev().find(|seen| seen.path.contains("/resolve/")).unwrap();
    assert_eq!(resolved.authorization.as_deref(), Some("Bearer hf_secret"));
}

#[test]
fn many_at_once_download_once() {
    for _ in 0..10 {
        let world = World::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| world.resolve())).collect();
            for thread in threads {
                world.assert_whole(&thread.join().unwrap().unwrap());
            }
        });
        assert_eq!(world.weights_ranges().len(), 1);
    }
}
