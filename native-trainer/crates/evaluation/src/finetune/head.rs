//! A linear classifier over frozen features: softmax cross-entropy, weighted by class, with AdamW over all rows at once.
//!
//! It ends when the loss of the validation rows has stopped improving, and keeps the weights of its best epoch.

use crate::standardization::Standardization;
use anyhow::{Result, ensure};
use dermake_process::interrupt::{self, Interrupted};
use ndarray::{Array1, Array2, Axis, Zip};

/// How a head is trained.
#[derive(Clone, Debug)]
pub struct HeadOptions {
    /// Passes over the training rows at most.
    pub epochs: usize,
    pub learning_rate: f64,
    /// Decay of the weights, decoupled as in AdamW.
    pub weight_decay: f64,
    /// Epochs without an improvement after which the training ends.
    pub patience: usize,
}

/// Rows of features with their classes.
pub struct Rows {
    /// `[n, E]`
    pub features: Array2<f64>,
    pub labels: Vec<usize>,
}

/// A trained head, of features as they come.
#[derive(Clone, Debug)]
pub struct Head {
    /// `[E, C]`
    pub weight: Array2<f64>,
    /// `[C]`
    pub bias: Array1<f64>,
}

/// The losses of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    pub train_loss: f64,
    pub validation_loss: f64,
}

/// A head, how it came about, and which epoch it is of.
pub struct Trained {
    pub head: Head,
    /// The same head for standardized features, and the standardization.
    pub standardized: Head,
    pub(super) scaling: Standardization,
    pub epochs: Vec<Epoch>,
    pub best_epoch: usize,
}

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;

