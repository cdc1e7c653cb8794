//! The towers of int8 models as WGSL kernels, for GPUs by WebGPU, Vulkan, Metal or DirectX 12.
//!
//! This module only describes the work: [`VisionProgram`] and [`TextProgram`] list the constant buffers of a tower and,
//! for a batch, a [`Plan`] of buffers and [`Dispatch`]es. An executor creates the buffers, compiles each [`Kernel`] and
//! runs the dispatches in order. So every executor runs the same kernels, and this crate needs no GPU library.
//!
//! Products are those of the CPU's int8 kernels: the same bytes of the file, the same seven-bit levels and blocks, and
//! the same integer sums. Attention, norms and patch embedding are in f32.

mod blocks;
mod buffer;
mod constants;
mod dispatch;
mod kernel;
mod plan;
mod text;
mod vision;

pub use buffer::Buffer;
pub use constants::{Constant, Contents};
pub use dispatch::{Blocks, Dispatch, Epilogue, ProductSizes};
pub use kernel::Kernel;
pub use plan::{Plan, Stage};
pub use text::{TextProgram, Texts};
pub use vision::VisionProgram;

/// Smallest cosine of a feature that an executor computes and the CPU's. A device below it computes wrong numbers.
pub const LEAST_COSINE: f32 = 0.999;

/// Most dispatches of one submission. Windows resets a GPU that works on one for two seconds.
pub const DISPATCHES_PER_SUBMISSION: usize = 8;
