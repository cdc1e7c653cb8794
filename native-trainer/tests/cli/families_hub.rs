//! Models of other families by their names on a hub, in the files as they are published: downloaded, classified,
//! evaluated, quantized and served, and again without the hub. Those that no hub could serve as they are, since their
//! heads are narrower than the config can say, are evaluated, quantized and served from their folders.

use crate::eval_data::{Data, log};
use crate::family::{Family, files_of};
use crate::serve::Server;
use crate::shared_folder::shared_folder;
use crate::standin_hub::StandinHub;
use crate::{dermake, json_lines, sample};
use assert_cmd::Command;
use dermake_evaluation::compare::Comparison;
use serde_json::Value;
use shared_model::tokenizer::Tokenizer;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A hub with one model of each family, and with the repositories that hold their text towers' configs and tokenizers.
struct Published {
    models: Vec<PublishedModel>,
    hub: StandinHub,
    home: PathBuf,
}

struct PublishedModel {
    /// What `--model` takes: `hf-hub:lab/NAME`, or a folder.
    name: String,
    /// What the program calls it.
    title: String,
    /// The same files in one folder.
    folder: PathBuf,
    is_on_hub: bool,
    /// Whether its tokenizer is in another repository.
    borrows_tokenizer: bool,
}

fn published() -> &'static Published {
    static PUBLISHED: OnceLock<Published> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let root = shared_folder("hub");
        let models = Family::all().iter().map(|family| publish(family, &root)).collect();
        Published { models, hub: StandinHub::start(&root).unwrap(), home: shared_folder("hub-home") }
    })
}

/// Copies a model into the hub: each repository that its config names to a place of its own.
fn publish(family: &Family, root: &Path) -> PublishedModel {
    let folder = family.folder.clone();
    if !family.is_as_published {
        let (name, title) = (folder.to_str().unwrap().into(), folder.file_name().unwrap().to_str().unwrap().into());
        return PublishedModel { name, title, folder, is_on_hub: false, borrows_tokenizer: false };
    }
    let name = format!("lab/{}", family.name());
    let own = root.join(&name);
    fs::create_dir_all(&own).unwrap();
    let text_tower = text_repository(&folder);
    // BiomedCLIP is published with its tokenizer; those that were derived from its text tower are not.
    let borrows_tokenizer = text_tower.is_some() && folder.parent().unwrap().ends_with("panderm");
    for path in files_of(&folder) {
        let file = path.file_name().unwrap().to_str().unwrap();
        let repository = match &text_tower {
            Some(repository) if borrows_tokenizer && Tokenizer::FILE_NAMES.contains(&file) => root.join(repository),
            _ => own.clone(),
        };
        if !["case.json", "cases.json", "io.safetensors"].contains(&file) {
            fs::create_dir_all(&repository).unwrap();
            fs::copy(&path, repository.join(file)).unwrap();
        }
    }
    if let Some(repository) = &text_tower {
        fs::create_dir_all(root.join(repository)).unwrap();
        for path in files_of(&folder.join(repository)) {
            fs::copy(&path, root.join(repository).join(path.file_name().unwrap())).unwrap();
        }
    }
    PublishedModel { name: format!("hf-hub:{name}"), title: name, folder, is_on_hub: true, borrows_tokenizer }
}

/// The repository of the text tower, if the model's config names one.
fn text_repository(folder: &Path) -> Option<String> {
    let config = fs::read(folder.join("open_clip_config.json")).ok()?;
    let config: Value = serde_json::from_slice(&config).unwrap();
    Some(config["model_cfg"]["text_cfg"]["hf_model_name"].as_str()?.to_string())
}

impl Published {
    /// The program with this hub, or only with what is in the cache.
    fn dermake(&self, is_online: bool) -> Command {
        let mut command = dermake();
        command.env("HF_HOME", &self.home).env("HF_ENDPOINT", &self.hub.url);
        if is_online {
            command.env_remove("HF_HUB_OFFLINE");
        }
        command
    }
}

