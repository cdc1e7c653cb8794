//! Every stage against the reference implementation, at the tolerances of `fixtures/README.md`.
//!
//! The very same functions run natively (`cargo test`) and as wasm in Chromium (`just test-wasm`).

mod fixtures;
mod full_size;
mod preprocess;
mod tiny_models;
mod tokenizer;
mod zero_shot;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
