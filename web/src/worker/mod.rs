//! The worker, which owns the model, and the page's handle to it.

#[cfg(target_arch = "wasm32")]
mod concepts;
#[cfg(target_arch = "wasm32")]
mod connection;
#[cfg(target_arch = "wasm32")]
mod decoded_photos;
#[cfg(target_arch = "wasm32")]
mod download;
#[cfg(target_arch = "wasm32")]
mod encode;
#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(any(target_arch = "wasm32", test))]
mod gpu_choice;
#[cfg(target_arch = "wasm32")]
pub mod handle;
#[cfg(any(target_arch = "wasm32", test))]
mod inbox;
#[cfg(target_arch = "wasm32")]
mod keep;
#[cfg(any(target_arch = "wasm32", test))]
mod kept;
#[cfg(target_arch = "wasm32")]
mod map;
#[cfg(target_arch = "wasm32")]
mod partial_file;
#[cfg(target_arch = "wasm32")]
mod photo;
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
mod pool;
#[cfg(any(target_arch = "wasm32", test))]
mod progress;
pub mod protocol;
#[cfg(target_arch = "wasm32")]
mod remote;
#[cfg(any(target_arch = "wasm32", test))]
mod resume;
#[cfg(target_arch = "wasm32")]
mod serve;
#[cfg(target_arch = "wasm32")]
mod store;
#[cfg(target_arch = "wasm32")]
mod transfer;
#[cfg(target_arch = "wasm32")]
mod webgpu;

#[cfg(target_arch = "wasm32")]
pub use serve::start;
