//! Multinomial logistic regression, as linear probes fit it.
//!
//! The features are unit vectors, standardized by the training rows' mean and deviation; the penalty on the weights is
//! scikit-learn's at its default, C = 1.

use super::standardization::Standardization;
use anyhow::{Result, ensure};
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2, Axis};

/// Factor of the halved squares of the weights, beside the sum of losses.
const PENALTY: f64 = 1.0;
const MAX_ITERATIONS: u64 = 1000;
/// The gradient's norm, a row, at which the fit is done.
const TOLERANCE: f64 = 1e-5;

/// A linear classifier over standardized features.
pub struct Learned {
    standardization: Standardization,
    /// The class of each column.
    classes: Vec<usize>,
    /// `[E, C]`
    weights: Array2<f64>,
    /// `[C]`
    intercept: Array1<f64>,
}

/// Fits some rows of standardized features.
///
/// # Errors
/// When the fit fails.
pub fn learn(features: &Array2<f64>, labels: &[usize], rows: &[usize]) -> Result<Learned> {
    let features = features.select(Axis(0), rows);
    let labels: Array1<usize> = rows.iter().map(|&row| labels[row]).collect();
    ensure!(!labels.is_empty(), "no training rows");
    let standardization = Standardization::of(&features);
    Learned::of_rows(standardization.apply(&features), labels, PENALTY, standardization)
}

impl Learned {
    /// Fits features as they are; `penalty` is the factor of the halved squares of the weights.
    ///
    /// # Errors
    /// When the fit fails.
    pub fn fit(features: &Array2<f64>, labels: &[usize], rows: &[usize], penalty: f64) -> Result<Self> {
        let n_values = features.ncols();
        let labels = rows.iter().map(|&row| labels[row]).collect();
        let none = Standardization { mean: Array1::zeros(n_values), deviation: Array1::ones(n_values) };
        Self::of_rows(features.select(Axis(0), rows), labels, penalty, none)
    }

    fn of_rows(
        features: Array2<f64>,
        labels: Array1<usize>,
        penalty: f64,
        standardization: Standardization,
    ) -> Result<Self> {
        let tolerance = TOLERANCE * labels.len() as f64;
        let fitted = MultiLogisticRegression::default()
            .alpha(penalty)
            .max_iterations(MAX_ITERATIONS)
            .gradient_tolerance(tolerance)
            .fit(&DatasetBase::new(features, labels))?;
        let classes = fitted.classes().to_vec();
        Ok(Self {
            standardization,
            classes,
            weights: fitted.params().clone(),
            intercept: fitted.intercept().clone(),
        })
    }

    /// The Euclidean norm of the weights.
    pub fn norm(&self) -> f64 {
        self.weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt()
    }

    /// The same classifier with weights of another size.
    #[cfg(test)]
    pub fn scaled(&self, scale: f64) -> Self {
        let (classes, intercept) = (self.classes.clone(), self.intercept.clone());
        let standardization = self.standardization.clone();
        Self { standardization, classes, weights: &self.weights * scale, intercept }
    }

    /// `[n, C]` row-major.
    pub fn probabilities(&self, features: &Array2<f64>, n_classes: usize) -> Vec<f32> {
        let logits = self.standardization.apply(features).dot(&self.weights) + &self.intercept;
        let mut probabilities = Vec::with_capacity(logits.nrows() * n_classes);
        for row in logits.rows() {
            let mut logits = vec![f32::NEG_INFINITY; n_classes];
            for (&class, &logit) in self.classes.iter().zip(row) {
                logits[class] = logit as f32;
            }
            probabilities.extend(shared_model::zero_shot::softmax(&logits));
        }
        probabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_metrics::ScoredClasses;

    #[test]
    fn what_lies_apart_is_told_apart() {
        let corner = |row: usize| [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]][row % 3];
        let features = Array2::from_shape_fn((60, 2), |(row, column)| {
            corner(row)[column] + ((row * 7 + column * 3) % 5) as f64 * 0.1
        });
        let labels: Vec<usize> = (0..60).map(|row| row % 3).collect();
        let learned = learn(&features, &labels, &(0..30).collect::<Vec<_>>()).unwrap();
        let judged = ScoredClasses::new(&learned.probabilities(&features, 3), &labels, 3);
        assert_eq!(judged.top1_accuracy(&[1; 60]), Some(1.0));
    }
}
