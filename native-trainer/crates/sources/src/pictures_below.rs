//! The pictures in a folder and below it, known by their content.

use crate::results_folder::is_results_folder;
use rayon::prelude::*;
use shared_model::preprocess::{FileKind, OtherFile, PictureFormat};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// The files of a folder, in the order of their names.
#[derive(Debug, Default)]
pub struct FoundFiles {
    pub pictures: Vec<PathBuf>,
    /// Files that are no pictures.
    pub others: Vec<PathBuf>,
    /// Folders and links that could not be looked into: there may be pictures behind them.
    pub closed: Vec<Closed>,
    /// Links to folders that they are in, which are not followed.
    pub loops: Vec<PathBuf>,
    /// Folders that this program has written, which are not looked into.
    pub results: Vec<PathBuf>,
}

/// A folder or a link that could not be looked into.
#[derive(Debug)]
pub struct Closed {
    pub path: PathBuf,
    pub reason: String,
}

impl Closed {
    fn of(err: &walkdir::Error, folder: &Path) -> Self {
        let path = err.path().unwrap_or(folder).to_path_buf();
        let reason = if path.is_symlink() && !path.exists() {
            "this link leads to a place that is not there".into()
        } else {
            let cause = err.io_error().map_or_else(|| err.to_string(), ToString::to_string);
            format!("cannot look into this folder: {cause}")
        };
        Self { path, reason }
    }
}

/// Finds the pictures in a folder and in those below it. Hidden files are left out, those of the folder `except`, and those
/// of reports and training runs below the folder.
pub fn pictures_below(folder: &Path, except: Option<&Path>) -> FoundFiles {
    let except = except.and_then(|path| path.canonicalize().ok());
    let mut results = Vec::new();
    let is_wanted = |entry: &walkdir::DirEntry| {
        if entry.depth() == 0 {
            return true;
        }
        let (path, is_folder) = (entry.path(), entry.file_type().is_dir());
        let is_excepted = is_folder && except.is_some() && path.canonicalize().ok() == except;
        if is_hidden(path) || is_excepted {
            return false;
        }
        let is_result = is_folder && is_results_folder(path);
        results.extend(is_result.then(|| path.to_path_buf()));
        !is_result
    };
    let (mut files, mut found) = (Vec::new(), FoundFiles::default());
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_wanted) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
            Ok(_) => {}
            Err(err) if err.loop_ancestor().is_some() => found.loops.extend(err.path().map(PathBuf::from)),
            // Emacs keeps its locks in such links.
            Err(err) if err.depth() > 0 && err.path().is_some_and(is_hidden) => {}
            // A link that leads nowhere, a folder that is closed: the other pictures are there.
            Err(err) => found.closed.push(Closed::of(&err, folder)),
        }
    }
    found.results = results;
    let are_pictures: Vec<bool> = files.par_iter().map(|path| is_picture(path)).collect();
    for (path, is_picture) in files.into_iter().zip(are_pictures) {
        if is_picture { found.pictures.push(path) } else { found.others.push(path) }
    }
    found
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b".") || name == b"__MACOSX"
}

/// Returns whether a name has the ending of a picture.
pub(crate) fn is_picture_ending(ending: &str) -> bool {
    let ending = ending.to_lowercase();
    PictureFormat::ALL.iter().any(|format| format.file_endings().contains(&ending.as_str()))
}

/// Returns whether a file is a picture, or should be one: then reading it reports the problem.
fn is_picture(path: &Path) -> bool {
    // A picture's ending is believed without a look into the file.
    if path.extension().is_some_and(|ending| is_picture_ending(&ending.to_string_lossy())) {
        return true;
    }
    match dermake_pictures::kind(path) {
        Ok(FileKind::Picture(_)) => true,
        Ok(FileKind::Other(OtherFile::Svg)) | Err(_) => false,
        Ok(FileKind::Other(other)) => other.is_picture(),
    }
}
