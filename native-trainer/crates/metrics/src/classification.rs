//! Of ranked classes: accuracy, balanced accuracy, F1, one-vs-rest AUROC.

use super::auroc::RankedScores;

/// The scores of a table's rows over all classes, with the rows' labels.
pub struct ScoredClasses {
    n_classes: usize,
    labels: Vec<usize>,
    predictions: Vec<usize>,
    /// For each row, the number of classes ranked before its label.
    label_ranks: Vec<usize>,
    /// For each class, its scores beside all other classes.
    one_vs_rest: Vec<RankedScores>,
    /// For each class, whether any row has it or is predicted as it.
    occurs: Vec<bool>,
}

impl ScoredClasses {
    /// # Shapes
    /// - `scores`: `[n, C]`, row-major; the higher, the likelier
    /// - `labels`: n, each below C
    ///
    /// The prediction is the first of the likeliest classes. For top-k a class of the same score and a higher index
    /// comes before the label, as in scikit-learn's `top_k_accuracy_score`.
    ///
    /// # Panics
    /// When the shapes disagree.
    pub fn new<S: Score>(scores: &[S], labels: &[usize], n_classes: usize) -> Self {
        let predictions = scores.chunks_exact(n_classes.max(1)).map(first_largest).collect();
        Self::with_predictions(scores, labels, predictions, n_classes)
    }

    /// As [`Self::new`], with predictions that somebody else made of the scores.
    ///
    /// # Panics
    /// When the shapes disagree.
    pub fn with_predictions<S: Score>(
        scores: &[S],
        labels: &[usize],
        predictions: Vec<usize>,
        n_classes: usize,
    ) -> Self {
        assert_eq!(scores.len(), labels.len() * n_classes, "a score for each row and class");
        assert_eq!(predictions.len(), labels.len(), "a prediction for each row");
        let rows = || scores.chunks_exact(n_classes.max(1));
        let is_before = |row: &[S], class: usize, label: usize| {
            row[class] > row[label] || (row[class] == row[label] && class > label)
        };
        let rank = |(row, &label): (&[S], &usize)| (0..n_classes).filter(|&c| is_before(row, c, label)).count();
        let ranked = |class: usize| {
            let of_class: Vec<f64> = rows().map(|row| row[class].into()).collect();
            let is_class: Vec<bool> = labels.iter().map(|&label| label == class).collect();
            RankedScores::new(&of_class, &is_class)
        };
        let mut occurs = vec![false; n_classes];
        labels.iter().chain(&predictions).for_each(|&class| occurs[class] = true);
        Self {
            n_classes,
            occurs,
            labels: labels.to_vec(),
            predictions,
            label_ranks: rows().zip(labels).map(rank).collect(),
            one_vs_rest: (0..n_classes).map(ranked).collect(),
        }
    }

    pub fn n_rows(&self) -> usize {
        self.labels.len()
    }

    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    pub fn predictions(&self) -> &[usize] {
        &self.predictions
    }

    /// The share of rows whose prediction is their label.
    pub fn top1_accuracy(&self, counts: &[u32]) -> Option<f64> {
        share(counts, |row| self.predictions[row] == self.labels[row])
    }

    /// The share of rows whose label is among the k likeliest classes.
    pub fn top_k_accuracy(&self, k: usize, counts: &[u32]) -> Option<f64> {
        share(counts, |row| self.label_ranks[row] < k)
    }

    /// `confusion[label][prediction]`
    pub fn confusion(&self, counts: &[u32]) -> Vec<Vec<u64>> {
        let mut confusion = vec![vec![0; self.n_classes]; self.n_classes];
        for ((&label, &prediction), &count) in self.labels.iter().zip(&self.predictions).zip(counts) {
            confusion[label][prediction] += u64::from(count);
        }
        confusion
    }

    /// What each class was taken for.
    pub fn class_counts(&self, counts: &[u32]) -> Vec<ClassCounts> {
        let mut classes = vec![ClassCounts::default(); self.n_classes];
        for ((&label, &prediction), &count) in self.labels.iter().zip(&self.predictions).zip(counts) {
            let count = u64::from(count);
            classes[label].n += count;
            classes[prediction].n_predicted += count;
            classes[label].n_right += if label == prediction { count } else { 0 };
        }
        classes
    }

    /// One class against all others; `None` if either does not occur.
    pub fn auroc(&self, class: usize, counts: &[u32]) -> Option<f64> {
        self.one_vs_rest[class].auroc(counts)
    }

