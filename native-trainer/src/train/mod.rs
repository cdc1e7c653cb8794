//! `dermake train`: MAKE pretraining.

mod backward;
pub mod model;
pub mod optimizer;
pub mod schedule;
pub mod step;
