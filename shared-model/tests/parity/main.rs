//! Every stage against the reference implementation, at the tolerances of `fixtures/README.md`.
//!
//! The very same functions run natively (`cargo test`) and as wasm in Chromium (`just test-wasm`).

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod fixtures;
mod full_size;
mod preprocess;
mod preprocess_families;
#[path = "../support/mod.rs"]
mod support;
mod tiny_models;
mod tokenizer;
mod tokenizer_files;
mod towers;
#[cfg(not(target_arch = "wasm32"))]
mod trained_bert;
mod zero_shot;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
