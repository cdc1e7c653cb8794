//! CLIP for skin images: load, quantise, tokenise, preprocess, classify. Native, CUDA and wasm32.
mod clip;
pub mod config;
mod error;
pub mod kernels;
pub mod labels;
mod linear;
pub mod preprocess;
pub mod quantize;
mod text;
mod transformer;
mod vision;
pub mod weights;
//ZS pub mod zero_shot;

pub use clip::{Clip, weighted_patch_sum};
pub use error::{Error, MismatchReport, Misshapen, Result};
pub use text::TextTower;
pub use transformer::{Observer, unit_length};
pub use vision::{ImageEmbeddings, VisionTower};
