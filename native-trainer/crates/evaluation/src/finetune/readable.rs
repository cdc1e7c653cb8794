//! The features and labels of images that could be read, and a head's answers to them.

use super::head::{Head, Rows};
use super::tower::LabeledFiles;
use crate::predictions::Prediction;
use crate::scored::ScoredRows;
use anyhow::{Result, ensure};
use dermake_metrics::first_largest;
use ndarray::{Array2, Axis};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The features and labels of the images that could be read, by their places among all rows.
pub struct Readable<'a> {
    scored: &'a ScoredRows,
    features: Array2<f64>,
    labels: Vec<usize>,
    /// Where each place is among the readable ones.
    at: HashMap<usize, usize>,
}

impl<'a> Readable<'a> {
    /// `labels` are those of all images that were wanted, `rows` the rows of all places.
    pub fn new(scored: &'a ScoredRows, labels: &[usize], rows: &[usize]) -> Result<Self> {
        let values: Vec<f32> = scored.features.flatten_all()?.to_vec1()?;
        ensure!(
            values.iter().all(|value| value.is_finite()),
            "the model gives features that are not finite numbers"
        );
        let values = values.into_iter().map(f64::from).collect();
        let features = Array2::from_shape_vec(scored.features.dims2()?, values)?;
        let at_of_row: HashMap<usize, usize> = scored.rows.iter().copied().zip(0..).collect();
        let at = rows.iter().enumerate().filter_map(|(place, row)| Some((place, *at_of_row.get(row)?))).collect();
        Ok(Self { scored, features, labels: scored.of_read(labels), at })
    }

    pub fn sha256(&self, place: usize) -> Option<&str> {
        self.at.get(&place).map(|&at| self.scored.sha256[at].as_str())
    }

    /// Those of some places whose images could be read.
    pub fn places(&self, places: &[usize]) -> Vec<usize> {
        places.iter().copied().filter(|place| self.at.contains_key(place)).collect()
    }

    pub fn part(&self, places: &[usize]) -> Rows {
        let at: Vec<usize> = places.iter().filter_map(|place| self.at.get(place).copied()).collect();
        Rows {
            features: self.features.select(Axis(0), &at),
            labels: at.iter().map(|&at| self.labels[at]).collect(),
        }
    }

    /// The files of the images at some places that could be read, with their labels.
    pub fn files(&self, places: &[usize]) -> LabeledFiles {
        let at: Vec<usize> = places.iter().filter_map(|place| self.at.get(place).copied()).collect();
        LabeledFiles {
            files: at.iter().map(|&at| self.scored.files[at].clone()).collect(),
            labels: at.iter().map(|&at| self.labels[at]).collect(),
        }
    }

    /// The answers to the images at some places, and their files. `image` names the image of a row.
    pub fn answers(&self, places: &[usize], head: &Head, image: impl Fn(usize, &Path) -> String) -> Answers {
        let at: Vec<usize> = places.iter().filter_map(|place| self.at.get(place).copied()).collect();
        let probabilities = head.probabilities(&self.features.select(Axis(0), &at));
        let prediction = |(&at, probabilities): (&usize, ndarray::ArrayView1<'_, f64>)| {
            // As a table of predictions has them.
            let probabilities: Vec<f32> = probabilities.iter().map(|&probability| probability as f32).collect();
            Prediction {
                row: self.scored.rows[at] + 1,
                image: image(self.scored.rows[at], &self.scored.files[at]),
                sha256: Some(self.scored.sha256[at].clone()),
                label: self.labels[at],
                predicted: first_largest(&probabilities),
                probabilities: probabilities.into_iter().map(f64::from).collect(),
            }
        };
        Answers {
            predictions: at.iter().zip(probabilities.rows()).map(prediction).collect(),
            files: at.iter().map(|&at| self.scored.files[at].clone()).collect(),
        }
    }
}

/// A head's answers to images.
pub struct Answers {
    pub predictions: Vec<Prediction>,
    pub files: Vec<PathBuf>,
}
