//! The worker, which owns the model, and the page's end of the line to it.

#[cfg(target_arch = "wasm32")]
mod assembly;
#[cfg(target_arch = "wasm32")]
mod download;
#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(any(target_arch = "wasm32", test))]
mod inbox;
#[cfg(target_arch = "wasm32")]
mod keep;
#[cfg(target_arch = "wasm32")]
pub mod link;
#[cfg(any(target_arch = "wasm32", test))]
mod meter;
#[cfg(target_arch = "wasm32")]
mod photo;
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
mod pool;
pub mod protocol;
#[cfg(target_arch = "wasm32")]
mod remote;
#[cfg(any(target_arch = "wasm32", test))]
mod resume;
#[cfg(target_arch = "wasm32")]
mod serve;
#[cfg(target_arch = "wasm32")]
mod transfer;

#[cfg(target_arch = "wasm32")]
pub use serve::start;