/// The weight of each class: all 1, or so that each class counts as much as any other (scikit-learn's "balanced").
///
/// # Errors
/// When a class has no row and is to be balanced.
pub fn class_weights(labels: &[usize], n_classes: usize, is_balanced: bool) -> Result<Vec<f64>> {
    if !is_balanced {
        return Ok(vec![1.0; n_classes]);
    }
    let mut counts = vec![0usize; n_classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    ensure!(counts.iter().all(|&count| count > 0), "a class has no training row");
    Ok(counts.iter().map(|&count| labels.len() as f64 / (n_classes * count) as f64).collect())
}

/// Trains a head.
///
/// # Errors
/// [`Interrupted`] on Ctrl-C; when the loss is not finite.
pub fn train(train: &Rows, validation: &Rows, weights: &[f64], options: &HeadOptions) -> Result<Trained> {
    let scaling = Standardization::of(&train.features);
    let (x, validation_x) = (scaling.apply(&train.features), scaling.apply(&validation.features));
    let mut head = Head { weight: Array2::zeros((x.ncols(), weights.len())), bias: Array1::zeros(weights.len()) };
    let mut moments = [Moments::like(&head), Moments::like(&head)];
    let (mut epochs, mut best): (Vec<Epoch>, Option<(usize, Head)>) = (Vec::new(), None);
    for epoch in 0..options.epochs {
        if interrupt::is_requested() {
            return Err(Interrupted.into());
        }
        let (train_loss, gradient) = head.loss_and_gradient(&x, &train.labels, weights);
        let validation_loss = head.loss(&validation_x, &validation.labels, weights);
        ensure!(
            validation_loss.is_finite() && train_loss.is_finite(),
            "the loss is not finite in epoch {}",
            epoch + 1
        );
        epochs.push(Epoch { train_loss, validation_loss });
        let is_better = best.as_ref().is_none_or(|(best, _)| validation_loss < epochs[*best].validation_loss);
        if is_better {
            best = Some((epoch, head.clone()));
        } else if best.as_ref().is_some_and(|(best, _)| epoch - best >= options.patience) {
            break;
        }
        head.update(&gradient, &mut moments, epoch + 1, options);
    }
    let (best_epoch, head) = best.ok_or_else(|| anyhow::anyhow!("epochs is 0, expected at least 1"))?;
    Ok(Trained { head: folded(&scaling, head.clone()), standardized: head, scaling, epochs, best_epoch })
}

impl Head {
    /// Probabilities `[n, C]` of features `[n, E]`.
    pub fn probabilities(&self, features: &Array2<f64>) -> Array2<f64> {
        let mut logits = features.dot(&self.weight) + &self.bias;
        for mut row in logits.rows_mut() {
            let largest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
            row.mapv_inplace(|logit| (logit - largest).exp());
            let sum = row.sum();
            row /= sum;
        }
        logits
    }

    /// The weighted mean of the cross-entropy, as PyTorch's `CrossEntropyLoss(weight)`.
    fn loss(&self, x: &Array2<f64>, labels: &[usize], weights: &[f64]) -> f64 {
        loss_of(&self.probabilities(x), labels, weights)
    }

    fn loss_and_gradient(&self, x: &Array2<f64>, labels: &[usize], weights: &[f64]) -> (f64, Self) {
        let total: f64 = labels.iter().map(|&label| weights[label]).sum();
        let (loss, d_logits) = loss_and_logit_gradient(self, x, labels, weights, total);
        (loss, Self { weight: x.t().dot(&d_logits), bias: d_logits.sum_axis(Axis(0)) })
    }

    /// One step of AdamW, the `number`-th from 1; only the rate and the decay of `options` count.
    pub(super) fn update(
        &mut self,
        gradient: &Self,
        moments: &mut [Moments; 2],
        number: usize,
        options: &HeadOptions,
    ) {
        let [first, second] = moments;
        let rate = options.learning_rate;
        let corrections = [BETA1, BETA2].map(|beta| 1.0 - beta.powi(number as i32));
        let step = |value: &mut f64, &gradient: &f64, first: &mut f64, second: &mut f64, decay: f64| {
            *first = BETA1 * *first + (1.0 - BETA1) * gradient;
            *second = BETA2 * *second + (1.0 - BETA2) * gradient * gradient;
            let root = (*second / corrections[1]).sqrt() + EPS;
            *value = *value * (1.0 - rate * decay) - rate * (*first / corrections[0]) / root;
        };
        Zip::from(&mut self.weight)
            .and(&gradient.weight)
            .and(&mut first.weight)
            .and(&mut second.weight)
            .for_each(|value, gradient, first, second| step(value, gradient, first, second, options.weight_decay));
        Zip::from(&mut self.bias)
            .and(&gradient.bias)
            .and(&mut first.bias)
            .and(&mut second.bias)
            .for_each(|value, gradient, first, second| step(value, gradient, first, second, 0.0));
    }
}

/// The share of the rows `x` in the loss of a batch whose rows have the weights `total` together, and the gradient of
/// their logits, `[b, C]`.
pub(super) fn loss_and_logit_gradient(
    head: &Head,
    x: &Array2<f64>,
    labels: &[usize],
    weights: &[f64],
    total: f64,
) -> (f64, Array2<f64>) {
    let mut d_logits = head.probabilities(x);
    let own: f64 = labels.iter().map(|&label| weights[label]).sum();
    let loss = loss_of(&d_logits, labels, weights) * own / total;
    for (mut row, &label) in d_logits.rows_mut().into_iter().zip(labels) {
        row[label] -= 1.0;
        row *= weights[label] / total;
    }
    (loss, d_logits)
}

/// The weighted mean of the cross-entropy of probabilities `[n, C]`.
pub(super) fn loss_of(probabilities: &Array2<f64>, labels: &[usize], weights: &[f64]) -> f64 {
    let rows = probabilities.rows().into_iter().zip(labels);
    let sum: f64 = rows.map(|(row, &label)| weights[label] * row[label].max(f64::MIN_POSITIVE).ln()).sum();
    0.0 - sum / labels.iter().map(|&label| weights[label]).sum::<f64>() // never -0.0, which would be printed
}

/// AdamW's mean of gradients, or of their squares.
#[derive(Clone)]
pub(super) struct Moments {
    weight: Array2<f64>,
    bias: Array1<f64>,
}

impl Moments {
    pub(super) fn like(head: &Head) -> Self {
        Self { weight: Array2::zeros(head.weight.dim()), bias: Array1::zeros(head.bias.dim()) }
    }
}

/// The head that gives of plain features what `head` gives of standardized ones.
pub(super) fn folded(scaling: &Standardization, head: Head) -> Head {
    let weight = &head.weight / &scaling.deviation.view().insert_axis(Axis(1));
    let bias = head.bias - scaling.mean.dot(&weight);
    Head { weight, bias }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, classes: usize, seed: f64) -> Rows {
        let value =
            |row: usize, column: usize| (seed + (row * 7 + column * 13) as f64).sin() + (row % classes) as f64;
        Rows {
            features: Array2::from_shape_fn((n, 4), |(row, column)| value(row, column)),
            labels: (0..n).map(|row| row % classes).collect(),
        }
    }

    const OPTIONS: HeadOptions = HeadOptions { epochs: 300, learning_rate: 0.05, weight_decay: 0.0, patience: 300 };

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (data, weights) = (rows(9, 3, 0.3), [1.0, 2.5, 0.5]);
        let head = Head {
            weight: Array2::from_shape_fn((4, 3), |(row, column)| ((row + 2 * column) as f64).cos()),
            bias: Array1::from(vec![0.1, -0.2, 0.3]),
        };
        let (_, gradient) = head.loss_and_gradient(&data.features, &data.labels, &weights);
        for place in [(0, 0), (3, 2), (1, 1)] {
            let at = |change: f64| {
                let mut head = head.clone();
                head.weight[place] += change;
                head.loss(&data.features, &data.labels, &weights)
            };
            let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!((slope - gradient.weight[place]).abs() < 1e-8, "{slope}, {}", gradient.weight[place]);
        }
    }

    #[test]
    fn a_class_weight_counts_as_so_many_copies_of_its_rows() {
        let data = rows(12, 2, 0.8);
        let copied: Vec<usize> =
            (0..12).flat_map(|row| std::iter::repeat_n(row, 1 + 2 * data.labels[row])).collect();
        let more = Rows {
            features: data.features.select(Axis(0), &copied),
            labels: copied.iter().map(|&row| data.labels[row]).collect(),
        };
        let head = Head { weight: Array2::from_elem((4, 2), 0.3), bias: Array1::from(vec![0.5, -0.5]) };
        let (weighted, of_weighted) = head.loss_and_gradient(&data.features, &data.labels, &[1.0, 3.0]);
        let (written_out, of_more) = head.loss_and_gradient(&more.features, &more.labels, &[1.0, 1.0]);
        assert!((weighted - written_out).abs() < 1e-12);
        assert!((of_weighted.weight - of_more.weight).iter().all(|difference| difference.abs() < 1e-12));
        assert_eq!(class_weights(&[0, 0, 0, 1], 2, true).unwrap(), [4.0 / 6.0, 2.0]);
        assert!(class_weights(&[0, 0], 2, true).is_err());
    }

    #[test]
    fn a_head_learns_ends_early_and_is_of_plain_features() {
        let (data, validation) = (rows(60, 3, 0.1), rows(30, 3, 5.0));
        let trained = train(&data, &validation, &[1.0; 3], &OPTIONS).unwrap();
        let losses: Vec<f64> = trained.epochs.iter().map(|epoch| epoch.validation_loss).collect();
        assert!((losses[0] - 3f64.ln()).abs() < 1e-9, "all classes are equally likely at first");
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(losses[trained.best_epoch], least);
        let again = trained.head.loss(&validation.features, &validation.labels, &[1.0; 3]);
        assert!((again - least).abs() < 1e-9, "standardization is in the head");
        let short = train(&data, &validation, &[1.0; 3], &HeadOptions { patience: 1, ..OPTIONS }).unwrap();
        assert!(short.epochs.len() <= trained.epochs.len());
    }
}
