//! Bars on stderr, shown only to people.

use indicatif::{ProgressBar, ProgressStyle};

/// Prompts encoded of how many; the length is set when it is known.
pub fn prompts() -> ProgressBar {
    let style = ProgressStyle::with_template("encoding labels {bar:30} {pos}/{len} prompts, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// A bar of processed images, of `n_images`.
pub fn images(n_images: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} images, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(n_images as u64).with_style(style).with_message("reading")
}
