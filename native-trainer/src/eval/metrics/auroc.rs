//! Area under the ROC curve, and the curve.

/// Most points that [`RankedScores::roc`] gives.
const MAX_CURVE_POINTS: usize = 200;

/// Scores in ascending order with what they should tell apart, sorted once for any number of counts.
pub struct RankedScores {
    /// Rows by ascending score.
    rows: Vec<u32>,
    is_positive: Vec<bool>,
    /// Where each run of equal scores ends in `rows`.
    tie_ends: Vec<u32>,
}

impl RankedScores {
    /// # Panics
    /// When the two differ in length or are more than 2^32 rows.
    pub fn new(scores: &[f64], is_positive: &[bool]) -> Self {
        assert_eq!(scores.len(), is_positive.len(), "a score for each row");
        let n_rows = u32::try_from(scores.len()).expect("no table has 2^32 rows");
        let mut rows: Vec<u32> = (0..n_rows).collect();
        rows.sort_unstable_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]).then(a.cmp(&b)));
        let score = |at: usize| scores[rows[at] as usize];
        let ends_tie = |&end: &usize| end == rows.len() || score(end) != score(end - 1);
        let tie_ends = (1..=rows.len()).filter(ends_tie).map(|end| end as u32).collect();
        Self { is_positive: rows.iter().map(|&row| is_positive[row as usize]).collect(), rows, tie_ends }
    }

    /// The share of pairs of a positive and a negative row in which the positive scores higher; ties count half.
    ///
    /// `None` without a row of either kind.
    pub fn auroc(&self, counts: &[u32]) -> Option<f64> {
        let (mut n_positive, mut n_negative, mut twice_won) = (0u64, 0u64, 0u64);
        self.each_tie(counts, |positive, negative| {
            twice_won += positive * (2 * n_negative + negative);
            n_positive += positive;
            n_negative += negative;
        });
        let n_pairs = n_positive * n_negative;
        (n_pairs > 0).then(|| twice_won as f64 / (2 * n_pairs) as f64)
    }

    /// `[false positive rate, true positive rate]` from `[0, 0]` to `[1, 1]`, thinned to what a picture can show.
    ///
    /// Empty without a row of either kind.
    pub fn roc(&self, counts: &[u32]) -> Vec<[f64; 2]> {
        let mut ties = Vec::new();
        self.each_tie(counts, |positive, negative| ties.push((positive, negative)));
        let total = ties.iter().fold((0, 0), |sum, tie| (sum.0 + tie.0, sum.1 + tie.1));
        if total.0 == 0 || total.1 == 0 {
            return Vec::new();
        }
        let mut points = vec![[0.0, 0.0]];
        let (mut positive, mut negative) = (0, 0);
        for tie in ties.iter().rev() {
            positive += tie.0;
            negative += tie.1;
            points.push([negative as f64 / total.1 as f64, positive as f64 / total.0 as f64]);
        }
        let stride = points.len().div_ceil(MAX_CURVE_POINTS);
        let last = points.len() - 1;
        points.into_iter().enumerate().filter(|(at, _)| at % stride == 0 || *at == last).map(|(_, p)| p).collect()
    }

    /// Shows how many positive and negative rows each score has, by ascending score.
    fn each_tie(&self, counts: &[u32], mut show: impl FnMut(u64, u64)) {
        let mut start = 0;
        for &end in &self.tie_ends {
            let (mut positive, mut negative) = (0, 0);
            for at in start..end as usize {
                let count = u64::from(counts[self.rows[at] as usize]);
                *(if self.is_positive[at] { &mut positive } else { &mut negative }) += count;
            }
            show(positive, negative);
            start = end as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auroc(scores: &[f64], is_positive: &[bool]) -> Option<f64> {
        RankedScores::new(scores, is_positive).auroc(&vec![1; scores.len()])
    }

    #[test]
    fn it_is_the_share_of_pairs_in_order() {
        let labels = [false, true, false, true];
        assert_eq!(auroc(&[0.1, 0.2, 0.3, 0.4], &labels), Some(0.75)); // 0.2 lies below one negative
        assert_eq!(auroc(&[0.5; 4], &labels), Some(0.5));
        assert_eq!(auroc(&[0.1, 0.3, 0.3, 0.4], &labels), Some(0.875)); // one tie counts half
        assert_eq!(auroc(&[0.1, 0.2], &[true, true]), None);
        assert_eq!(auroc(&[], &[]), None);
    }

    #[test]
    fn counts_are_repeated_rows() {
        let (scores, labels) = ([0.1, 0.3, 0.3, 0.4, 0.2], [false, true, false, true, true]);
        let counts = [2, 0, 3, 1, 1];
        let rows = [0, 0, 2, 2, 2, 3, 4];
        let repeated = auroc(&rows.map(|row| scores[row]), &rows.map(|row| labels[row]));
        assert_eq!(RankedScores::new(&scores, &labels).auroc(&counts), repeated);
    }

    #[test]
    fn the_curve_goes_from_corner_to_corner() {
        let ranked = RankedScores::new(&[0.1, 0.2, 0.3, 0.4], &[false, true, false, true]);
        assert_eq!(ranked.roc(&[1; 4]), [[0.0, 0.0], [0.0, 0.5], [0.5, 0.5], [0.5, 1.0], [1.0, 1.0]]);
        let scores: Vec<f64> = (0..5000).map(f64::from).collect();
        let labels: Vec<bool> = (0..5000).map(|row| row % 3 == 0).collect();
        let curve = RankedScores::new(&scores, &labels).roc(&vec![1; 5000]);
        assert!(curve.len() <= MAX_CURVE_POINTS + 1 && curve.last() == Some(&[1.0, 1.0]));
    }
}
