//! A folder: of tables, of archives, or of images.

mod names;
mod pictures;
mod sidecar;

use crate::Result;
use crate::columns::find_image;
use crate::dataset::Dataset;
use crate::error::SourceError;
use crate::file;
use crate::form::Form;
use crate::pictures_below::is_picture_ending;
use crate::results_folder::is_results_folder;
use std::path::{Path, PathBuf};

/// Name of the table of an image folder of Hugging Face, without its ending.
const METADATA: &str = "metadata";

/// Files in a folder, not below it.
#[derive(Default)]
struct Entries {
    tables: Vec<PathBuf>,
    parquet: Vec<PathBuf>,
    archives: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

/// Reads a folder.
///
/// # Errors
/// When it has nothing that can be read, or several tables.
pub(crate) fn read(folder: &Path) -> Result<Dataset> {
    let entries = Entries::of(folder)?;
    if let Some(metadata) = metadata_of(&entries)? {
        return with_rest_noted(Dataset::of_files(folder, &metadata)?, folder, "metadata");
    }
    for files in [&entries.parquet, &entries.archives] {
        if !files.is_empty() {
            return with_rest_noted(Dataset::of_files(folder, files)?, folder, "Parquet or tar files");
        }
    }
    if let Some(data) = from_tables(folder, &entries)? {
        return Ok(data);
    }
    // A repository of Hugging Face keeps its files in `data`; shards may lie in a folder for each part.
    let below = entries.folders.iter().map(|folder| Entries::of(folder)).collect::<Result<Vec<_>>>()?;
    for of in [|entries: &Entries| entries.parquet.clone(), |entries: &Entries| entries.archives.clone()] {
        let files: Vec<PathBuf> = below.iter().flat_map(of).collect();
        if !files.is_empty() {
            return with_rest_noted(Dataset::of_files(folder, &files)?, folder, "Parquet or tar files");
        }
    }
    pictures::read(folder)
}

/// The tables `metadata.csv` or `metadata.jsonl` of the folder, or of its folders `train`, `test` and `validation`.
fn metadata_of(entries: &Entries) -> Result<Option<Vec<PathBuf>>> {
    if let Some(metadata) = entries.metadata() {
        return Ok(Some(vec![metadata]));
    }
    let mut found = Vec::new();
    for part in entries.folders.iter().filter(|folder| file::split(folder).is_some()) {
        found.extend(Entries::of(part)?.metadata());
    }
    Ok((!found.is_empty()).then_some(found))
}

/// The only table of a folder, or one for each part of the data; `None` if there is none, or none names images while
/// there are folders that may be classes.
fn from_tables(folder: &Path, entries: &Entries) -> Result<Option<Dataset>> {
    let tables = &entries.tables;
    let names =
        || tables.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect();
    match tables.as_slice() {
        [] => Ok(None),
        [only] => {
            let data = match Dataset::of_files(only, std::slice::from_ref(only)) {
                // What lies beside classes may be a list of their names, or a file of another program.
                Err(SourceError::Json { .. } | SourceError::NoRows { .. }) if pictures::has_classes(folder) => {
                    return Ok(None);
                }
                read => read?,
            };
            Ok((names_images(&data) || entries.folders.is_empty()).then_some(data))
        }
        several if several.iter().all(|path| file::split(path).is_some()) => {
            Ok(Some(Dataset::of_files(folder, several)?))
        }
        several => {
            let may_be_meant = |table: &PathBuf| {
                Dataset::of_files(table, std::slice::from_ref(table)).is_ok_and(|data| names_images(&data))
            };
            if !several.iter().any(may_be_meant) && pictures::has_classes(folder) {
                return Ok(None);
            }
            Err(SourceError::SeveralTables { names: names(), path: folder.into() })
        }
    }
}

fn names_images(data: &Dataset) -> bool {
    data.knows_images() || find_image(data.columns()).is_some()
}

/// Adds a note if the folder has images that the table does not name.
fn with_rest_noted(mut data: Dataset, folder: &Path, what: &str) -> Result<Dataset> {
    let n_pictures = crate::pictures_below(folder, None).pictures.len();
    // Images inside Parquet and tar files are none of the folder's.
    let n_used = if data.has_packed_images() { 0 } else { data.len() };
    if n_pictures > n_used {
        let n_left_out = n_pictures - n_used;
        data.note(format!("{n_left_out} images of the folder are not in its {what}: {}", folder.display()));
    }
    Ok(data)
}

impl Entries {
    fn of(folder: &Path) -> Result<Self> {
        let failed = |source| SourceError::Read { path: folder.into(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.sort();
        let mut entries = Self::default();
        let mut json = Vec::new();
        let mut has_picture = false;
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            if name.starts_with('.') || name == "__macosx" {
                continue;
            }
            if path.is_dir() {
                // The tables of a report are none of the data.
                entries.folders.extend((!is_results_folder(&path)).then_some(path));
                continue;
            }
            match Form::of_name(&name) {
                Some(Form::Parquet) => entries.parquet.push(path),
                Some(Form::Archive) => entries.archives.push(path),
                Some(_) if name.trim_end_matches(".gz").ends_with(".json") => json.push(path),
                Some(_) => entries.tables.push(path),
                None => has_picture |= is_picture_ending(name.rsplit('.').next().unwrap_or_default()),
            }
        }
        // Beside images, JSON files are about one image each.
        if !has_picture {
            entries.tables.append(&mut json);
        }
        Ok(entries)
    }

    fn metadata(&self) -> Option<PathBuf> {
        let stem = |path: &&PathBuf| path.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case(METADATA));
        self.tables.iter().chain(&self.parquet).find(stem).cloned()
    }
}
