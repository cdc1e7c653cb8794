//! Bars on stderr, shown only to people.

use indicatif::{ProgressBar, ProgressStyle};

/// Prompts encoded of how many; the length is set when it is known.
pub fn prompts() -> ProgressBar {
    let style = ProgressStyle::with_template("encoding labels {bar:30} {pos}/{len} prompts, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
