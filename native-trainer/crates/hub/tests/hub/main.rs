//! Models from disk and from a hub, a stand-in of which is served on this machine.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod companions;
mod downloads;
mod faults;
mod mirrors;
mod on_disk;
mod refusals;
mod sharded;
#[path = "../standin_hub/mod.rs"]
mod standin_hub;
mod trust;
mod unwritable;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dermake_hub::{Error, HubSettings, ModelFiles, Result, WeightsKind, resolve, resolve_with};
use standin_hub::{Fault, LISTING, Mirror, StandinHub};
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
        Self::around(|root| StandinHub::start(root).unwrap())
    }

    fn behind(mirror: Mirror) -> Self {
        Self::around(|root| StandinHub::start_behind(mirror, root).unwrap())
    }

    fn around(start: impl FnOnce(&Path) -> StandinHub) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_model(&folder.path().join("hub/ada/skin"), 1);
        let hub = start(&folder.path().join("hub"));
        let settings = HubSettings { retry_wait: Duration::from_millis(1), ..settings(&hub, folder.path(), &[]) };
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

/// What an environment with these variables says, beside the hub's address and a cache in `folder`.
fn settings(hub: &StandinHub, folder: &Path, variables: &[(&str, &str)]) -> HubSettings {
    let cache = folder.join("cache");
    let lookup = |name: &str| match name {
        "HF_ENDPOINT" => Some(hub.url.clone()),
        "HF_HUB_CACHE" => Some(cache.to_str()?.to_owned()),
        _ => variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
    };
    HubSettings::from_lookup(lookup, None).unwrap()
}

fn write_model(folder: &Path, seed: u32) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(CONFIG), format!("{{\"model_cfg\": {seed}}}")).unwrap();
    fs::write(folder.join("README.md"), "# A model").unwrap();
    let noise = (0..200_000_u32).map(|i| (i.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8);
    fs::write(folder.join(WEIGHTS), noise.collect::<Vec<_>>()).unwrap();
}
