//! All hosted models: those that were named at start, and those that are in a folder of models at this moment.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use shared_model::manifest::Manifest;

use super::error::{Error, HttpError, Result};
use super::weights::Model;
use dermake_models::demo_model;

/// Models in the order of the options; those of a folder of models in the order of their names.
pub(super) struct Models {
    places: Vec<Place>,
    on_offer: Mutex<Vec<Arc<Model>>>,
    /// Folders without a usable model that a warning was printed for.
    unusable: Mutex<HashSet<PathBuf>>,
}

enum Place {
    Model(Arc<Model>),
    Folder(PathBuf),
}

impl Models {
    /// Reads what the paths name: a model's folder, its manifest, or a folder of models.
    ///
    /// # Errors
    /// A model cannot be used, a folder holds none, or two have the same name.
    pub(super) fn load(paths: &[PathBuf]) -> Result<Self> {
        let places = paths.iter().map(|path| Place::of(path)).collect::<Result<Vec<_>>>()?;
        let mut names = HashSet::new();
        for place in &places {
            match place {
                Place::Model(model) if !names.insert(&model.folder) => {
                    return Err(Error::SameName { name: model.folder.clone() });
                }
                _ => {}
            }
        }
        let models = Self { places, on_offer: Mutex::default(), unusable: Mutex::default() };
        models.look();
        Ok(models)
    }

    /// Returns whether models can be added later.
    pub(super) fn has_model_folders(&self) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Folder(_)))
    }

    /// Returns the hosted models at this moment.
    pub(super) async fn on_offer(self: &Arc<Self>) -> Result<Vec<Arc<Model>>, HttpError> {
        if self.has_model_folders() {
            let models = self.clone();
            tokio::task::spawn_blocking(move || models.look()).await.map_err(|_| HttpError::Unreadable)?;
        }
        Ok(self.known())
    }

    /// Returns the model in a folder of this name, also if it was added to a folder of models since.
    pub(super) async fn find(self: &Arc<Self>, folder: &str) -> Result<Arc<Model>, HttpError> {
        let is_wanted = |model: &Arc<Model>| model.folder == folder;
        if let Some(model) = self.known().into_iter().find(is_wanted) {
            return Ok(model);
        }
        self.on_offer().await?.into_iter().find(is_wanted).ok_or(HttpError::NotFound)
    }

    /// Returns the hosted models as of the last check.
    pub(super) fn known(&self) -> Vec<Arc<Model>> {
        self.on_offer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the folders of models again, except what did not change.
    fn look(&self) {
        let known = self.known();
        let mut found: Vec<Arc<Model>> = Vec::new();
        for place in &self.places {
            let models = match place {
                Place::Model(model) => vec![model.clone()],
                Place::Folder(parent) => self.look_at(parent, &known),
            };
            for model in models {
                if found.iter().any(|other| other.folder == model.folder) {
                    self.warn_once(&model.path, "another model has a folder of this name");
                } else {
                    found.push(model);
                }
            }
        }
        *self.on_offer.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    fn look_at(&self, parent: &Path, known: &[Arc<Model>]) -> Vec<Arc<Model>> {
        let folders = match folders_with_manifest(parent) {
            Ok(folders) => folders,
            Err(err) => {
                self.warn_once(parent, &format!("cannot be read: {err}"));
                return Vec::new();
            }
        };
        let unchanged =
            |folder: &Path| known.iter().find(|model| model.path == folder && model.is_unchanged()).cloned();
        let load = |folder: PathBuf| match unchanged(&folder).map_or_else(|| Model::load(&folder).map(Arc::new), Ok)
        {
            Ok(model) => Some(model),
            // It may still be being copied: the next check decides.
            Err(err) => {
                self.warn_once(&folder, &format!("{:#}", anyhow::Error::from(err)));
                None
            }
        };
        folders.into_iter().filter_map(load).collect()
    }

    /// Warns once why a folder's model is not hosted.
    fn warn_once(&self, folder: &Path, why: &str) {
        let mut unusable = self.unusable.lock().unwrap_or_else(PoisonError::into_inner);
        if unusable.insert(folder.to_owned()) {
            tracing::warn!("not on offer: {why}: {}", folder.display());
        }
    }
}

impl Place {
    fn of(path: &Path) -> Result<Self> {
        if path.to_str().is_some_and(demo_model::is_name) && !path.exists() {
            return Ok(Self::Model(Arc::new(Model::carried()?)));
        }
        let is_manifest = path.file_name().is_some_and(|name| name == Manifest::FILE_NAME);
        let folder = if is_manifest { path.with_file_name("") } else { path.to_owned() };
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        if folder.join(Manifest::FILE_NAME).is_file() {
            return Ok(Self::Model(Arc::new(Model::load(&folder)?)));
        }
        if !folder.exists() {
            return Err(Error::NoFolder { path: folder });
        }
        match fs::canonicalize(&folder).and_then(|parent| Ok((folders_with_manifest(&parent)?, parent))) {
            Ok((folders, parent)) if !folders.is_empty() => Ok(Self::Folder(parent)),
            _ => Err(Error::NoManifest { path: folder }),
        }
    }
}

/// In the order of their names. Links are ignored, since they may lead elsewhere.
fn folders_with_manifest(parent: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.path().join(Manifest::FILE_NAME).is_file() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}
