//! Turns panics of decoders into errors.

use shared_model::{Error, Result};
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static IS_DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder. A panic becomes an error, and is logged at level debug instead of printed.
pub(super) fn caught<T>(decode: impl FnOnce() -> Result<T>) -> Result<T> {
    log_instead_of_printing();
    let was_decoding = IS_DECODING.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    IS_DECODING.set(was_decoding);
    decoded.unwrap_or_else(|_| Err(Error::ImageDecode { detail: "its decoder failed".into() }))
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
    fn a_decoder_that_panics_is_an_error() {
        let failed = caught(|| -> Result<()> { panic!("a test of what a panic does") });
        assert!(matches!(failed, Err(Error::ImageDecode { .. })));
        assert!(caught(|| Ok(1)).is_ok_and(|one| one == 1));
    }
}
