//! `dermake train`: MAKE pretraining, exact at any batch size, that continues after a kill.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod adapters;
mod batch_step;
mod beginning;
mod checkpoint;
mod destination;
mod device_batches;
mod early_stopping;
pub mod estimate;
mod evaluated_on;
mod evaluation;
mod evaluation_of_run;
mod gradients;
mod heads;
mod initial_weights;
pub mod lock;
mod loop_state;
pub mod loss_scale;
pub mod low_rank;
mod lr_find;
mod memory;
mod micro_batches;
pub mod model;
mod model_folder;
mod ontology;
pub mod optimizer;
mod own_data;
pub mod parameters;
pub mod place;
mod plan;
mod progress;
#[cfg(test)]
#[path = "../../../../shared-model/tests/support/random.rs"]
mod random;
mod rank_batch;
mod ranks;
pub mod recipe;
mod recipe_file;
mod resume;
mod run;
mod run_parts;
mod run_sinks;
mod same_state;
pub mod schedule;
mod settings;
pub mod sinks;
pub mod step;
mod sweep;
mod sweep_results;
mod table_hash;
mod tables;
pub mod traffic;
pub mod tuning;
mod unused;

pub use lr_find::{RateRange, lr_find};
pub use micro_batches::MicroBatches;
pub use ranks::Ranks;
pub use run::{Ending, RunPlaces, train};
pub use settings::{Setting, Sweep};
pub use sweep::{SweepEnding, sweep};
