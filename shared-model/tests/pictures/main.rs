//! Pictures that no fixture has: turned, cut short, lying about their size, or no pictures at all.
//!
//! The same functions run natively and as wasm in Chromium.

// Clippy's exception for tests covers test functions only, not what they share.
#![allow(clippy::unwrap_used)]

mod allocations;
mod files;
mod hostile;
mod orientation;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
