//! All hosted models: those that were named at start, and those that are in a folder of models at this moment.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared_model::manifest::Manifest;

use super::error::{Error, HttpError, Result};
use super::notices::{Notices, Refused};
use super::weights::{Content, Model};
use dermake_models::demo_model;

/// Models in the order of the options; those of a folder of models in the order of their names.
pub(super) struct Models {
    places: Vec<Place>,
    known: Mutex<Vec<Arc<Model>>>,
    /// Held while the folders are read, so that two requests never read the same new model.
    looking: Mutex<()>,
    /// As `looking`, for requests: they wait without a thread.
    refreshing: Arc<tokio::sync::Mutex<()>>,
    notices: Mutex<Notices>,
}

enum Place {
    Model(Arc<Model>),
    Folder(PathBuf),
}

impl Models {
    /// Reads what the paths name: a model's folder, its manifest, or a folder of models. The models' files are not read
    /// yet; see [`Self::refresh`].
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
        let (known, looking, refreshing) = (Mutex::default(), Mutex::default(), Arc::default());
        let models = Self { places, known, looking, refreshing, notices: Mutex::default() };
        let refused = models.look();
        lock(&models.notices).warn(&refused);
        Ok(models)
    }

    /// Returns whether models can be added later.
    pub(super) fn has_model_folders(&self) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Folder(_)))
    }

    /// Returns whether a model comes and goes with a folder of models.
    pub(super) fn is_followed(&self, model: &Arc<Model>) -> bool {
        !self.places.iter().any(|place| matches!(place, Place::Model(named) if Arc::ptr_eq(named, model)))
    }

    /// Returns the hosted models at this moment, once their files are read.
    pub(super) async fn on_offer(self: &Arc<Self>) -> Result<Vec<Arc<Model>>, HttpError> {
        let refreshing = Arc::clone(&self.refreshing).lock_owned().await;
        let models = self.clone();
        let refresh = move || {
            let _refreshing = refreshing; // also if the request is cancelled
            models.refresh();
        };
        tokio::task::spawn_blocking(refresh).await.map_err(|_| HttpError::Unreadable)?;
        Ok(self.hosted())
    }

    /// Returns the model in a folder of this name, also if it was added to a folder of models since.
    pub(super) async fn find(self: &Arc<Self>, folder: &str) -> Result<Arc<Model>, HttpError> {
        match self.known_in(folder) {
            Some(model) => Ok(model),
            None => self.find_now(folder).await,
        }
    }

    /// As [`Self::find`], as the folders are at this moment.
    pub(super) async fn find_now(self: &Arc<Self>, folder: &str) -> Result<Arc<Model>, HttpError> {
        self.on_offer().await?;
        self.known_in(folder).ok_or(HttpError::NotFound)
    }

    fn known_in(&self, folder: &str) -> Option<Arc<Model>> {
        self.known().into_iter().find(|model| model.folder == folder)
    }

    /// Returns the models as of the last check, whole or not.
    pub(super) fn known(&self) -> Vec<Arc<Model>> {
        lock(&self.known).clone()
    }

    /// Returns those of [`Self::known`] whose files are as their manifests say.
    pub(super) fn hosted(&self) -> Vec<Arc<Model>> {
        self.known().into_iter().filter(|model| model.content() == Content::Whole).collect()
    }

    /// Looks into the folders of models again, and reads the files that were not read since they last changed. That may
    /// take seconds for a new model.
    pub(super) fn refresh(&self) {
        let _looking = lock(&self.looking);
        let mut refused = self.look();
        for model in self.known() {
            let why = match model.check() {
                Content::Whole => continue,
                Content::Damaged { file } => {
                    format!("`{file}` is gone, or its SHA-256 is not the manifest's; copy the model again")
                }
                Content::Unread => "a file cannot be read, or changes while it is read".to_owned(),
            };
            refused.push(Refused::new(&model.path, why));
        }
        let followed = self.hosted().into_iter().filter(|model| self.is_followed(model));
        let mut notices = lock(&self.notices);
        notices.warn(&refused);
        notices.log_changes(followed.map(|model| model.path.clone()).collect());
    }

    /// Reads the folders of models again, except what did not change. Returns the models that are not hosted.
    fn look(&self) -> Vec<Refused> {
        let known = self.known();
        let (mut found, mut refused): (Vec<Arc<Model>>, _) = (Vec::new(), Vec::new());
        for place in &self.places {
            let models = match place {
                Place::Model(model) => vec![model.clone()],
                Place::Folder(parent) => look_at(parent, &known, &mut refused),
            };
            for model in models {
                if found.iter().any(|other| other.folder == model.folder) {
                    refused.push(Refused::new(&model.path, "another model has a folder of this name"));
                } else {
                    found.push(model);
                }
            }
        }
        *lock(&self.known) = found;
        refused
    }
}

/// Returns the models in a folder of models; those of `known` that are still there are kept.
fn look_at(parent: &Path, known: &[Arc<Model>], refused: &mut Vec<Refused>) -> Vec<Arc<Model>> {
    let Found { folders, links } = match look_into(parent) {
        Ok(found) => found,
        Err(err) => {
            refused.push(Refused::new(parent, format!("cannot be read: {err}")));
            return Vec::new();
        }
    };
    let of_link = |link: &PathBuf| Refused::new(link, "a link is not followed; name it with --models itself");
    refused.extend(links.iter().map(of_link));
    let load = |folder: PathBuf| {
        let former = known.iter().find(|model| model.path == folder);
        if let Some(same) = former.filter(|model| model.has_same_manifest()) {
            return Some(same.clone());
        }
        match Model::load(&folder, former.map(Arc::as_ref)) {
            Ok(model) => Some(Arc::new(model)),
            // It may still be being copied: the next check decides.
            Err(err) => {
                let growing = match &err {
                    Error::Length { path, .. } => Some(path.display().to_string()),
                    _ => None,
                };
                let one = Refused::new(&folder, format!("{:#}", anyhow::Error::from(err)));
                refused.push(Refused { kind: growing.unwrap_or_else(|| one.why.clone()), ..one });
                None
            }
        }
    };
    folders.into_iter().filter_map(load).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            return Ok(Self::Model(Arc::new(Model::load(&folder, None)?)));
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
