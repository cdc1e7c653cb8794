//! The page: runs a quantized CLIP for skin photos on the visitor's device.
//!
//! The crate has two programs: the page and the worker that owns the model. Decisions are pure and tested natively; the
//! modules that access the browser exist only on wasm32.

#[cfg(all(target_arch = "wasm32", feature = "page"))]
mod app;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
mod canvas;
#[cfg(target_arch = "wasm32")]
mod chunks;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
mod components;
pub mod crop;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
mod document;
pub mod error;
#[cfg(target_arch = "wasm32")]
mod http;
pub mod journal;
#[cfg(feature = "page")]
pub mod language;
#[cfg(feature = "page")]
pub mod model_card;
pub mod model_comparison;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
pub mod page;
pub mod report;
#[cfg(feature = "page")]
pub mod sentences;
pub mod state;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
mod storage;
#[cfg(feature = "page")]
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "most are for components, which need a browser"))]
mod texts;
#[cfg(target_arch = "wasm32")]
mod time;
pub mod verdict;
pub mod worker;