fn answer(mut command: Command, model: &str) -> Value {
    command.args(["classify", "--json", "--labels", "scale, bulla, a red spot", "--model", model]);
    let output = command.arg(sample(1)).output().unwrap();
    assert!(output.status.success(), "{model}: {}", log(&output));
    json_lines(&output.stdout).remove(0)
}

#[test]
fn every_family_is_downloaded_by_its_name_and_then_works_offline() {
    let published = published();
    let models: Vec<&PublishedModel> = published.models.iter().filter(|model| model.is_on_hub).collect();
    assert!(models.len() >= 5, "{} models", models.len());
    assert!(models.iter().any(|model| model.borrows_tokenizer));
    for PublishedModel { name, folder, .. } in models {
        let downloaded = answer(published.dermake(true), name);
        let cached = answer(published.dermake(false), name);
        let local = answer(dermake(), folder.to_str().unwrap());
        assert_eq!(downloaded["predictions"], local["predictions"], "{name}");
        assert_eq!(cached["predictions"], local["predictions"], "{name}");
    }
}

#[test]
fn all_families_are_evaluated_in_one_table() {
    let published = published();
    let data = Data::new();
    let mut command = published.dermake(true);
    command.args(["eval", "--only", "colors", "--no-cache", "--data"]).arg(data.folder.path());
    for model in &published.models {
        command.args(["--model", &model.name]);
    }
    let output = command.arg("--out").arg(data.folder.path().join("report")).output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    let json = fs::read(data.folder.path().join("report/results.json")).unwrap();
    let comparison: Comparison = serde_json::from_slice(&json).unwrap();
    let named: Vec<&str> = comparison.models.iter().map(|results| results.model.name.as_str()).collect();
    let expected: Vec<&str> = published.models.iter().map(|model| model.title.as_str()).collect();
    assert_eq!(named, expected);
    for results in &comparison.models {
        assert_eq!(results.benchmarks[0].n_scored, 10, "{}", results.model.name);
        assert!(results.benchmarks[0].metrics.iter().all(|metric| metric.value.is_some_and(f64::is_finite)));
    }
}

#[test]
fn every_family_is_served_dense_and_quantized_with_the_command_line_s_answers() {
    let published = published();
    let quantized = tempfile::tempdir().unwrap();
    let mut server = crate::limited::dermake();
    server.args(["serve", "--infer", "cpu", "--models"]).arg(quantized.path());
    server.env("HF_HOME", &published.home).env("HF_ENDPOINT", &published.hub.url).env_remove("HF_HUB_OFFLINE");
    let mut expected = Vec::new();
    for (number, PublishedModel { name, title, is_on_hub, .. }) in published.models.iter().enumerate() {
        let out = quantized.path().join(format!("{number}-{}", title.replace('/', "-")));
        let mut quantize = published.dermake(true);
        quantize.args(["quantize", "--format", "int8", "--calibrate", "none", "--model", name, "--out"]).arg(&out);
        quantize.assert().success();
        server.args(["--infer-model", name]);
        // A model of the hub is called by its address, since the quantized one has its name, too.
        let requested = if *is_on_hub { name } else { title };
        expected.push((requested.clone(), answer(published.dermake(true), name)));
    }
    for entry in fs::read_dir(quantized.path()).unwrap() {
        let folder = entry.unwrap().path();
        server.arg("--infer-model").arg(&folder);
        let name = folder.file_name().unwrap().to_str().unwrap().to_string();
        expected.push((name, answer(dermake(), folder.to_str().unwrap())));
    }
    let server = Server::run(&mut server);
    let photo = fs::read(sample(1)).unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    for (model, expected) in expected {
        let url = format!("{}/v1/classify?labels=scale,bulla,a+red+spot&model={model}", server.url);
        let mut response = agent.post(&url).content_type("image/jpeg").send(&photo[..]).unwrap();
        let answer = response.body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let (found, expected) = (answer["predictions"].as_array(), expected["predictions"].as_array().unwrap());
        let found = found.unwrap_or_else(|| panic!("{model}: {answer}"));
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found["label"], expected["label"], "{model}");
            let difference = found["logit"].as_f64().unwrap() - expected["logit"].as_f64().unwrap();
            assert!(difference.abs() < 1e-3, "{model}: {difference}");
        }
    }
}
