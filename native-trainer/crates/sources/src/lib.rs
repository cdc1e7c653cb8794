//! Reads images with their texts, in the forms in which people keep them.
//!
//! | form | what is read |
//! |---|---|
//! | a folder with a folder for each class | column `label` (and `split`, if `train`, `test`, … come first) |
//! | a folder of images with `.txt` or `.json` files beside them | column `caption`, or the keys of the JSON objects |
//! | a folder with `metadata.csv` or `metadata.jsonl` (an image folder of Hugging Face), or with one table | its columns |
//! | CSV and TSV, with commas, tabs, semicolons or bars, also gzipped | the columns |
//! | JSON lines, or a JSON list of objects | the keys; those of nested objects as `outer.inner` |
//! | Parquet, one file or several; images as names or as bytes (`image.bytes`, as Hugging Face writes them) | the columns |
//! | tar files as of WebDataset, one or several | `caption` of `.txt`, `label` of `.cls`, the keys of `.json` |
//!
//! [`Dataset::read`] finds out which form a path has. Several files are named by a pattern: `shards/*.tar`,
//! `train-{0000..0099}.parquet`.
//!
//! Every row of the source is a row of the [`Dataset`], in the same order: what is wrong with a row is in
//! [`Dataset::problems`], what was not read at all in [`Dataset::notes`]. Cells are texts, and a missing one is empty.
//! A list is the text of its JSON; [`caption_of`] makes a caption of it. Images are not opened: [`Dataset::images`] says
//! where each one is, and [`Image::read`] returns its bytes. Folders that this program has written, such as reports, are
//! left out.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use dermake_sources::Dataset;
//! let data = Dataset::read("captions.jsonl".as_ref())?;
//! let caption = data.caption_column(None)?;
//! let images = data.images(data.image_column(None)?, None);
//! for row in 0..data.len() {
//!     let bytes = images.get(row)?.read()?;
//!     println!("{}: {} ({} bytes)", data.origin(row), data.cell(row, caption), bytes.len());
//! }
//! # Ok(())
//! # }
//! ```

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod archive;
mod builder;
mod caption;
mod cells;
mod class_columns;
pub mod columns;
mod dataset;
mod delimited;
mod error;
mod file;
mod files;
mod folder;
mod form;
mod image;
mod images;
mod json;
mod lines;
mod origin;
mod parquet_cells;
mod parquet_file;
mod pattern;
mod pictures_below;
mod problem;
mod read;
mod results_folder;
mod unpack;

pub use caption::caption_of;
pub use dataset::Dataset;
pub use error::{SourceError, listed};
pub use form::Form;
pub use image::Image;
pub use images::{ImageError, Images};
pub use origin::Origin;
pub use pattern::files_named;
pub use pictures_below::{Closed, FoundFiles, pictures_below};
pub use problem::{RowFault, RowProblem};
pub use results_folder::{is_report, is_results_folder};

pub(crate) type Result<T> = std::result::Result<T, SourceError>;

#[cfg(test)]
mod tests;
