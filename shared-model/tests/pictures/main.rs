//! Pictures that no fixture has: turned, cut short, in other colors and depths, lying about their size, or none at all.
//!
//! The same functions run natively and as wasm in Chromium.

// Clippy's exception for tests covers test functions only, not what they share.
#![allow(clippy::unwrap_used)]

mod allocations;
mod depth;
mod files;
mod hostile;
mod orientation;
mod profiles;
mod tolerance;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
