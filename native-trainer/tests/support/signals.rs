//! Signals of the programs that a test starts.

use signal_hook::consts::{SIGHUP, SIGINT};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};

/// Lets what a test starts be stopped by signals, even where this run was started to ignore them, as in the background:
/// a signal that is handled here has its default effect in a new program.
pub fn take() {
    static TAKEN: Once = Once::new();
    TAKEN.call_once(|| {
        let is_armed = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGHUP] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, is_armed.clone()).unwrap();
        }
    });
}
