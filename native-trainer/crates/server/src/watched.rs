//! Values that are read from files, and read again when the files change: a certificate that is renewed, tokens that
//! are added or taken away.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::disk_file::{Stamp, stamp};
use super::error::Result;

/// Time between two looks at the files.
const INTERVAL: Duration = Duration::from_secs(60);

/// A value and the files that it is read from.
pub(super) struct Watched<T> {
    files: Vec<PathBuf>,
    read: Box<dyn Fn() -> Result<T> + Send + Sync>,
    value: RwLock<Arc<T>>,
    /// Of the files when they were last read; `None` for one that could not be looked at.
    stamps: Mutex<Vec<Option<Stamp>>>,
}

impl<T> Watched<T> {
    /// # Errors
    /// Those of `read`.
    pub(super) fn new(
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T> + Send + Sync + 'static,
    ) -> Result<Arc<Self>> {
        let stamps = stamps(&files); // before the files are read: a change meanwhile is noticed
        let value = RwLock::new(Arc::new(read()?));
        Ok(Arc::new(Self { files, read: Box::new(read), value, stamps: Mutex::new(stamps) }))
    }

    /// The value as it was last read.
    pub(super) fn get(&self) -> Arc<T> {
        self.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What can be brought up to date.
pub(super) trait Update: Send + Sync {
    /// Reads the files again if one has changed. Files that cannot be used are warned of once; the value stays.
    fn update(&self);
}

impl<T: Send + Sync> Update for Watched<T> {
    fn update(&self) {
        let mut seen = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&self.files);
        if *seen == now {
            return;
        }
        *seen = now;
        let files = self.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
        match (self.read)() {
            Ok(value) => {
                *self.value.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
                tracing::info!("read again, as it has changed: {files}");
            }
            Err(err) => {
                tracing::warn!("changed and not used, what was read before stays: {:#}", anyhow::Error::from(err))
            }
        }
    }
}

/// Keeps values up to date for ever.
pub(super) async fn keep_up_to_date(watched: Vec<Arc<dyn Update>>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        for one in &watched {
            let one = one.clone();
            if let Err(err) = tokio::task::spawn_blocking(move || one.update()).await {
                tracing::error!("a changed file could not be read again: {err}");
            }
        }
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    files.iter().map(|file| stamp(file).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::fs;

    #[test]
    fn a_file_is_read_again_when_it_changes_and_one_that_cannot_be_used_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        fs::write(&path, "1").unwrap();
        let file = path.clone();
        let watched = Watched::new(vec![path.clone()], move || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            text.parse::<u32>().map_err(|_| Error::NoTokens { path: file.clone() })
        });
        let watched = watched.unwrap();
        let first = watched.get();
        watched.update();
        assert!(Arc::ptr_eq(&first, &watched.get()), "nothing has changed");
        for (text, expected) in [("22", 22), ("not a number", 22), ("4444", 4444)] {
            fs::write(&path, text).unwrap();
            watched.update();
            assert_eq!(*watched.get(), expected, "{text}");
        }
        fs::remove_file(&path).unwrap();
        watched.update();
        assert_eq!(*watched.get(), 4444);
    }
}
