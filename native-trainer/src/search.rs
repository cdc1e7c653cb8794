//! `dermake embed` and `dermake search`: photos of a folder found by a text or by another photo.

use crate::inputs::{Photo, Tally, name_of, photos_below};
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use dermake_features::{
    Encoder, FeatureStore, Hit, Identity, ImageFeatures, ImageFile, RankGroup, SearchIndex, StoreError,
};
use dermake_files::inputs::is_below;
use dermake_models::options::ModelOptions;
use dermake_models::texts;
use dermake_process::interrupt;
use dermake_process::print::{self, shown};
use dermake_process::progress;
use dermake_sheets::{Sheet, SheetFormat};
use dermake_sources::Closed;
use shared_model::ZeroShotModel;
use shared_model::preprocess::Reading;
use std::collections::HashSet;
use std::path::Path;

/// The default folder of an index, in the folder of the photos.
const INDEX_FOLDER: &str = ".dermake";

/// Counts of a folder's photos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Contents that were read now.
    pub n_new: usize,
    /// Contents that were in the index.
    pub n_known: usize,
    /// Photos with the content of another one that is there.
    pub n_copies: usize,
    pub n_gone: usize,
    pub n_unreadable: usize,
}

impl Embedded {
    /// Photos of which something is in the index, and others.
    pub fn tally(&self) -> Tally {
        Tally { n_answered: self.n_new + self.n_known + self.n_copies, n_failed: self.n_unreadable }
    }

    /// The counts in words.
    pub fn summary(&self) -> String {
        let Self { n_new, n_known, n_copies, n_gone, n_unreadable } = self;
        let copies = match n_copies {
            0 => String::new(),
            1 => ", 1 copy of another".into(),
            n => format!(", {n} copies of others"),
        };
        format!(
            "{n_new} photos new or changed, {n_known} known{copies}, {n_gone} gone, {n_unreadable} unreadable\n"
        )
    }
}

/// Makes the index of a folder's photos, or brings it up to date: only what is new or changed is read. The ranks of
/// `ranks` compute the features.
///
/// # Errors
/// If the folder does not exist or is empty, the index is another model's, or the user stopped the command; finished
/// work is kept.
pub fn embed(
    folder: &Path,
    index: Option<&Path>,
    model_options: &ModelOptions,
    out: Option<&Path>,
    ranks: &RankGroup,
) -> Result<Embedded> {
    out.map(SheetFormat::check).transpose()?;
    if folder.exists() && !folder.is_dir() {
        bail!("expected a folder of photos, found a file: {}", folder.display());
    }
    if !folder.is_dir() {
        bail!("there is no folder {}", folder.display());
    }
    let index = index.map_or_else(|| folder.join(INDEX_FOLDER), Path::to_path_buf);
    let (files, closed) = photos(folder, &index);
    if let Some(out) = out {
        if is_below(out, &index) {
            bail!("--out lies in the folder of the index, expected another place: {}", out.display());
        }
        let read: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
        SheetFormat::refuse_inputs("--out", out, &read)?;
    }
    if files.is_empty() && !index.exists() {
        if let Some(Closed { path, reason }) = closed.first() {
            bail!("{reason}: {}", shown(&name_of(path)));
        }
        bail!("there is no photo in the folder {}", folder.display());
    }
    let (model, identity) = ranks.load(0, model_options, Reading::Photo)?;
    dermake_models::warn_of(&model);
    interrupt::listen("batch")?;
    let mut store =
        FeatureStore::open(&index, &identity).map_err(|err| match err.downcast_ref::<std::io::Error>() {
            Some(_) => err.context(format!(
                "cannot write the index; choose another folder with --index: {}",
                index.display()
            )),
            None => err,
        })?;
    let present: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let closed_names: Vec<String> = closed.iter().map(|closed| name_below(folder, &closed.path)).collect();
    let may_be_there = |name: &String| closed_names.iter().any(|closed| Path::new(name).starts_with(closed));
    let is_gone = |name: &&String| !present.contains(name.as_str()) && !may_be_there(name);
    let gone: Vec<String> = store.files().keys().filter(is_gone).cloned().collect();
    store.forget(&gone)?;

    let mut encoder = Encoder::new(&model, Reading::Photo, Some(store)).with_ranks(ranks);
    let bar = progress::images(files.len());
    let found = encoder.images(&files, &bar)?;
    bar.finish_and_clear();
    // Another rank that ends now would end this one while it writes.
    ranks.finish(false)?;
    let mut n_unreadable = closed.len();
    for Closed { path, reason } in closed {
        tracing::error!("{reason}; photos below it stay in the index: {}", shown(&name_of(&path)));
    }
    for (file, row) in files.iter().zip(&found.rows) {
        if let Err(problem) = row {
            n_unreadable += 1;
            tracing::error!("{problem}: {}", shown(&name_of(&file.path)));
        }
    }
    if let Some(store) = encoder.store() {
        let (table, n_rows) = store.write_files_table()?;
        let values = identity.embed_dim;
        tracing::info!("{n_rows} features of {values} values; which row is of which photo: {}", table.display());
    }
    if let Some(out) = out {
        write_features(out, &files, &found)?;
    }
    let n_new = encoder.effort.images_encoded as usize;
    let n_contents = found.contents.iter().collect::<HashSet<_>>().len();
    let (n_known, n_copies) = (n_contents.saturating_sub(n_new), found.contents.len() - n_contents);
    Ok(Embedded { n_new, n_known, n_copies, n_gone: gone.len(), n_unreadable })
}

