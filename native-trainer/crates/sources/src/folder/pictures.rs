//! A folder of images: in a folder for each class, or with text files beside them, or both.

use super::names::FolderNames;
use super::sidecar::{self, Sidecars};
use crate::builder::Builder;
use crate::columns::{LABEL_COLUMN, SPLIT_COLUMN};
use crate::dataset::Dataset;
use crate::error::SourceError;
use crate::form::Form;
use crate::image::Image;
use crate::pictures_below::{FoundFiles, pictures_below};
use crate::{Result, problem::RowFault};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Files that are named in a note.
const N_NAMED: usize = 5;

/// Returns whether a folder has images in folders of classes.
pub(super) fn has_classes(folder: &Path) -> bool {
    let pictures = pictures_below(folder, None).pictures;
    let folders: Vec<Vec<String>> = pictures.iter().map(|path| folders_of(path, folder)).collect();
    let names = FolderNames::of(&folders);
    folders.iter().any(|folders| !names.class(folders).is_empty())
}

/// Reads a folder of images.
///
/// # Errors
/// When there is no image.
pub(super) fn read(folder: &Path) -> Result<Dataset> {
    let FoundFiles { pictures, others, closed, results, .. } = pictures_below(folder, None);
    if pictures.is_empty() {
        return Err(SourceError::EmptyFolder { path: folder.into() });
    }
    let mut builder = Builder::default();
    builder.notes = closed.iter().map(|closed| format!("{}: {}", closed.reason, closed.path.display())).collect();
    builder.notes.extend(results.iter().map(|results| {
        format!("this folder has results that dermake has written, and is not read: {}", results.display())
    }));
    let folders: Vec<Vec<String>> = pictures.iter().map(|path| folders_of(path, folder)).collect();
    let names = FolderNames::of(&folders);
    let has_classes = folders.iter().any(|folders| !names.class(folders).is_empty());
    let label = has_classes.then(|| builder.column(LABEL_COLUMN));
    let split = names.has_splits.then(|| builder.column(SPLIT_COLUMN));
    let mut sidecars = Sidecars::new(others);
    let (mut n_unlabeled, mut n_without) = (0, 0);
    for (path, folders) in pictures.iter().zip(&folders) {
        builder.begin_file(path, None);
        let mut cells: Vec<(usize, Cow<'_, str>)> = Vec::new();
        let texts = sidecars.take(path);
        n_without += usize::from(texts.is_empty());
        for text in &texts {
            match sidecar::record(text) {
                Ok(record) => add(&mut builder, &mut cells, record),
                Err(detail) => builder.problem(RowFault::Unreadable { detail }),
            }
        }
        if let Some(label) = label {
            n_unlabeled += usize::from(names.class(folders).is_empty());
            cells.push((label, Cow::Borrowed(names.class(folders))));
        }
        if let (Some(column), Some(split)) = (split, names.split(folders)) {
            cells.push((column, Cow::Borrowed(split)));
        }
        builder.push(0, &cells, Some(Image::File(path.clone())));
    }
    if n_without > 0 && n_without < pictures.len() {
        builder.notes.push(format!("{n_without} of {} images have no text file beside them", pictures.len()));
    }
    if n_unlabeled > 0 {
        builder.notes.push(format!("{n_unlabeled} of {} images are in no folder of a class", pictures.len()));
    }
    builder.notes.extend(rest(folder, &sidecars.left()));
    let form = if has_classes { Form::ClassFolders } else { Form::Pictures };
    Dataset::of(folder, form, builder)
}

/// Adds the texts of a file; a key that is a column of the folder's own gets another name.
fn add(builder: &mut Builder, cells: &mut Vec<(usize, Cow<'_, str>)>, record: Vec<(String, String)>) {
    for (key, value) in record {
        let is_own = [LABEL_COLUMN, SPLIT_COLUMN].contains(&key.as_str());
        let column = builder.column(&if is_own { format!("json.{key}") } else { key });
        // Of several files with the same key, the first counts, as in a tar file.
        if cells.iter().all(|(known, _)| *known != column) {
            cells.push((column, Cow::Owned(value)));
        }
    }
}

/// The names of the folders between the root and a picture.
fn folders_of(path: &Path, root: &Path) -> Vec<String> {
    let below = path.parent().and_then(|parent| parent.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

fn rest(folder: &Path, others: &[PathBuf]) -> Option<String> {
    let name = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let named: Vec<String> = others.iter().take(N_NAMED).map(name).collect();
    let more = others.len().saturating_sub(N_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (files, are) = if others.len() == 1 { ("file", "is") } else { ("files", "are") };
    (!others.is_empty())
        .then(|| format!("{} other {files} {are} not read: {}{more}", others.len(), named.join(", ")))
}
