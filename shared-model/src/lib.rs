//! CLIP for skin images: load, quantise, tokenise, preprocess, classify. Native, CUDA and wasm32.
//!
//! A pure library: the caller brings bytes, gets tensors and scores, and does all reading, fetching and showing.
//!
//! ```no_run
//! # fn main() -> shared_model::Result<()> {
//! use shared_model::config::ClipConfig;
//! use shared_model::labels::{LabelSet, Templates};
//! use shared_model::preprocess::Reading;
//! use shared_model::tokenizer::Tokenizer;
//! use shared_model::weights::{Placement, Weights};
//! use shared_model::{Clip, ZeroShotModel};
//! # let read = |path: &str| std::fs::read(path).expect("the file is there");
//!
//! let config = ClipConfig::from_open_clip_json(&read("open_clip_config.json"))?;
//! let weights = Weights::from_safetensors(read("open_clip_model.safetensors").into())?;
//! let placement = Placement::default();
//! let clip = Clip::load(weights, &config, &placement)?;
//! let tokenizer = Tokenizer::from_merges_gz(&read("clip_merges.txt.gz"), config.text.context_length)?;
//! let model = ZeroShotModel::from_clip(clip, tokenizer, true, placement);
//!
//! let labels = LabelSet::from_text("melanoma, nevus, psoriasis")?;
//! let classifier = model.classifier(&labels, &Templates::skin(), &mut |_, _| {})?;
//! for answer in model.classify(&read("photo.jpg"), Reading::Photo, &classifier, 3)? {
//!     println!("{} {:.3}", answer.label, answer.probability);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Letters in shapes: B batch, N image tokens, P patches, L context length, D width, H heads, E `embed_dim`, C classes,
//! K templates, S image size.

#[cfg(feature = "http")]
pub mod api;
mod clip;
pub mod concepts;
pub mod config;
pub mod demo;
mod error;
mod finite;
pub mod fused;
mod kernels;
pub mod labels;
mod lanes;
mod linear;
pub mod manifest;
mod model;
mod ops;
mod output;
mod parallel;
pub mod preprocess;
pub mod quantize;
mod text;
pub mod text_cleaning;
pub mod text_file;
pub mod tokenizer;
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
pub use text::{TextTower, cut_behind_last_eot, text_length};
pub use transformer::{Observer, unit_length};
pub use vision::{ImageEmbeddings, VisionTower};
