//! Runs MAKE's and other benchmarks, compares models and writes the report (`dermake eval`).
//!
//! A benchmark is a table and images in the reference's layout. The benchmarks in the data folder run one after the
//! other. Features are cached, so that a second evaluation reads no image and an interrupted one continues. Instead of
//! a model there may be somebody's predictions.
//!
//! What runs: `benchmarks` and `own_data` say what a data folder has, `chosen` which of it is wanted (`eval_options`),
//! and `evaluate` goes through it, with the model and caches of a `session`. `task` lists what a benchmark can measure. A
//! task has a file that gives one `results::BenchmarkResult`: `zero_shot`, `concepts`, `retrieval`, `linear_probe`, and
//! `dermfm_zero` for the probes of `--protocol dermfm-zero`. `from_predictions` scores the `predictions` of others
//! without a model.
//!
//! What a task is made of: `table` has the rows, `labeled` and `label_cells` their labels (`short_names` those that
//! ISIC abbreviates), `scored` the features of their images. `class_metrics` computes the figures of classes, whoever
//! predicted them, `groups` those of each skin tone, sex and age, `resampler` the main metric on any resample of the
//! rows, and `row_names` the names by which `compare` matches rows. `logistic` and `standardization` are the arithmetic
//! of linear probes. `exclusion` leaves out the images of `--exclude`. The metrics themselves are pure functions of
//! `dermake_metrics`.
//!
//! What comes out: `results` are the types of `results.json`, and `published` has figures of papers to show beside
//! them. `out` is the folder, `report` the page and the table, with a file for each task's figures, `figure_files` its
//! drawings, `embedding_map` the places of the images on a map. `image_tables` are the tables with a row for each
//! image, whose first columns are `image_rows`; two of them are in `embeddings` and `concept_scores`, the third is a
//! sheet of `predictions`.
//!
//! Other commands: `finetune`, `calibrate`, `overlap` (`dermake data overlap`) and `known_answers` (`dermake verify`).

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod benchmarks;
pub mod calibrate;
mod chosen;
mod class_metrics;
pub mod compare;
mod concept_scores;
mod concepts;
mod dermfm_zero;
mod embedding_map;
mod embeddings;
mod eval_options;
mod evaluate;
mod exclusion;
mod figure_files;
mod finetune;
mod from_predictions;
mod groups;
mod image_rows;
mod image_tables;
pub mod known_answers;
mod label_cells;
mod labeled;
mod linear_probe;
mod logistic;
mod out;
pub mod overlap;
mod own_data;
pub mod predictions;
mod published;
mod report;
mod resampler;
pub mod results;
mod retrieval;
mod row_names;
mod scored;
mod session;
mod short_names;
mod standardization;
pub mod table;
mod task;
mod zero_shot;

pub use benchmarks::Benchmarks;
pub use embedding_map::MapMethod;
pub use eval_options::EvalOptions;
pub use evaluate::{compare_models, evaluate};
pub use finetune::{
    Epoch, FinetuneOptions, Head, HeadGradients, HeadOptions, LabeledFiles, SplitOptions, TUNED_FOLDER, TowerTask,
    TowerTrainer, TunableHead, TunedTower, finetune,
};
pub use from_predictions::{FromOptions, evaluate_predictions};
pub use image_tables::{TableColumns, TableFiles};
pub use labeled::LabeledImages;
pub use own_data::OwnColumns;
pub use results::UnreadableImage;
pub use scored::check_unreadable;

use anyhow::{Result, bail};
use compare::{Comparison, Evaluated, FailedModel, differences};
use dermake_process::print;
use out::ReportFolder;

/// Outcome of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything in the data folder was scored.
    Complete,
    /// Something failed, the rest was scored.
    Partial,
    /// Stopped by the user; what was scored until then is reported.
    Interrupted,
}

/// Compares the models, writes the report and prints the table.
fn report(models: &[Evaluated], folder: Option<&ReportFolder>, ending: Ending) -> Result<()> {
    print_table(&compared(models, Vec::new(), folder)?, ending)
}

/// Compares the models and writes the report, whose `results.json` comes before all other files.
fn compared(
    models: &[Evaluated],
    not_evaluated: Vec<FailedModel>,
    folder: Option<&ReportFolder>,
) -> Result<Comparison> {
    let results = models.iter().map(|model| model.results.clone()).collect();
    let comparison = Comparison { not_evaluated, ..Comparison::new(results, differences(models)) };
    if let Some(folder) = folder {
        folder.write(&comparison, &published::published()?)?;
        folder.write_predictions(models)?;
    }
    Ok(comparison)
}

/// Prints the table.
fn print_table(comparison: &Comparison, ending: Ending) -> Result<()> {
    print::summary(&report::terminal(comparison, &published::published()?))?;
    if ending != Ending::Interrupted && comparison.is_all_failed() {
        bail!("no benchmark could be scored");
    }
    Ok(())
}
