//! Features of images and texts: computed once and cached by content.
//!
//! `dermake eval` has them in a cache, `dermake embed` in an index beside the photos; both are a [`FeatureStore`].
//!
//! [`Encoder`] is a model with its store. It encodes image files (`images.rs`: [`Encoder::images`], cached by content),
//! pictures in memory (`pictures.rs`: not cached), and texts (`texts.rs`). `vision.rs` takes files through the tower a
//! batch at a time and `reading.rs` reads them; a [`Stamp`] is a file's size and time, by which one that did not change is
//! not read again. [`Identity`] is what a feature depends on besides the image.
//!
//! A [`RankGroup`] is the ranks that encode together, as the first one has them (`ranks/`). The others [`follow`] it
//! until it ends the work; [`Finished`] says how.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod batch_size;
mod encoder;
mod identity;
mod images;
mod pictures;
mod ranks;
mod reading;
mod store;
mod texts;
mod vision;

use dermake_process::host;
use std::path::PathBuf;

pub use encoder::{Effort, Encoder};
pub use identity::{Identity, manifest_sha256};
pub use images::{ImageFeatures, ImageFile};
pub use ranks::{Finished, RankGroup, follow};
pub use reading::Stamp;
pub use store::{FeatureStore, Hit, Known, SearchIndex, StoreError};
pub use texts::encode_batches;

/// The folder of the feature cache where no option names one: `DERMAKE_FEATURES`, or the user's cache; `None` without a
/// home directory.
pub fn default_cache() -> Option<PathBuf> {
    let named = std::env::var_os("DERMAKE_FEATURES").filter(|folder| !folder.is_empty());
    named.map(PathBuf::from).or_else(|| Some(host::cache_dir()?.join("features")))
}
