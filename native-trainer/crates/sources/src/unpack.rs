//! Images that are inside Parquet and tar files, as files of their own: training and reports open them in any order.

use crate::dataset::Dataset;
use crate::image::Image;
use crate::parquet_cells::ImageCells;
use anyhow::{Context, Result, bail};
use dermake_files::hash;
use dermake_files::lock::Held;
use dermake_files::output::OutputFolder;
use dermake_pictures::PictureError;
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::{host, progress};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Name of the folder in the program's cache.
const CACHE_FOLDER: &str = "images";
/// Images in one folder.
const N_PER_FOLDER: usize = 10_000;
/// Longest part of an image's name that its file's name has.
const MAX_NAME_CHARS: usize = 60;
/// Time between two looks at a folder that another process is writing.
const WAIT: Duration = Duration::from_millis(200);

impl Dataset {
    /// Writes the images that are inside other files into a folder below `cache` (by default in the user's cache), unless
    /// an earlier call did, and makes them the data set's images. Without such images, nothing happens. Of several
    /// processes, such as the ranks of a run, one writes and the others wait.
    ///
    /// # Errors
    /// When the folder cannot be written to; nothing half-written is left then. When a source cannot be read, or on a
    /// request to stop while another process writes.
    pub fn unpack(&mut self, cache: Option<&Path>) -> Result<()> {
        if !self.has_packed_images() {
            return Ok(());
        }
        let default = || Some(host::cache_dir()?.join(CACHE_FOLDER));
        let cache = cache.map(Path::to_path_buf).or_else(default);
        let folder = cache.context("there is no home directory for unpacked images")?.join(self.cache_key()?);
        let names: Vec<Option<String>> = (0..self.len()).map(|row| self.file_name(row)).collect();
        if let Some(output) = new_folder(&folder)? {
            tracing::info!("images are unpacked into {}", folder.display());
            self.write_images(&output, &names)?;
            output.finish()?;
        }
        let images = names.into_iter().enumerate().map(|(row, name)| match name {
            Some(name) => Some(Image::File(folder.join(name))),
            None => self.known_image(row).cloned(),
        });
        let images = images.collect();
        self.set_images(images);
        Ok(())
    }

    /// Changes whenever one of the files does.
    fn cache_key(&self) -> Result<String> {
        let mut text = String::new();
        for file in self.files() {
            let metadata = file.metadata().with_context(|| format!("cannot read {}", file.display()))?;
            let path = file.canonicalize().unwrap_or_else(|_| file.clone());
            let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            text += &format!(
                "{}\0{}\0{}\0",
                path.display(),
                metadata.len(),
                modified.map_or(0, |time| time.as_nanos())
            );
        }
        let stem = self.path().file_stem().unwrap_or_default().to_string_lossy();
        Ok(format!("{}-{}", plain(&stem), &hash::sha256(text)[..16]))
    }

    /// The name of a row's image below the folder, if it is inside another file.
    fn file_name(&self, row: usize) -> Option<String> {
        let image = self.known_image(row).filter(|image| image.path().is_none())?;
        let name = image.name();
        let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
        Some(format!("{:03}/{row:07}-{}", row / N_PER_FOLDER, plain(base)))
    }

    fn write_images(&self, output: &OutputFolder, names: &[Option<String>]) -> Result<()> {
        let bar = progress::images(names.iter().flatten().count());
        bar.set_message("unpacking");
        let mut of_cells: HashMap<(PathBuf, usize), Cells> = HashMap::new();
        for (row, name) in names.iter().enumerate() {
            let (Some(name), Some(image)) = (name, self.known_image(row)) else { continue };
            let path = output.path(name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
            }
            match image {
                Image::Cell { cells, row_group, row, .. } => {
                    let key = (cells.path().to_path_buf(), *row_group);
                    of_cells.entry(key).or_insert_with(|| (cells.clone(), HashMap::new())).1.insert(*row, path);
                }
                image => {
                    let bytes = match image.read() {
                        Ok(bytes) => bytes,
                        // No picture: whoever opens the empty file says so.
                        Err(PictureError::Image(_)) => Vec::new(),
                        Err(err) => return Err(err).with_context(|| format!("cannot read {}", image.name())),
                    };
                    std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
                    bar.inc(1);
                }
            }
        }
        for ((_, row_group), (cells, paths)) in of_cells {
            let (mut row, mut outcome) = (0, Ok(()));
            let read = cells.each(row_group, |bytes| {
                if let (Some(bytes), Some(path), Ok(())) = (bytes, paths.get(&row), &outcome) {
                    outcome =
                        std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()));
                    bar.inc(1);
                }
                row += 1;
            });
            read.with_context(|| format!("cannot read {}", cells.path().display()))?;
            outcome?;
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// The folder to write, or `None` if it is there, as soon as no other process is writing it.
fn new_folder(folder: &Path) -> Result<Option<OutputFolder>> {
    let mut is_waiting = false;
    while !folder.is_dir() {
        match OutputFolder::create(folder) {
            Ok(output) => return Ok(Some(output)),
            Err(err) if err.is::<Held>() => {
                if !std::mem::replace(&mut is_waiting, true) {
                    tracing::info!("waiting for another process that unpacks the images into {}", folder.display());
                }
                if interrupt::is_requested() {
                    bail!(Interrupted);
                }
                std::thread::sleep(WAIT);
            }
            // The other process has finished it since.
            Err(_) if folder.is_dir() => {}
            Err(err) => return Err(err),
        }
    }
    Ok(None)
}

/// Images of one row group: who reads them, and where each goes.
type Cells = (Arc<ImageCells>, HashMap<usize, PathBuf>);

/// A name without what a file's name may not have on some system.
fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let skipped = name.chars().count().saturating_sub(MAX_NAME_CHARS);
    name.chars().skip(skipped).map(|c| if is_plain(c) { c } else { '_' }).collect()
}
