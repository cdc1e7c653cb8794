//! The operations on an NVIDIA GPU: the kernels of `kernels/`, and matrix products by cuBLASLt.
//!
//! Everything is submitted to the one stream of candle's device and runs there in this order, with nothing that waits: no
//! result is read back during a pass, and a buffer that is freed is reused only by what is submitted after it.
//! Activations and the matrices of parameters are bf16, f16 or f32; sums, statistics and gradients of parameters are f32.

#[cfg(feature = "cuda")]
mod adamw;
#[cfg(feature = "cuda")]
mod attention;
#[cfg(feature = "cuda")]
pub mod check;
#[cfg(feature = "cuda")]
mod element;
#[cfg(feature = "cuda")]
mod flat;
#[cfg(feature = "cuda")]
mod gpu;
#[cfg(feature = "cuda")]
mod launch;
#[cfg(feature = "cuda")]
mod ops;
#[cfg(feature = "cuda")]
mod products;
#[cfg(feature = "cuda")]
mod run;
mod segments;
mod signatures;
#[cfg(feature = "cuda")]
mod uploads;

#[cfg(feature = "cuda")]
pub use adamw::adamw_step;
#[cfg(feature = "cuda")]
pub use attention::check_heads;
#[cfg(feature = "cuda")]
pub use element::Element;
#[cfg(feature = "cuda")]
pub use flat::CudaOps;
#[cfg(feature = "cuda")]
pub(super) use run::run;
#[cfg(feature = "cuda")]
pub use uploads::{N_SLOTS, PixelUploads};
