//! Leaves the names of functions out of the page's program. wasm-bindgen leaves them out of the worker's; Trunk has no
//! option for it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-bin=app=--strip-all");
    }
}
