//! `dermake train`: MAKE pretraining, exact at any batch size, that continues after a kill.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod checkpoint;
mod device_batches;
pub mod estimate;
mod evaluation;
mod heads;
mod initial_weights;
pub mod lock;
mod loop_state;
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
pub mod sinks;
pub mod step;
mod unused;

pub use micro_batches::MicroBatches;
pub use run::{Ending, RunPlaces, train};
