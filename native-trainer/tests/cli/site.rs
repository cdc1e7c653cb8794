//! `dermake site`: the page and models as files for a static host.

use crate::{dermake, models};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A built page, as small as one can be.
fn page() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let html = "<!doctype html><html><head><script>start()</script></head></html>";
    fs::write(folder.path().join("index.html"), html).unwrap();
    fs::create_dir(folder.path().join("samples")).unwrap();
    fs::write(folder.path().join("samples/a.jpg"), "a").unwrap();
    fs::write(folder.path().join("app.js"), "1").unwrap();
    fs::write(folder.path().join("app.js.br"), "compressed").unwrap();
    folder
}

fn site(page: &Path, arguments: &[&Path], out: &Path) -> assert_cmd::assert::Assert {
    let mut command = dermake();
    command.args(["site", "--app"]).arg(page);
    for model in arguments {
        command.arg("--models").arg(model);
    }
    command.arg("--out").arg(out).assert()
}

#[test]
fn the_page_its_models_and_their_list_are_files_with_relative_addresses() {
    let (page, folder) = (page(), tempfile::tempdir().unwrap());
    let out = folder.path().join("deep/site");
    let said = site(page.path(), &[&models().quantized, Path::new("demo")], &out).success();
    let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
    assert!(said.contains("files") && said.contains("MB"), "{said}");

    let html = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(html.contains("Content-Security-Policy") && html.contains("'sha256-"), "{html}");
    assert_eq!(fs::read(out.join("samples/a.jpg")).unwrap(), b"a");
    assert!(out.join("app.js").is_file() && !out.join("app.js.br").exists());

    let list: Vec<Value> = serde_json::from_slice(&fs::read(out.join("models")).unwrap()).unwrap();
    assert_eq!(list.len(), 2);
    for entry in list {
        let manifest = entry["manifest"].as_str().unwrap();
        assert!(!manifest.starts_with('/') && entry["classify"].is_null(), "{entry}");
        let manifest = out.join(manifest);
        let content: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
        for file in content["files"].as_array().unwrap() {
            let path = manifest.with_file_name(file["file"].as_str().unwrap());
            assert_eq!(path.metadata().unwrap().len(), file["bytes"].as_u64().unwrap(), "{}", path.display());
        }
    }
}

#[test]
fn what_is_no_page_or_no_model_leaves_no_folder() {
    let (page, folder) = (page(), tempfile::tempdir().unwrap());
    let out = folder.path().join("site");
    let refused = |said: assert_cmd::assert::Assert| {
        let said = String::from_utf8(said.code(2).get_output().stderr.clone()).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.iter().filter(|name| *name != "damaged").count(), 0, "{left:?}");
        said
    };
    let said = refused(site(folder.path(), &[], &out));
    assert!(said.contains("index.html"), "{said}");
    let said = refused(site(page.path(), &[page.path()], &out));
    assert!(said.contains("manifest.json"), "{said}");

    // A file of the right length with another content.
    let damaged = folder.path().join("damaged");
    fs::create_dir(&damaged).unwrap();
    for entry in fs::read_dir(&models().quantized).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), damaged.join(entry.file_name())).unwrap();
    }
    let manifest: Value = serde_json::from_slice(&fs::read(damaged.join("manifest.json")).unwrap()).unwrap();
    let file = damaged.join(manifest["files"][0]["file"].as_str().unwrap());
    let mut content = fs::read(&file).unwrap();
    let last = content.last_mut().unwrap();
    *last = !*last;
    fs::write(&file, content).unwrap();
    let said = refused(site(page.path(), &[&damaged], &out));
    assert!(said.contains("SHA-256"), "{said}");

    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine"), "1").unwrap();
    let said = site(page.path(), &[], &out).code(2);
    let said = String::from_utf8(said.get_output().stderr.clone()).unwrap();
    assert!(said.contains("not empty"), "{said}");
    assert_eq!(fs::read(out.join("mine")).unwrap(), b"1");
}
