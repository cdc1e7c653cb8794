//! The photos in a folder, known by their content.

use super::photo::name_of;
use dermake_process::print::shown;
use dermake_sources::{Closed, pictures_below};
use std::path::{Path, PathBuf};

/// Skipped files that are named.
const N_NAMED: usize = 5;

/// The photos in a folder and in those below it, in the order of their names, and the places that could not be looked
/// into. Other files are counted and named in the log, and so are folders of results; hidden files and those of the folder
/// `except` are left out.
pub fn photos_below(folder: &Path, except: Option<&Path>) -> (Vec<PathBuf>, Vec<Closed>) {
    let found = pictures_below(folder, except);
    for path in &found.loops {
        tracing::warn!("skipped a link to a folder that it is in: {}", shown(&name_of(path)));
    }
    for path in &found.results {
        tracing::warn!("skipped a folder of results that dermake has written: {}", shown(&name_of(path)));
    }
    log_skipped(folder, &found.others);
    (found.pictures, found.closed)
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
