//! The page: a quantised skin CLIP on the visitor's own device.
//!
//! Two programs come of this crate: the page itself and the worker that owns the model. What decides is pure and
//! tested natively; what touches the browser exists only on wasm32.

#[cfg(all(target_arch = "wasm32", feature = "page"))]
pub mod app;
#[cfg(target_arch = "wasm32")]
mod chunks;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
mod components;
pub mod error;
#[cfg(target_arch = "wasm32")]
mod http;
pub mod state;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
mod storage;
#[cfg(target_arch = "wasm32")]
mod time;
pub mod worker;