    /// The curve behind [`Self::auroc`].
    pub fn roc(&self, class: usize, counts: &[u32]) -> Vec<[f64; 2]> {
        self.one_vs_rest[class].roc(counts)
    }

    /// Mean one-vs-rest AUROC over all classes; `None` if one does not occur.
    pub fn macro_auroc(&self, counts: &[u32]) -> Option<f64> {
        let aurocs: Option<Vec<f64>> = (0..self.n_classes).map(|class| self.auroc(class, counts)).collect();
        mean(&aurocs?)
    }

    /// Mean recall over the classes that occur.
    pub fn balanced_accuracy(&self, counts: &[u32]) -> Option<f64> {
        let recalls: Vec<f64> = self.class_counts(counts).iter().filter_map(ClassCounts::recall).collect();
        mean(&recalls)
    }

    /// Mean recall over the classes that occur; of two classes, the recall of the second.
    pub fn sensitivity(&self, counts: &[u32]) -> Option<f64> {
        match self.n_classes {
            2 => self.class_counts(counts)[1].recall(),
            _ => self.balanced_accuracy(counts),
        }
    }

    /// The share of the rows of other classes that are not predicted as a class: the mean over the classes that have
    /// rows of others; of two classes, that of the second.
    pub fn specificity(&self, counts: &[u32]) -> Option<f64> {
        let classes = self.class_counts(counts);
        let n_rows = classes.iter().map(|class| class.n).sum();
        match &classes[..] {
            [_, positive] => positive.specificity(n_rows),
            all => mean(&all.iter().filter_map(|class| class.specificity(n_rows)).collect::<Vec<_>>()),
        }
    }

    /// F1 over the classes, weighted by how often each occurs.
    pub fn weighted_f1(&self, counts: &[u32]) -> Option<f64> {
        let classes = self.class_counts(counts);
        let n: u64 = classes.iter().map(|class| class.n).sum();
        let sum: f64 = classes.iter().filter_map(|class| Some(class.n as f64 * class.f1()?)).sum();
        (n > 0).then(|| sum / n as f64)
    }

    /// Mean F1 over all classes, as scikit-learn has it when told of all: one that neither occurs in any row nor was
    /// predicted counts 0. One that is only not among the rows that count is left out: otherwise most resamples of few rows
    /// would have a smaller value than the rows themselves.
    pub fn macro_f1(&self, counts: &[u32]) -> Option<f64> {
        let classes = self.class_counts(counts);
        let f1 = |(class, &occurs): (&ClassCounts, &bool)| class.f1().or((!occurs).then_some(0.0));
        let f1s: Vec<f64> = classes.iter().zip(&self.occurs).filter_map(f1).collect();
        mean(&f1s).filter(|_| classes.iter().any(|class| class.n > 0))
    }
}

/// Counts of a class: occurs, is predicted, and both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    pub n: u64,
    pub n_predicted: u64,
    pub n_right: u64,
}

impl ClassCounts {
    /// `None` if the class does not occur.
    pub fn recall(&self) -> Option<f64> {
        (self.n > 0).then(|| self.n_right as f64 / self.n as f64)
    }

    /// The share of the rows of other classes that are not predicted as this one; `None` if there are none.
    pub fn specificity(&self, n_rows: u64) -> Option<f64> {
        let (n_others, n_wrong) = (n_rows - self.n, self.n_predicted - self.n_right);
        (n_others > 0).then(|| (n_others - n_wrong) as f64 / n_others as f64)
    }

    /// `None` if the class was never predicted.
    pub fn precision(&self) -> Option<f64> {
        (self.n_predicted > 0).then(|| self.n_right as f64 / self.n_predicted as f64)
    }

    /// `None` if the class neither occurs nor was predicted.
    pub fn f1(&self) -> Option<f64> {
        let both = self.n + self.n_predicted;
        (both > 0).then(|| 2.0 * self.n_right as f64 / both as f64)
    }
}

/// The type of a score: f32 or f64.
pub trait Score: Copy + PartialOrd + Into<f64> {}

impl<T: Copy + PartialOrd + Into<f64>> Score for T {}

/// The first of the largest scores.
pub fn first_largest<S: Score>(row: &[S]) -> usize {
    let mut best = 0;
    for (class, &score) in row.iter().enumerate() {
        if score > row[best] {
            best = class;
        }
    }
    best
}

fn share(counts: &[u32], is_so: impl Fn(usize) -> bool) -> Option<f64> {
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let so: u64 =
        counts.iter().enumerate().filter(|(row, _)| is_so(*row)).map(|(_, &count)| u64::from(count)).sum();
    (total > 0).then(|| so as f64 / total as f64)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests;
