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

use anyhow::{Context, Result, bail};
use dermake_metrics::{Temperature, fit_temperature};
use std::collections::HashSet;

/// Fewest photos of the labels: a threshold for one photo in twenty needs twenty of them in a half.
const MIN_PHOTOS: usize = 40;
/// Below this number of photos, a warning says that the figures are rough.
const FEW_PHOTOS: usize = 200;

/// Refuses too few photos, and warns of few. Copies go to one half, so that they count as one photo.
///
/// `contents`: what identifies the photo of each row; `what`: what the rows are.
fn check_number(contents: &[&str], what: &str) -> Result<()> {
    let n = contents.iter().collect::<HashSet<_>>().len();
    if n < MIN_PHOTOS {
        let copies = match contents.len() - n {
            0 => String::new(),
            n_copies => format!(" and {n_copies} copies of them"),
        };
        bail!("expected at least {MIN_PHOTOS} {what}, found {n}{copies}");
    }
    if n < FEW_PHOTOS {
        tracing::warn!("{n} photos are few: the intervals say how rough the figures are");
    }
    Ok(())
}

fn fitted_temperature(logits: &[Vec<f64>], labels: &[usize]) -> Result<Temperature> {
    fit_temperature(logits, labels).context("one half of the photos is empty")
}

/// Warns of a temperature that is used although it is at its bound.
fn warn_of_bound(Temperature { value, is_at_bound }: Temperature) {
    if is_at_bound {
        tracing::warn!(
            "the temperature is at its bound, {value}: {}",
            if value > 1.0 { "the probabilities say nothing about these labels" } else { "every answer is right" }
        );
    }
}
