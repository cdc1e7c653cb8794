//! The transformer engine of the trainer: forward and backward passes of both towers, written out in closed form.
//!
//! A backward pass is code, not a graph: each block keeps six arrays and computes layer norms and activations again.
//! The passes are generic over [`Ops`], the operations of one device; `CpuOps` is the one for f32 on the
//! CPU, `CudaOps` the one for GPUs.
//! Parameters, gradients and moments lie in flat arrays, at the places of [`ParameterLayout`]. Gradients of parameters
//! are added to a flat f32 array, so that a batch can be cut into micro-batches.
//!
//! The doc of each operation states its gradient. Candle's autograd gives the same gradients; the tests compare them.
//!
//! Letters in shapes: T tokens of all sequences, N tokens of an image, D width, F width of the MLP, H heads, E `embed_dim`.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod adamw;
mod block;
mod count;
mod cpu;
#[cfg(any(feature = "cuda", test))]
pub mod cuda;
mod inference;
mod keep;
mod layout;
mod locked;
mod ops;
mod pass;
mod rounding;
mod stack;
mod text;
mod timing;
mod vision;

pub use adamw::{AdamWConfig, AdamWGroup, AdamWStep};
pub use count::{Cost, CountingOps, no_values};
pub use inference::{InferenceTowers, parts_of_tokens};
pub use keep::{Keep, MemoryPlan, PartBytes, plan_memory};
pub use layout::{ParameterLayout, Span};
pub use locked::Locked;
pub use ops::{Ops, Pass, PatchCut, Sequences};
pub use pass::FlatWeights;
pub use rounding::Rounding;
pub use text::{PackedTexts, TextActivations, TextEngine};
pub use timing::TimedOps;
pub use vision::{ImageActivations, ProjectedTokens, VisionEngine};
