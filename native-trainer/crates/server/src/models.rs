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
    /// Held while the folders are read, so that two requests never read the same new model.
    looking: Mutex<()>,
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
        let models =
            Self { places, on_offer: Mutex::default(), looking: Mutex::default(), unusable: Mutex::default() };
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
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
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
        let Found { folders, links } = match look_into(parent) {
            Ok(found) => found,
            Err(err) => {
                self.warn_once(parent, &format!("cannot be read: {err}"));
                return Vec::new();
            }
        };
        for link in &links {
            self.warn_once(link, "a link is not followed; name it with --models itself");
        }
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
        match fs::canonicalize(&folder).and_then(|parent| Ok((look_into(&parent)?, parent))) {
            Ok((Found { folders, .. }, parent)) if !folders.is_empty() => Ok(Self::Folder(parent)),
            Ok((Found { mut links, .. }, _)) if !links.is_empty() => {
                Err(Error::OnlyLinks { link: links.remove(0), path: folder })
            }
            _ => Err(Error::NoManifest { path: folder }),
        }
    }
}

/// The models' folders in a folder, and the links to others, in the order of their names.
#[derive(Debug, Default, PartialEq)]
struct Found {
    folders: Vec<PathBuf>,
    links: Vec<PathBuf>,
}

/// Looks into a folder of models, named by its real path. Links are not followed, since they may lead elsewhere.
fn look_into(parent: &Path) -> std::io::Result<Found> {
    let Found { mut folders, mut links } = Found::default();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        match path.join(Manifest::FILE_NAME).is_file() {
            true if kind.is_dir() => folders.push(path),
            true if kind.is_symlink() => links.push(path),
            _ => {}
        }
    }
    folders.sort();
    // Another name of a folder beside it withholds no model.
    links.retain(|link| !fs::canonicalize(link).is_ok_and(|real| folders.contains(&real)));
    links.sort();
    Ok(Found { folders, links })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_to_models_elsewhere_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for model in ["parent/b", "parent/a", "elsewhere/c", "parent/no model"] {
            fs::create_dir_all(root.join(model)).unwrap();
            if !model.contains(' ') {
                fs::write(root.join(model).join(Manifest::FILE_NAME), "{}").unwrap();
            }
        }
        let parent = root.join("parent");
        symlink(root.join("elsewhere/c"), parent.join("link")).unwrap();
        symlink("a", parent.join("current")).unwrap();
        symlink(root.join("nowhere"), parent.join("dangling")).unwrap();
        let expected =
            Found { folders: vec![parent.join("a"), parent.join("b")], links: vec![parent.join("link")] };
        assert_eq!(look_into(&parent).unwrap(), expected);
    }
}
