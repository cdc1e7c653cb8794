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
    assert_eq!((pickle.name.as_str(), pickle.weights_kind), ("epoch_10", WeightsKind::Checkpoint));
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
    for address in [
        "https://huggingface.co/xieji-x/MAKE",
        "https://huggingface.co/xieji-x/MAKE/tree/main",
        "hf://xieji-x/MAKE",
    ] {
        assert!(complaint(Path::new(address)).contains("hf-hub:xieji-x/MAKE"), "{address}");
    }
    assert!(complaint(Path::new("dmeo")).contains("did you mean demo?"));
    for name in ["a.pt", "b.pt", "notes.txt"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    assert!(
        complaint(folder.path()).contains("several weights in one folder, name the file you mean (a.pt, b.pt)")
    );
    let run = folder.path().join("run");
    fs::create_dir_all(run.join("checkpoints/last")).unwrap();
    assert!(complaint(&run).contains("did you mean ") && complaint(&run).contains("run/checkpoints/last?"));
    assert!(complaint(&run.join("checkpoints")).contains("did you mean "));
    assert!(complaint(&run.join("checkpoints")).contains("run/checkpoints/last?"));
}

#[test]
fn an_architecture_of_open_clip_is_no_model() {
    let error = resolve("ViT-B-16").unwrap_err().to_string();
    assert!(error.contains("ViT-B-16 is an architecture; a model has weights, too, such as hf-hub:"), "{error}");
    assert!(resolve("vit-l-14").unwrap_err().to_string().contains("vit-l-14 is an architecture"));
}

#[test]
fn a_path_is_spelled_as_open_clip_and_browsers_do() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("my model");
    write_model(&model, 1);
    let typed = model.to_str().unwrap();
    let plain = resolve(typed).unwrap();
    let address = format!("file://{}", typed.replace(' ', "%20"));
    let config = model.join(CONFIG).to_str().unwrap().to_owned();
    for spelled in [format!("local-dir:{typed}"), address, format!("local-dir:{typed}/"), config] {
        assert_eq!(resolve(&spelled).unwrap(), plain, "{spelled}");
    }
    // A file is recognized by its content, not its name.
    fs::write(folder.path().join("weights"), "").unwrap();
    for name in ["weights", "Model.CKPT"] {
        fs::write(folder.path().join(name), "").unwrap();
        assert_eq!(
            resolve(folder.path().join(name).to_str().unwrap()).unwrap().weights_kind,
            WeightsKind::Checkpoint
        );
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let error = resolve("/dev/null").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("neither a file nor a folder"), "{cause}");
}
