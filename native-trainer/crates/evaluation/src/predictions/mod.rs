//! A model's answers to the images of one benchmark: ours, or somebody else's from a file.
//!
//! The file is a CSV in the form that dermatology papers publish: `image_path`, `true_label`, `predicted_label` and
//! `probability_class_0`, `probability_class_1`, … Ours has the column `sha256` as well.

mod columns;
mod files;
mod names;
mod probe_folder;
mod read;
mod sheet;
mod write;

pub use files::{PredictionFile, prediction_files};
pub use names::{CLASS_FOLDER, read_class_names, write_class_names};
pub use probe_folder::ProbeFolder;
pub use read::{ReadPredictions, from_table, read};
pub use sheet::{sheet_of, to_sheet};
pub use write::to_csv;

use dermake_metrics::ScoredClasses;

/// The answers of one model to the images of one benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// In label order.
    pub class_names: Vec<String>,
    pub rows: Vec<Prediction>,
}

/// The answer to one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Row of the table, from 1.
    pub row: usize,
    /// The image as the table names it.
    pub image: String,
    /// Of the image's file, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// Place of the true class in the class list.
    pub label: usize,
    /// Place of the predicted class.
    pub predicted: usize,
    /// For each class.
    pub probabilities: Vec<f64>,
}

impl Predictions {
    /// The scores that metrics are computed from.
    pub fn scored(&self) -> ScoredClasses {
        let probabilities: Vec<f64> = self.rows.iter().flat_map(|row| row.probabilities.iter().copied()).collect();
        let labels: Vec<usize> = self.rows.iter().map(|row| row.label).collect();
        let predicted = self.rows.iter().map(|row| row.predicted).collect();
        ScoredClasses::with_predictions(&probabilities, &labels, predicted, self.class_names.len())
    }
}
