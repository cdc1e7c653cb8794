//! Training data: the caption table, its check, and the batches that are made from it.
//!
//! A table (`table`) has the names of the images and their captions. [`check`] finds its problems before a run.
//! `loader` makes batches of it during a run: decoded, augmented ([`augment`]) and tokenized on several threads, in
//! an order (`order`, `ontology_order`) that depends only on the table, the seed and the epoch.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod augment;
mod captions;
pub mod check;
mod learnable;
mod lineages;
mod loader;
pub mod mask;
mod ontology;
mod ontology_order;
mod ontology_sampling;
mod order;
mod problem;
pub mod samples;
mod schema;
pub mod shrink;
mod table;
mod ways;

pub use augment::Augmentation;
pub use learnable::{check_countable, check_diagnoses, check_learnable};
pub use lineages::Lineages;
pub use loader::{Batch, Loader, LoaderOptions, Position, Stopper};
pub use ontology::{Ontology, OntologyError};
pub use ontology_sampling::OntologySampling;
pub use order::{epoch_order, row_rng};
pub use samples::SampleSource;
pub use schema::{KNOWLEDGE_MASK_COLUMN, ONTOLOGY_COLUMN, SUBCAPTION_MASK_COLUMN, TableOptions, VISUAL_COLUMN};
pub use table::{Part, TableError, TrainingTable};
