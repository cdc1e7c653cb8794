//! The photos in a folder, known by their content.

use super::photo::name_of;
use dermake_process::print::shown;
use rayon::prelude::*;
use shared_model::preprocess::{FileKind, OtherFile, PictureFormat};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Skipped files that are named.
const N_NAMED: usize = 5;

/// The photos in a folder and in those below it, in the order of their names. Other files are counted and named in the
/// log; hidden ones and those of the folder `except` are left out.
pub fn photos_below(folder: &Path, except: Option<&Path>) -> Vec<PathBuf> {
    let except = except.and_then(|path| path.canonicalize().ok());
    let is_wanted = |entry: &walkdir::DirEntry| {
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_excepted =
            entry.file_type().is_dir() && except.is_some() && entry.path().canonicalize().ok() == except;
        entry.depth() == 0 || !(is_hidden || is_excepted)
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_wanted) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
            Ok(_) => {}
            // A link that leads nowhere, a folder that is closed: the other photos are there.
            Err(err) => tracing::warn!("skipped: {}", shown(&err.to_string())),
        }
    }
    let are_photos: Vec<bool> = files.par_iter().map(|path| is_photo(path)).collect();
    let (mut photos, mut others) = (Vec::new(), Vec::new());
    for (path, is_photo) in files.into_iter().zip(are_photos) {
        if is_photo { photos.push(path) } else { others.push(path) }
    }
    log_skipped(folder, &others);
    photos
}

/// Returns whether a file is a photo, or should be one: then reading it reports the problem.
fn is_photo(path: &Path) -> bool {
    // A picture's ending is believed without a look into the file.
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let is_named_so =
        |ending: String| PictureFormat::ALL.iter().any(|format| format.file_endings().contains(&ending.as_str()));
    if ending.is_some_and(is_named_so) {
        return true;
    }
    match dermake_pictures::kind(path) {
        Ok(FileKind::Picture(_)) => true,
        Ok(FileKind::Other(OtherFile::Svg)) | Err(_) => false,
        Ok(FileKind::Other(other)) => other.is_picture(),
    }
}

fn log_skipped(folder: &Path, others: &[PathBuf]) {
    if others.is_empty() {
        return;
    }
    let name = |path: &PathBuf| shown(&name_of(path.strip_prefix(folder).unwrap_or(path)));
    let mut names = others.iter().take(N_NAMED).map(name).collect::<Vec<_>>().join(", ");
    if others.len() > N_NAMED {
        names += &format!(" and {} more", others.len() - N_NAMED);
    }
    let files = if others.len() == 1 { "file is" } else { "files are" };
    tracing::info!("{} {files} no photo and skipped: {names}", others.len());
}
