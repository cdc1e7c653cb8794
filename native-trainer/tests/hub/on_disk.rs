//! Models that are already on this disk.

use super::*;

#[test]
fn folders_and_files_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("make");
    write_model(&model, 1);
    let typed = model.to_str().unwrap();
    let files = resolve(typed).unwrap();
    assert_eq!(files.name, "make");
    assert_eq!((files.config, files.weights), (Some(model.join(CONFIG)), model.join(WEIGHTS)));

    fs::write(folder.path().join("epoch_10.pt"), "").unwrap();
    let pickle = resolve(folder.path().join("epoch_10.pt").to_str().unwrap()).unwrap();
    assert_eq!((pickle.name.as_str(), pickle.weights_kind), ("epoch_10", WeightsKind::Pickle));
    assert_eq!(pickle.config, None);

    let manifest = model.join("manifest.json");
    fs::write(&manifest, "{}").unwrap();
    for typed in [typed, manifest.to_str().unwrap()] {
        let files = resolve(typed).unwrap();
        assert_eq!((files.weights_kind, &files.weights), (WeightsKind::Quantized, &manifest));
        assert_eq!(files.name, "make");
    }
}

#[test]
fn what_is_no_model_on_disk_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let complaint = |path: &Path| resolve(path.to_str().unwrap()).unwrap_err().to_string();
    let nowhere = folder.path().join("nowhere");
    assert!(complaint(&nowhere).ends_with("nowhere"));
    assert!(complaint(Path::new("xieji-x/MAKE")).contains("hf-hub:xieji-x/MAKE"));
    assert!(complaint(folder.path()).contains("looked for manifest.json, open_clip_model.safetensors"));
    for name in ["a.pt", "b.pt", "notes.txt"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    assert!(
        complaint(folder.path()).contains("several weights in one folder, name the file you mean (a.pt, b.pt)")
    );
    assert!(complaint(&folder.path().join("notes.txt")).contains("expected .safetensors, .bin, .pt, .pth"));
}
