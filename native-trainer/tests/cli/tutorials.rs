//! The tutorials of `docs/tutorials.md`: each named block of commands, run by a shell as it is written.

use crate::limited::{self, Limited};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

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

/// A shell that runs a script in a folder as a reader of the page would.
fn shell(folder: &Path, script: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_dermake")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = limited::without_settings(Command::new("sh"));
    command
        .args(["-e", "-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .env("DERMAKE_FEATURES", folder.join("cache"));
    command
}

/// Starts the server of a script, which is one command, asks it about a drawn picture, and stops it.
fn serve(folder: &Path, script: &str) {
    let mut command = shell(folder, &format!("exec {script}"));
    let mut server = Limited::start(command.env("DERMAKE_PORT", "0").stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let url = url.trim_end().trim_end_matches('/');
    assert!(url.starts_with("http://"), "the address is printed: {url}");
    let page = ureq::get(format!("{url}/")).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(page.contains("<html"), "{page}");
    let picture = fs::read_dir(folder.join("drawn/zeroshot/images")).unwrap().next().unwrap().unwrap();
    let photo = fs::read(picture.path()).unwrap();
    let request = ureq::post(format!("{url}/v1/classify?labels=acne,nevus")).content_type("image/jpeg");
    let answer = request.send(&photo[..]).unwrap().body_mut().read_to_string().unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(crate::labels_of(&answer).len(), 2, "{answer}");
    assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    assert!(server.wait().unwrap().success(), "a stop by signal is no failure");
}

#[test]
fn every_tutorial_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = blocks();
    let run = |name: &str, script: &str| {
        let mut command = shell(folder.path(), script);
        let output = Limited::start(command.stdout(Stdio::null()).stderr(Stdio::piped())).output();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("data", &blocks.remove("data").unwrap());
    assert_eq!(
        blocks.keys().collect::<Vec<_>>(),
        ["annotate", "evaluate", "finetune", "pretrain", "quantize", "serve", "sweep"]
    );
    let server = blocks.remove("serve").unwrap();
    for (name, script) in &blocks {
        run(name, script);
    }
    serve(folder.path(), &server);
    for file in [
        "report/report.html",
        "runs/lr/lr-find.png",
        "runs/own/curves.png",
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