/// Writes the features of the photos that could be read, with their names.
fn write_features(out: &Path, files: &[ImageFile], found: &ImageFeatures) -> Result<()> {
    let mut sheet = Sheet::default();
    let is_read = |(file, row): (&ImageFile, &Result<usize, String>)| row.is_ok().then(|| file.name.clone());
    sheet.texts("file", files.iter().zip(&found.rows).filter_map(is_read).collect());
    let (_, width) = found.features.dims2()?;
    sheet.vectors("feature", width, found.features.flatten_all()?.to_vec1()?);
    sheet.write(out)?;
    tracing::info!("{} features of {width} values: {}", sheet.n_rows(), out.display());
    Ok(())
}

/// All photos below a folder, in the order of their names, which count from the folder; and what could not be looked
/// into.
fn photos(folder: &Path, index: &Path) -> (Vec<ImageFile>, Vec<Closed>) {
    let (photos, closed) = photos_below(folder, Some(index));
    (photos.into_iter().map(|path| ImageFile { name: name_below(folder, &path), path }).collect(), closed)
}

/// The name of a path, which counts from the folder.
fn name_below(folder: &Path, path: &Path) -> String {
    name_of(path.strip_prefix(folder).unwrap_or(path))
}

/// The query.
pub enum Query {
    Text(String),
    Like(Photo),
}

/// Form of the answers.
pub struct SearchOutput {
    pub top_k: usize,
    pub as_json: bool,
}

/// Prints the photos nearest to a text or to another photo, the nearest first.
///
/// `index`: the folder of the index, or of its photos.
///
/// # Errors
/// When the text has no letter, there is no index, it is another model's, or the photo to compare with cannot be read.
pub fn search(index: &Path, query: &Query, model_options: &ModelOptions, output: &SearchOutput) -> Result<()> {
    if let Query::Text(text) = query
        && !text.chars().any(char::is_alphanumeric)
    {
        bail!("the search text has no letter, expected what is to be seen on the photos: {text:?}");
    }
    let among = index.join(INDEX_FOLDER);
    let index = if among.is_dir() { among } else { index.to_path_buf() };
    let opened = SearchIndex::open(&index)?;
    let loaded = model_options.open()?;
    let identity = Identity::of(model_options, &loaded, Reading::Photo)?;
    if let Some(difference) = identity.difference(opened.identity()) {
        bail!(StoreError::OtherModel { difference, path: index });
    }
    dermake_models::warn_of(&loaded.model);
    let feature = query_feature(query, &loaded.model)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?;
    let started = std::time::Instant::now();
    let hits = opened.nearest(&feature, output.top_k)?;
    if hits.is_empty() {
        bail!("no photo is in the index; `dermake embed FOLDER` adds those of a folder: {}", index.display());
    }
    tracing::debug!("{} features searched in {:?}", opened.n_rows(), started.elapsed());
    for (rank, hit) in hits.iter().enumerate() {
        if output.as_json { print::json(hit)? } else { print::answer(&written(rank, hit))? }
    }
    Ok(())
}

fn written(rank: usize, Hit { file, cosine }: &Hit) -> String {
    format!("{:>4}. {cosine:6.3}  {}", rank + 1, shown(file))
}

fn query_feature(query: &Query, model: &ZeroShotModel) -> Result<Tensor> {
    match query {
        Query::Text(text) => {
            let text = std::slice::from_ref(text);
            texts::warn_of_cut(model, text);
            Ok(model.encode_texts(text, &mut |_, _| {})?)
        }
        Query::Like(photo) => {
            let feature = || -> Result<Tensor> {
                Ok(model.decoded_image_features(dermake_pictures::decode(&photo.read()?, Reading::Photo)?)?)
            };
            feature().with_context(|| format!("cannot compare with {}", shown(&photo.name)))
        }
    }
}
