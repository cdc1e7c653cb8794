//! Towers of int8 models on a GPU, through Vulkan, Metal or DirectX 12.
//!
//! [`shared_model::gpu`] has the kernels and says what to run; this crate runs it with the `wgpu` library.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod adapter;
mod error;
mod gpu;
mod open;
mod plan;
mod self_test;
mod tower;
mod towers;

pub use error::{Error, Result};
pub use gpu::Gpu;
pub use plan::PlanBuffers;
pub use tower::Tower;
pub use towers::WgpuTowers;
