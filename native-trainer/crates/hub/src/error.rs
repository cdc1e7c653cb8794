//! Errors of finding a model, one sentence each.

use dermake_files::absent::NO_FILE_OR_FOLDER;
use std::io;
use std::path::PathBuf;

/// Result with this module's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause of any kind, kept for the error's chain.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // On disk
    #[error("{NO_FILE_OR_FOLDER}: {}{hint}", path.display())]
    NotFound { path: PathBuf, hint: String },
    #[error("no weights in the folder (looked for manifest.json, {looked_for}){hint}: {}", path.display())]
    NoWeights { looked_for: String, hint: String, path: PathBuf },
    #[error("several weights in one folder, name the file you mean ({}): {place}", names.join(", "))]
    AmbiguousWeights { names: Vec<String>, place: String },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("in {}", path.display())]
    Index { path: PathBuf, source: shared_model::Error },
    #[error("the weights are in {n_shards} files, of which {missing} is missing; get it too: {}", path.display())]
    MissingShard { missing: String, n_shards: usize, path: PathBuf },

    // Requests to the hub
    #[error("a hub model is written hf-hub:owner/name or hf-hub:owner/name@revision, not hf-hub:{typed}")]
    ModelId { typed: String },
    #[error("{endpoint} has no model of this name, or keeps it private{hint}: {id}")]
    NoSuchModel { id: String, endpoint: String, hint: &'static str },
    #[error("the model has no revision `{revision}`: {id}")]
    NoSuchRevision { id: String, revision: String },
    #[error("{endpoint} refuses access to the model (HTTP status {status}){hint}: {id}")]
    Refused { id: String, endpoint: String, status: u16, hint: &'static str },
    #[error("the hub's model lacks a file (looked for {looked_for}): {id}")]
    MissingFile { looked_for: String, id: String },

    // On the way
    #[error("expected an address that begins with http:// or https:// in HF_ENDPOINT, found {typed}")]
    Endpoint { typed: String },
    #[error(
        "the token for the hub has a character that no token has (expected ASCII letters, digits, `_` and others \
         without spaces); set HF_TOKEN anew, or run `hf auth login` again"
    )]
    Token,
    #[error("cannot use the certificates that {variable} names: {}", path.display())]
    Certificates {
        variable: &'static str,
        path: PathBuf,
        #[source]
        cause: Cause,
    },
    #[error("{endpoint} cannot be used and the cache has no copy of {id}: {}", cache.display())]
    Unreachable {
        id: String,
        endpoint: String,
        cache: PathBuf,
        #[source]
        cause: Cause,
    },
    #[error("HF_HUB_OFFLINE is set and the cache has no copy of {id}: {}", cache.display())]
    NotCached { id: String, cache: PathBuf },
    #[error("{endpoint} answers with a web page instead of {file}, perhaps a login page of the network")]
    Page { file: String, endpoint: String },
    #[error("the download of {file} failed{}", again(*is_passing))]
    Download {
        file: String,
        /// Whether the next command may go on with it.
        is_passing: bool,
        #[source]
        cause: Cause,
    },
    #[error("the download of {file} broke off: {received} of {expected} bytes came")]
    Incomplete { file: String, expected: u64, received: u64 },
    #[error("{file} came damaged and was thrown away (expected {expected}, found {found})")]
    Damaged { file: String, expected: String, found: String },

    // The cache
    #[error("no home directory to keep downloads in; set HF_HOME to a folder")]
    NoHome,
    #[error(
        "cannot write to the cache of downloaded models; set HF_HOME to a folder that has room and can be written: {}",
        path.display()
    )]
    Cache { path: PathBuf, source: io::Error },
}

impl Error {
    /// Returns whether a download failed for a cause that may pass.
    pub(super) fn is_of_passing_download(&self) -> bool {
        matches!(self, Self::Download { is_passing: true, .. } | Self::Incomplete { .. } | Self::Page { .. })
    }
}

fn again(is_passing: bool) -> &'static str {
    if is_passing { "; run the command again to go on with it" } else { "" }
}
