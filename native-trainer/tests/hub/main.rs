//! Models from disk and from a hub, a stand-in of which is served on this machine.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod downloads;
mod faults;
mod on_disk;
mod refusals;
#[path = "../support/standin_hub/mod.rs"]
mod standin_hub;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use native_trainer::hub::{Error, HubSettings, ModelFiles, Result, WeightsKind, resolve, resolve_with};
use standin_hub::{Fault, LISTING, StandinHub};
use tempfile::TempDir;

const CONFIG: &str = "open_clip_config.json";
const WEIGHTS: &str = "open_clip_model.safetensors";
const MODEL: &str = "hf-hub:ada/skin";

/// A hub with one model, and an empty cache to download it to.
struct World {
    hub: StandinHub,
    folder: TempDir,
    settings: HubSettings,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("hub/ada/skin");
        write_model(&model, 1);
        let hub = StandinHub::start(&folder.path().join("hub")).unwrap();
        let settings = HubSettings {
            endpoint: hub.url.clone(),
            cache: folder.path().join("cache"),
            token: None,
            offline: false,
            retry_wait: Duration::from_millis(1),
        };
        Self { hub, folder, settings }
    }

    fn resolve(&self) -> Result<ModelFiles> {
        resolve_with(MODEL, &self.settings)
    }

    /// The error's sentence, which must name a fault and not stop at "failed".
    fn complaint(&self, model: &str) -> String {
        resolve_with(model, &self.settings).unwrap_err().to_string()
    }

    fn published(&self, file: &str) -> PathBuf {
        self.folder.path().join("hub/ada/skin").join(file)
    }

    fn cached(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.settings.cache.join("models--ada--skin").join(folder);
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Ranges of the requests for the weights' bytes, without those that ask for the size.
    fn weights_ranges(&self) -> Vec<String> {
        let seen = self.hub.seen().into_iter();
        let weights = seen.filter(|seen| seen.path.starts_with("/cdn/") && seen.path.ends_with(WEIGHTS));
        weights.filter_map(|seen| seen.range).filter(|range| range != "bytes=0-0").collect()
    }

    /// What a success must look like, whatever happened on the way.
    fn assert_whole(&self, files: &ModelFiles) {
        for (path, name) in [(files.config.as_ref().unwrap(), CONFIG), (&files.weights, WEIGHTS)] {
            assert!(path.ends_with(name) && path.is_absolute(), "{}", path.display());
            assert!(fs::read(path).unwrap() == fs::read(self.published(name)).unwrap(), "{name}");
        }
    }
}

fn write_model(folder: &Path, seed: u32) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(CONFIG), format!("{{\"model_cfg\": {seed}}}")).unwrap();
    fs::write(folder.join("README.md"), "# A model").unwrap();
    let noise = (0..200_000_u32).map(|i| (i.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8);
    fs::write(folder.join(WEIGHTS), noise.collect::<Vec<_>>()).unwrap();
}
