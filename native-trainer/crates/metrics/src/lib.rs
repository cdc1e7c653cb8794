//! Metrics as pure functions, equal to scikit-learn's where that has them. What is undefined is `None`.
//!
//! Rows carry counts: 1 for all rows is the plain metric, 0 and 1 pick a group, and how often a bootstrap resample drew
//! each row gives the metric of the resample.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod auroc;
mod bootstrap;
mod calibration;
mod classification;
mod differences;
mod retrieval;
mod temperature;

pub use auroc::RankedScores;
pub use bootstrap::intervals;
pub use calibration::{
    ReliabilityBin, SMALLEST_PROBABILITY, ScoredProbabilities, expected_calibration_error, reliability,
};
pub use classification::{ClassCounts, Score, ScoredClasses, first_largest};
pub use differences::{PairedDifference, holm, paired_differences};
pub use retrieval::{mean_rank, median_rank, ranks, recall_at_k};
pub use temperature::{Temperature, fit_temperature, softmax};
