//! `dermake embed` and `dermake search`: photos of a folder found by a text or by another photo.

use crate::device::placement;
use crate::features::{Encoder, FeatureStore, Hit, Identity, ImageFile, SearchIndex, StoreError};
use crate::options::ModelOptions;
use crate::{interrupt, model, pictures, progress};
use anyhow::{Context, Result, anyhow, bail};
use candle_core::{Device, Tensor};
use shared_model::ZeroShotModel;
use shared_model::preprocess::Reading;
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Where an index is made unless the user says otherwise: this folder among the photos.
const INDEX_FOLDER: &str = ".dermake";
const IMAGE_ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"];

/// What became of a folder's photos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    pub n_new: usize,
    pub n_known: usize,
    pub n_gone: usize,
    pub n_unreadable: usize,
}

/// Makes the index of a folder's photos, or brings it up to date: only what is new or changed is read.
///
/// # Errors
/// When there is no such folder, the index is another model's, or Ctrl-C was pressed; what was done is kept.
pub fn embed(folder: &Path, index: Option<&Path>, model_options: &ModelOptions) -> Result<Embedded> {
    interrupt::listen("batch")?;
    if !folder.is_dir() {
        bail!("there is no folder {}", folder.display());
    }
    let files = photos(folder);
    let placement = placement(model_options.device, model_options.dtype)?;
    let (model, name) = model::load(&model_options.model, model_options.arch.as_deref(), &placement)?;
    model::warn_of(&model);
    let identity = Identity::of(model_options, &model, &name, Reading::Photo)?;
    let index = index.map_or_else(|| folder.join(INDEX_FOLDER), Path::to_path_buf);
    let mut store = FeatureStore::open(&index, &identity)?;
    let present: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let gone: Vec<String> = store.files()?.into_keys().filter(|name| !present.contains(name.as_str())).collect();
    store.forget(&gone)?;

    let mut encoder = Encoder::new(&model, Reading::Photo, Some(store));
    let bar = progress::images(files.len());
    let found = encoder.images(&files, &bar)?;
    bar.finish_and_clear();
    let mut n_unreadable = 0;
    for (file, row) in files.iter().zip(&found.rows) {
        if let Err(problem) = row {
            n_unreadable += 1;
            tracing::error!("{problem}: {}", file.path.display());
        }
    }
    let n_new = encoder.effort.images_encoded as usize;
    Ok(Embedded { n_new, n_known: encoder.effort.images_at_hand as usize, n_gone: gone.len(), n_unreadable })
}

/// All photos below a folder, in the order of their names, which count from the folder.
fn photos(folder: &Path) -> Vec<ImageFile> {
    let is_shown =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_shown) {
        let entry = match entry {
            Ok(entry) => entry,
            // A link that leads nowhere, a folder that is closed: the other photos are there.
            Err(err) => {
                tracing::warn!("{err}");
                continue;
            }
        };
        let ending = entry.path().extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let is_image = ending.is_some_and(|ending| IMAGE_ENDINGS.contains(&ending.as_str()));
        if entry.file_type().is_file() && is_image {
            let name = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            files.push(ImageFile { name: name.to_string_lossy().into_owned(), path: entry.path().into() });
        }
    }
    files
}

/// What to look for.
pub enum Query {
    Text(String),
    Like(PathBuf),
}

/// How the answers are written.
pub struct SearchOutput {
    pub top_k: usize,
    pub as_json: bool,
}

/// Prints the photos nearest to a text or to another photo, the nearest first.
///
/// `index`: the folder of the index, or of the photos that it lies among.
///
/// # Errors
/// When there is no index, it is another model's, or the photo to compare with cannot be read.
pub fn search(index: &Path, query: &Query, model_options: &ModelOptions, output: &SearchOutput) -> Result<()> {
    let among = index.join(INDEX_FOLDER);
    let index = if among.is_dir() { among } else { index.to_path_buf() };
    let opened = SearchIndex::open(&index)?;
    let placement = placement(model_options.device, model_options.dtype)?;
    let (model, name) = model::load(&model_options.model, model_options.arch.as_deref(), &placement)?;
    let identity = Identity::of(model_options, &model, &name, Reading::Photo)?;
    if identity != *opened.identity() {
        let found = opened.identity().model_name.clone();
        bail!(StoreError::OtherModel { found, expected: name, path: index });
    }
    model::warn_of(&model);
    let feature = query_feature(query, &model)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?;
    let started = std::time::Instant::now();
    let hits = opened.nearest(&feature, output.top_k)?;
    tracing::debug!("{} features searched in {:?}", opened.n_rows(), started.elapsed());
    let mut stdout = std::io::stdout().lock();
    for (rank, hit) in hits.iter().enumerate() {
        let text = if output.as_json { serde_json::to_string(hit)? } else { written(rank, hit) };
        writeln!(stdout, "{text}").context("cannot write the answer")?;
    }
    Ok(())
}

fn written(rank: usize, Hit { file, cosine }: &Hit) -> String {
    format!("{:>4}. {cosine:6.3}  {file}", rank + 1)
}

fn query_feature(query: &Query, model: &ZeroShotModel) -> Result<Tensor> {
    match query {
        Query::Text(text) => Ok(model.encode_texts(std::slice::from_ref(text), &mut |_, _| {})?),
        Query::Like(path) => {
            let image = pictures::open(path, Reading::Photo).map_err(|err| anyhow!("{err}: {}", path.display()))?;
            Ok(model.decoded_image_features(&image)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_found_in_folders_below_but_not_in_hidden_ones() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.JPG", "a/c.png", ".dermake/x.png", "notes.txt", "a/.hidden.png"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/nonexistent", folder.path().join("gone.png")).unwrap();
        let names: Vec<String> = photos(folder.path()).into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["a/c.png", "b.JPG"]);
    }
}
