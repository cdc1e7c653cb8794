//! An image file before the vision tower: its stamp, content and pixels.

use dermake_pictures::PictureError;
use sha2::{Digest, Sha256};
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::Reading;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Size and time of a file, to notice changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub bytes: u64,
    /// Nanoseconds since 1970.
    pub modified_ns: u64,
}

/// What was found in a file.
pub struct Content {
    pub sha256: [u8; 32],
    pub n_bytes: u64,
    /// u8 `[3, S, S]`, RGB; or why there are none. `None` if the content is known already.
    pub pixels: Option<Result<Vec<u8>, NoPixels>>,
}

/// Why a file that was read gives no pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPixels {
    /// It is no picture that can be decoded, and will be none the next time.
    Damaged(String),
    /// There was no memory for them, which may be otherwise the next time.
    NoMemory(String),
}

impl From<shared_model::Error> for NoPixels {
    fn from(err: shared_model::Error) -> Self {
        let problem = err.to_string();
        match err {
            shared_model::Error::ImageMemory { .. } => Self::NoMemory(problem),
            _ => Self::Damaged(problem),
        }
    }
}

/// Returns the stamp of a file, or its problem.
pub fn stamp(path: &Path) -> Result<Stamp, String> {
    if path.as_os_str().is_empty() {
        return Err(PictureError::NoImage.to_string());
    }
    let metadata = std::fs::metadata(path).map_err(|err| PictureError::from(err).to_string())?;
    if !metadata.is_file() {
        return Err("not a file".into());
    }
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    Ok(Stamp { bytes: metadata.len(), modified_ns })
}

/// Reads and hashes a file, and decodes it unless `is_known` says that its feature is cached.
///
/// # Errors
/// When the file cannot be read.
pub fn read(
    path: &Path,
    config: &PreprocessConfig,
    reading: Reading,
    is_known: impl Fn(&[u8; 32]) -> bool,
) -> Result<Content, String> {
    let bytes = dermake_pictures::read(path).map_err(|err| err.to_string())?;
    let (sha256, n_bytes) = (Sha256::digest(&bytes).into(), bytes.len() as u64);
    let pixels =
        (!is_known(&sha256)).then(|| dermake_pictures::pixels(&bytes, config, reading).map_err(NoPixels::from));
    Ok(Content { sha256, n_bytes, pixels })
}
