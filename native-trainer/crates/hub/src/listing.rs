//! The hub's list of a revision's files.

use std::path::Path;

use serde::Deserialize;

use super::model_files::names_own_files;
use super::names;

/// One revision of a model.
pub(super) struct Listing {
    pub(super) commit: String,
    /// The names of its files, except those that need escaping in an address.
    pub(super) names: Vec<String>,
}

impl Listing {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|listed| listed == name)
    }

    /// The listed small files that a model with this config needs.
    pub(super) fn companions(&self, config: &Path) -> Vec<&'static str> {
        let needs_them = names_own_files(config);
        names::companions().filter(|name| needs_them && self.has(name)).collect()
    }
}

/// The hub's description of a revision; a mirror may leave out any part of it.
#[derive(Deserialize)]
pub(super) struct Described {
    pub(super) sha: Option<String>,
    pub(super) siblings: Option<Vec<Sibling>>,
}

#[derive(Deserialize)]
pub(super) struct Sibling {
    pub(super) rfilename: String,
}
