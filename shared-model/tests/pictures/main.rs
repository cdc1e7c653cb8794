//! Pictures that no fixture has: turned, cut short, lying about their size, or no pictures at all.
//!
//! The same functions run natively and as wasm in Chromium.

mod files;
mod hostile;
mod orientation;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
