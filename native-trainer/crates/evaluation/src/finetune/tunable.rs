//! A head that is trained together with the tower below it. Its standardization stays as the frozen features had it.

use super::head::{Head, HeadOptions, Moments, folded, loss_and_logit_gradient, loss_of};
use crate::standardization::Standardization;
use ndarray::{Array1, Array2, Axis};

/// A head of standardized features, and AdamW's moments of it.
#[derive(Clone)]
pub struct TunableHead {
    scaling: Standardization,
    head: Head,
    moments: [Moments; 2],
    n_updates: usize,
}

/// What a part of a batch gives.
pub struct HeadGradients {
    /// The part's share of the batch's loss.
    pub loss: f64,
    /// The part's share of the head's gradient.
    pub head: Head,
    /// `[b, E]`: the gradient of the part's features.
    pub features: Array2<f64>,
}

impl HeadGradients {
    /// Adds those of another part of the same batch; the features' are dropped.
    pub fn add(&mut self, other: &Self) {
        self.loss += other.loss;
        self.head.weight += &other.head.weight;
        self.head.bias += &other.head.bias;
    }
}

impl TunableHead {
    /// A head of features from which `mean` is subtracted and which are divided by `deviation`.
    ///
    /// # Shapes
    /// - `mean`, `deviation`: `[E]`; `head`: `[E, C]`, `[C]`
    pub fn new(mean: Array1<f64>, deviation: Array1<f64>, head: Head) -> Self {
        Self::of(Standardization { mean, deviation }, head)
    }

    pub(super) fn of(scaling: Standardization, head: Head) -> Self {
        Self { moments: [Moments::like(&head), Moments::like(&head)], scaling, head, n_updates: 0 }
    }

    /// The loss of features, each row weighted by its class: the weighted mean of the cross-entropy.
    ///
    /// # Shapes
    /// - `features`: `[n, E]`, rows of unit length
    pub fn loss(&self, features: &Array2<f64>, labels: &[usize], weights: &[f64]) -> f64 {
        loss_of(&self.head.probabilities(&self.scaling.apply(features)), labels, weights)
    }

    /// Loss and gradients of a part of a batch whose rows have the weights `total` together.
    ///
    /// # Shapes
    /// - `features`: `[b, E]`, rows of unit length
    pub fn gradients(
        &self,
        features: &Array2<f64>,
        labels: &[usize],
        weights: &[f64],
        total: f64,
    ) -> HeadGradients {
        let x = self.scaling.apply(features);
        let (loss, d_logits) = loss_and_logit_gradient(&self.head, &x, labels, weights, total);
        let d_x = d_logits.dot(&self.head.weight.t());
        HeadGradients {
            loss,
            features: d_x / &self.scaling.deviation,
            head: Head { weight: x.t().dot(&d_logits), bias: d_logits.sum_axis(Axis(0)) },
        }
    }

    /// One step of AdamW with the gradient of a batch.
    pub fn update(&mut self, gradient: &Head, options: &HeadOptions) {
        self.n_updates += 1;
        self.head.update(gradient, &mut self.moments, self.n_updates, options);
    }

    /// The head of features as they come.
    pub fn plain(&self) -> Head {
        folded(&self.scaling, self.head.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> (TunableHead, Array2<f64>, [usize; 6], [f64; 3]) {
        let value = |row: usize, column: usize| ((row * 7 + column * 3) as f64).sin();
        let head = Head {
            weight: Array2::from_shape_fn((4, 3), |(row, column)| value(row + 1, column)),
            bias: Array1::from(vec![0.1, -0.2, 0.3]),
        };
        let (mean, deviation) = (Array1::from(vec![0.2, 0.0, -0.1, 0.3]), Array1::from(vec![0.5, 1.0, 2.0, 0.7]));
        let features = Array2::from_shape_fn((6, 4), |(row, column)| value(row, column + 2));
        (TunableHead::new(mean, deviation, head), features, [0, 2, 1, 1, 0, 2], [1.0, 2.5, 0.5])
    }

    #[test]
    fn gradients_of_features_agree_with_finite_differences_and_parts_add_up() {
        let (head, features, labels, weights) = case();
        let total: f64 = labels.iter().map(|&label| weights[label]).sum();
        let whole = head.gradients(&features, &labels, &weights, total);
        assert!((whole.loss - head.loss(&features, &labels, &weights)).abs() < 1e-12);
        for place in [(0, 0), (3, 2), (5, 3)] {
            let at = |change: f64| {
                let mut features = features.clone();
                features[place] += change;
                head.loss(&features, &labels, &weights)
            };
            let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!((slope - whole.features[place]).abs() < 1e-8, "{slope}, {}", whole.features[place]);
        }
        let part = |rows: std::ops::Range<usize>| {
            let features = features.select(Axis(0), &rows.clone().collect::<Vec<_>>());
            head.gradients(&features, &labels[rows], &weights, total)
        };
        let mut sum = part(0..2);
        sum.add(&part(2..6));
        assert!((sum.loss - whole.loss).abs() < 1e-12);
        assert!((sum.head.weight - whole.head.weight).iter().all(|difference| difference.abs() < 1e-12));
    }

    #[test]
    fn an_updated_head_is_the_same_for_plain_features() {
        let (mut head, features, labels, weights) = case();
        let total: f64 = labels.iter().map(|&label| weights[label]).sum();
        let before = head.loss(&features, &labels, &weights);
        let options = HeadOptions { epochs: 1, learning_rate: 0.01, weight_decay: 0.0, patience: 1 };
        for _ in 0..20 {
            let gradients = head.gradients(&features, &labels, &weights, total);
            head.update(&gradients.head, &options);
        }
        let after = head.loss(&features, &labels, &weights);
        assert!(after < before, "{after}, {before}");
        assert!((loss_of(&head.plain().probabilities(&features), &labels, &weights) - after).abs() < 1e-9);
    }
}
