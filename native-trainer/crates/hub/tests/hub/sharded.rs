//! Weights in several files.

use super::*;

const INDEX: &str = "model.safetensors.index.json";
const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

/// Spreads the model's weights over two files.
fn spread(folder: &Path) {
    let all = fs::read(folder.join(WEIGHTS)).unwrap();
    let (first, second) = all.split_at(all.len() / 3);
    for (name, bytes) in SHARDS.iter().zip([first, second]) {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let map = serde_json::json!({ "weight_map": { "a": SHARDS[0], "b": SHARDS[1], "c": SHARDS[0] } });
    fs::write(folder.join(INDEX), map.to_string()).unwrap();
    fs::remove_file(folder.join(WEIGHTS)).unwrap();
}

fn joined(files: &ModelFiles) -> Vec<u8> {
    files.weight_files().iter().flat_map(|shard| fs::read(shard).unwrap()).collect()
}

#[test]
fn shards_are_found_in_a_folder_with_or_without_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("make");
    write_model(&model, 1);
    let whole = fs::read(model.join(WEIGHTS)).unwrap();
    spread(&model);
    let typed = model.to_str().unwrap();
    for typed in [typed.to_owned(), format!("{typed}/{INDEX}"), format!("{typed}/{}", SHARDS[1])] {
        assert!(joined(&resolve(&typed).unwrap()) == whole, "{typed}");
    }
    assert_eq!(resolve(typed).unwrap().name, "make");
    fs::remove_file(model.join(INDEX)).unwrap();
    assert!(joined(&resolve(typed).unwrap()) == whole);

    fs::remove_file(model.join(SHARDS[1])).unwrap();
    let complaint = resolve(typed).unwrap_err().to_string();
    assert!(complaint.contains("in 2 files, of which model-00002-of-00002.safetensors is missing"), "{complaint}");
}

#[test]
fn shards_are_downloaded_and_missed_when_they_are_gone() {
    let mut world = World::new();
    let whole = fs::read(world.published(WEIGHTS)).unwrap();
    spread(&world.folder.path().join("hub/ada/skin"));
    let files = world.resolve().unwrap();
    assert!(joined(&files) == whole);
    world.settings.offline = true;
    assert_eq!(world.resolve().unwrap(), files);

    fs::remove_file(&files.shards[1]).unwrap();
    assert!(matches!(world.resolve(), Err(Error::NotCached { .. })));
    world.settings.offline = false;
    assert_eq!(world.resolve().unwrap(), files);

    fs::remove_file(&files.shards[1]).unwrap();
    fs::remove_file(world.published(SHARDS[1])).unwrap();
    let complaint = world.complaint(MODEL);
    assert!(complaint.contains("lacks a file (looked for model-00002-of-00002.safetensors)"), "{complaint}");
}

#[test]
fn an_index_that_is_no_index_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (content, expected) in [
        ("<!doctype html>", "found a web page"),
        ("version https://git-lfs.github.com/spec/v1\nsize 12\n", "a Git LFS pointer to 12 bytes"),
        ("{}", "expected {\"weight_map\": {tensor: file}}"),
        ("{\"weight_map\": {\"a\": \"../x\"}}", "`../x` is not the name of a file beside the index"),
    ] {
        fs::write(folder.path().join(INDEX), content).unwrap();
        let error = resolve(folder.path().to_str().unwrap()).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(expected), "{cause}");
    }
}
