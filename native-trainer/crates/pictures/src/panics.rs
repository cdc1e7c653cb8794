//! Catches panics of decoders.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static IS_DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a reader of foreign bytes. `None` if it panicked, which is logged at level debug instead of printed.
pub fn caught<T>(read: impl FnOnce() -> T) -> Option<T> {
    log_instead_of_printing();
    let was_decoding = IS_DECODING.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(read));
    IS_DECODING.set(was_decoding);
    outcome.ok()
}

fn log_instead_of_printing() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if IS_DECODING.get() { tracing::debug!("a decoder: {info}") } else { print(info) }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_only_its_reader() {
        assert_eq!(caught(|| -> u8 { panic!("a test of what a panic does") }), None);
        assert_eq!(caught(|| 1), Some(1));
    }
}
