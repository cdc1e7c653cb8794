//! Captions to MAKE's knowledge aspects.
//!
//! MAKE (Yan et al. 2025) trains with more than the caption of an image: with its sentences (sub-captions), a sentence
//! of the visual concepts, and one of the diagnosis along an ontology. This crate makes them from captions alone:
//! [`units`] splits, [`Lexicon`] finds conditions and concepts, [`assertion`] says which are meant, [`aspects`] writes
//! the sentences and masks, and [`run`] makes a table that `dermake train` reads.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod aspects;
pub mod assertion;
pub mod cleaning;
pub mod clusters;
mod extraction;
pub mod flags;
mod hygiene;
mod image_flags;
pub mod lexicon;
mod lexicon_reader;
pub mod llm;
mod options;
mod out;
mod report;
mod row;
mod run;
mod sample;
pub mod scoring;
pub mod sentences;
mod source;
mod spelling;
mod summary;
pub mod units;
pub mod words;

pub use aspects::MaskOrder;
pub use extraction::{Extraction, Extractor, Reader};
pub use hygiene::{HygieneCounts, HygieneOptions};
pub use lexicon::{Lexicon, Ontology};
pub use lexicon_reader::read;
pub use options::PrepareOptions;
pub use out::{ANSWERS, check_out};
pub use run::{estimate, run};
pub use source::Columns;
pub use summary::Summary;
pub use units::TokenBudget;
