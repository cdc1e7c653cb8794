//! `dermake calibrate`: a temperature and a threshold for "none of these", fitted on one half of labeled photos and
//! measured on the other.
//!
//! Photos whose label is not among the labels, and photos of folders that show something else, measure how well "none
//! of these" works; nothing is fitted to them.

mod fit;
mod halves;
mod measure;
mod photos;
mod predictions;
mod text;

pub use fit::{Sample, Samples, fit};
pub use photos::{CalibrateOptions, calibrate};
pub use predictions::{CalibratedPredictions, calibrate_predictions};
pub use text::{predictions_text, text};

/// Fewest photos of the labels: a threshold for one photo in twenty needs twenty of them in a half.
pub const MIN_PHOTOS: usize = 40;
/// Below this number of photos, a warning says that the figures are rough.
const FEW_PHOTOS: usize = 200;

/// Warns if there are few photos.
fn warn_of_few(n: usize) {
    if n < FEW_PHOTOS {
        tracing::warn!("{n} photos are few: the intervals say how rough the figures are");
    }
}
