#![doc = include_str!("../README.md")]
//!
//! # Shapes
//!
//! Letters in shapes: B batch, N image tokens, P patches, L context length, D width, H heads, E `embed_dim`, C classes,
//! K templates, S image size.

#![warn(missing_docs)]
#![warn(clippy::undocumented_unsafe_blocks)]

#[cfg(feature = "http")]
pub mod api;
pub mod calibration;
pub mod card;
mod clip;
pub mod concepts;
pub mod config;
pub mod demo;
mod error;
mod file_kind;
mod finite;
mod foreign;
pub mod fused;
pub mod gpu;
pub mod json_kind;
mod kernels;
pub mod labels;
mod lanes;
mod linear;
mod logits;
pub mod manifest;
mod model;
mod ops;
mod output;
mod parallel;
mod picture_format;
mod pooling;
pub mod preprocess;
mod projection;
pub mod quantize;
#[cfg(test)]
#[path = "../tests/support/random.rs"]
mod random;
mod shared_tokens;
mod similarity_map;
mod text;
mod text_batches;
pub mod text_cleaning;
pub mod text_file;
pub mod tokenizer;
mod tower_engine;
mod transformer;
mod vision;
pub mod weights;
pub mod zero_shot;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

pub use clip::{Clip, weighted_patch_sum};
pub use error::{Error, MismatchReport, Misshapen, Result};
pub use model::ZeroShotModel;
pub use parallel::use_threads;
pub use similarity_map::{Place, SimilarityMap, Third};
pub use text::{TextTower, cut_behind_last_eot, text_length};
pub use text_batches::TextBatches;
pub use tower_engine::TowerEngine;
pub use transformer::{Observer, SMALLEST_SQUARED_NORM, unit_length};
pub use vision::{ImageEmbeddings, ImageTrace, VisionTower};
