//! Bars on stderr, shown only to people.

use indicatif::{ProgressBar, ProgressStyle};

/// Runs `work` with a bar of encoded prompts. `work` is given what moves the bar: how many of how many are done.
pub fn of_prompts<R>(work: impl FnOnce(&mut dyn FnMut(usize, usize)) -> R) -> R {
    let style = ProgressStyle::with_template("encoding labels {bar:30} {pos}/{len} prompts, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    let result = work(&mut |n_done, n_prompts| {
        bar.set_length(n_prompts as u64);
        bar.set_position(n_done as u64);
    });
    bar.finish_and_clear();
    result
}

/// Runs `work` with a bar of quantized blocks of a tower. `work` is given what moves the bar.
pub fn of_blocks<R>(tower: &'static str, work: impl FnOnce(&mut dyn FnMut(usize, usize)) -> R) -> R {
    let style = ProgressStyle::with_template("quantizing {msg} {bar:30} {pos}/{len} blocks, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style).with_message(tower);
    let result = work(&mut |n_done, n_blocks| {
        bar.set_length(n_blocks as u64);
        bar.set_position(n_done as u64);
    });
    bar.finish_and_clear();
    result
}

/// A bar of processed images, of `n_images`.
pub fn images(n_images: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} images, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(n_images as u64).with_style(style).with_message("reading")
}
