//! A page, a hosted model, and a tiny model that answers requests, for `dermake serve`.

use crate::parameters;
use crate::tiny_weights;
use axum::Router;
use dermake_device::DeviceChoice;
use dermake_files::hash;
use dermake_models::{CONFIG_FILE, WEIGHTS_FILE};
use dermake_server::{AccessOptions, InferOptions, Limits, ServeConfig, Server, TlsOptions};
use shared_model::config::ClipConfig;
use shared_model::manifest::Manifest;
use shared_model::tokenizer::CLIP_VOCAB_SIZE;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// The content of the hosted model's files, many times.
const HOSTED: &[u8] = b"0123456789";
const N_REPEATS: usize = 1000;

/// A folder with all that is served.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    /// # Panics
    /// When there is no room for it.
    pub(crate) fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().expect("a folder for what is served") };
        for folder in ["app", "hosted", "model"] {
            fs::create_dir(site.path(folder)).expect("a new folder");
        }
        site.write("app/index.html", b"<!DOCTYPE html><title>a page</title>");
        site.write("app/app.js", &b"export default () => 1;\n".repeat(200));
        site.write("hosted/vision.safetensors", &HOSTED.repeat(N_REPEATS));
        site.write_manifest();
        site.write_model();
        site
    }

    /// All addresses, with bounds that keep each request small.
    ///
    /// # Panics
    /// When the server does not start.
    pub(crate) fn router(&self) -> Router {
        let limits = Limits {
            max_body_mib: 1,
            max_megapixels: 1,
            max_labels: 20,
            max_prompts: 200,
            rate_per_sec: 0,
            ..Limits::default()
        };
        let infer = InferOptions {
            device: Some(DeviceChoice::Cpu),
            models: vec![self.path("model").display().to_string()],
            batch_wait_ms: 0,
            decoders: 1,
            ..InferOptions::default()
        };
        let config = ServeConfig {
            app: Some(self.path("app")),
            models: vec![self.path("hosted")],
            address: ([127, 0, 0, 1], 0).into(),
            infer,
            limits,
            access: AccessOptions::default(),
            tls: TlsOptions::default(),
        };
        Server::new(&config).expect("a site of ours").router()
    }

    /// The manifest of a hosted model, each of whose parts is the same file.
    fn write_manifest(&self) {
        let file = |role: &str| {
            let (file, n_bytes) = ("vision.safetensors", HOSTED.len() * N_REPEATS);
            let sha256 = hash::sha256(HOSTED.repeat(N_REPEATS));
            serde_json::json!({ "role": role, "file": file, "bytes": n_bytes, "sha256": sha256 })
        };
        let config: serde_json::Value = serde_json::from_slice(crate::CONFIG).expect("a seed of ours");
        let files = ["vision", "text", "classifiers", "tokenizer"].map(file);
        let manifest = serde_json::json!({
            "format": Manifest::FORMAT, "name": "hosted", "trained": false, "weight_format": "int8", "config": config,
            "files": files, "label_sets": [], "templates": ["{}"],
        });
        self.write(&format!("hosted/{}", Manifest::FILE_NAME), manifest.to_string().as_bytes());
    }

    /// As tiny as the seeds' model, but with all of CLIP's words.
    fn write_model(&self) {
        let mut config: serde_json::Value = serde_json::from_slice(crate::CONFIG).expect("a seed of ours");
        config["text_cfg"]["vocab_size"] = CLIP_VOCAB_SIZE.into();
        let json = config.to_string();
        let config = ClipConfig::from_open_clip_json(json.as_bytes()).expect("as good as the seed");
        let weights = tiny_weights(&config);
        let names: Vec<String> = parameters(&config).into_iter().map(|parameter| parameter.name).collect();
        let tensors = names.iter().map(|name| (name, weights.stored(name).expect("it was made")));
        safetensors::serialize_to_file(tensors, None, &self.path("model").join(WEIGHTS_FILE)).expect("a new file");
        self.write(&format!("model/{CONFIG_FILE}"), json.as_bytes());
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, content: &[u8]) {
        fs::write(self.path(path), content).expect("a new file");
    }
}
