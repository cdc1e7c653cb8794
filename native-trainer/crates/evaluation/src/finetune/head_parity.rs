//! Heads beside those that PyTorch and scikit-learn train: `head_parity.json`, which `head_parity.py` made.

use super::head::{HeadOptions, Rows, Trained, class_weights, train};
use ndarray::Array2;
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Fixture {
    /// `train`, `validation` and `test`.
    parts: HashMap<String, Part>,
    balanced_weights: Vec<f64>,
    cases: Vec<Case>,
    optimum: Vec<Optimum>,
}

#[derive(Deserialize)]
struct Part {
    features: Vec<Vec<f64>>,
    labels: Vec<usize>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    is_balanced: bool,
    options: Options,
    /// Of each epoch: of the training and of the validation rows.
    losses: Vec<[f64; 2]>,
    best_epoch: usize,
    test_probabilities: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Options {
    epochs: usize,
    learning_rate: f64,
    weight_decay: f64,
    patience: usize,
}

#[derive(Deserialize)]
struct Optimum {
    is_balanced: bool,
    test_probabilities: Vec<Vec<f64>>,
}

impl Fixture {
    fn read() -> Self {
        serde_json::from_str(include_str!("head_parity.json")).unwrap()
    }

    fn rows(&self, part: &str) -> Rows {
        let Part { features, labels } = &self.parts[part];
        Rows { features: matrix(features), labels: labels.clone() }
    }

    fn weights(&self, is_balanced: bool) -> Vec<f64> {
        class_weights(&self.parts["train"].labels, self.balanced_weights.len(), is_balanced).unwrap()
    }

    /// Compares the probabilities of the test rows.
    fn compare(&self, name: &str, trained: &Trained, expected: &[Vec<f64>], tolerance: f64) {
        let probabilities = trained.head.probabilities(&self.rows("test").features);
        let difference = largest(&(probabilities - matrix(expected)));
        assert!(difference < tolerance, "{name}: probabilities differ by {difference:e}");
    }
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column])
}

fn largest(values: &Array2<f64>) -> f64 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

#[test]
fn balanced_class_weights_are_scikit_learn_s() {
    let fixture = Fixture::read();
    for (ours, expected) in fixture.weights(true).iter().zip(&fixture.balanced_weights) {
        assert!((ours - expected).abs() < 1e-12, "{ours}, expected {expected}");
    }
}

#[test]
fn every_epoch_has_the_losses_of_pytorch_and_the_same_one_is_kept() {
    let fixture = Fixture::read();
    for case in &fixture.cases {
        let Case { name, options, .. } = case;
        let options = HeadOptions {
            epochs: options.epochs,
            learning_rate: options.learning_rate,
            weight_decay: options.weight_decay,
            patience: options.patience,
        };
        let weights = fixture.weights(case.is_balanced);
        let trained = train(&fixture.rows("train"), &fixture.rows("validation"), &weights, &options).unwrap();
        assert_eq!((trained.epochs.len(), trained.best_epoch), (case.losses.len(), case.best_epoch), "{name}");
        for (epoch, (ours, expected)) in trained.epochs.iter().zip(&case.losses).enumerate() {
            for (ours, expected) in [ours.train_loss, ours.validation_loss].iter().zip(expected) {
                assert!((ours - expected).abs() < 1e-7, "{name}, epoch {epoch}: {ours}, expected {expected}");
            }
        }
        fixture.compare(name, &trained, &case.test_probabilities, 1e-6);
    }
}

#[test]
fn a_head_without_decay_ends_at_scikit_learn_s_logistic_regression() {
    let fixture = Fixture::read();
    let options = HeadOptions { epochs: 2000, learning_rate: 0.02, weight_decay: 0.0, patience: 2000 };
    for Optimum { is_balanced, test_probabilities } in &fixture.optimum {
        let rows = fixture.rows("train");
        let trained = train(&rows, &rows, &fixture.weights(*is_balanced), &options).unwrap();
        fixture.compare(&format!("balanced: {is_balanced}"), &trained, test_probabilities, 1e-6);
    }
}
