//! `dermake train`: MAKE pretraining, exact at any batch size, that continues after a kill.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod adapters;
mod checkpoint;
mod device_batches;
mod early_stopping;
pub mod estimate;
mod evaluation;
mod gradients;
mod heads;
mod initial_weights;
pub mod lock;
mod loop_state;
mod lr_find;
mod memory;
mod micro_batches;
pub mod model;
pub mod optimizer;
mod own_data;
pub mod parameters;
pub mod place;
mod plan;
mod progress;
pub mod recipe;
mod recipe_file;
mod resume;
mod run;
mod run_sinks;
pub mod schedule;
mod settings;
pub mod sinks;
pub mod step;
mod sweep;
mod sweep_results;
mod unused;

pub use lr_find::{RateRange, lr_find};
pub use micro_batches::MicroBatches;
pub use run::{Ending, RunPlaces, train};
pub use settings::{Setting, Sweep};
pub use sweep::{SweepEnding, sweep};
