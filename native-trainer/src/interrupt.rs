//! Ctrl-C as a wish that long work looks at between steps.

use anyhow::{Context, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// The user asked to stop, and everything done so far is kept.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted; what was done is kept, and the same command goes on from there")]
pub struct Interrupted;

/// From now on Ctrl-C (and SIGTERM) asks to save and stop after a `step`; a second one ends the program at once.
pub fn listen(step: &'static str) -> Result<()> {
    ctrlc::set_handler(move || {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        eprintln!("stopping after this {step}; press Ctrl-C again to stop at once");
    })
    .context("cannot listen for Ctrl-C")
}

/// Whether somebody asked to stop.
pub fn is_asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
