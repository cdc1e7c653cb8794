//! The tutorials of `docs/tutorials.md`: each named block of commands, run by a shell as it is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The blocks ```` ```sh NAME ```` of the page, by their names.
fn blocks() -> BTreeMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tutorials.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("\n```sh ").skip(1).map(|block| {
        let (name, rest) = block.split_once('\n').unwrap();
        (name.to_owned(), rest.split("\n```").next().unwrap().to_owned())
    });
    blocks.collect()
}

#[cfg(unix)]
#[test]
fn every_tutorial_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = blocks();
    let run = |name: &str, script: &str| {
        let program = Path::new(env!("CARGO_BIN_EXE_dermake")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(folder.path())
            .env("PATH", path)
            .env("HF_HUB_OFFLINE", "1")
            .env("DERMAKE_FEATURES", folder.path().join("cache"))
            .env_remove("DERMAKE_MODEL")
            .env_remove("DERMAKE_DATA")
            .env_remove("DERMAKE_DEVICE")
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("data", &blocks.remove("data").unwrap());
    assert_eq!(
        blocks.keys().collect::<Vec<_>>(),
        ["annotate", "evaluate", "finetune", "pretrain", "quantize", "sweep"]
    );
    for (name, script) in &blocks {
        run(name, script);
    }
    for file in [
        "report/report.html",
        "runs/lr/lr-find.svg",
        "runs/own/curves.svg",
        "compared/report.html",
        "head/head.safetensors",
        "report/figures/own-label-map.png",
        "tuned/tuned/open_clip_model.safetensors",
        "sweep/sweep.html",
        "concepts.csv",
        "features.parquet",
        "models/mine/manifest.json",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    let compared = fs::read_to_string(folder.path().join("compared/results.json")).unwrap();
    assert!(compared.contains("\"differences\""), "{compared}");
}
