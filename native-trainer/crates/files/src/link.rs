//! Where a link leads: results go there, and the link stays.

use std::path::{Path, PathBuf};

/// Returns the place to which a link leads, also where there is nothing yet; any other path as it is.
pub(crate) fn behind_link(path: &Path) -> PathBuf {
    /// As many links in a row as Linux follows.
    const MAX_LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        let Ok(target) = path.read_link() else { break };
        path = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    path
}
