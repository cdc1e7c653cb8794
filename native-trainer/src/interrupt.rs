//! Ctrl-C as a wish that the run's loop looks at between steps.

use anyhow::{Context, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C (and SIGTERM) asks the run to save and stop; a second one ends the program at once.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        eprintln!("stopping after this step; press Ctrl-C again to stop at once");
    })
    .context("cannot listen for Ctrl-C")
}

/// Whether the run has been asked to stop.
pub fn is_asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
