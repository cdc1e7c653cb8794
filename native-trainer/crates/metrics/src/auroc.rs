//! Area under the ROC curve, and the curve.

/// Largest number of points of a curve, without the last.
const MAX_CURVE_POINTS: usize = 200;

/// Scores in ascending order with their labels, sorted once for any number of counts.
pub struct RankedScores {
    /// Rows by ascending score.
    rows: Vec<u32>,
    is_positive: Vec<bool>,
    /// End of each run of equal scores in `rows`.
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

    /// `[false positive rate, true positive rate]` from `[0, 0]` to `[1, 1]`, as many points as a picture can show.
    ///
    /// The area under them is the AUROC. Empty without a row of either kind.
    pub fn roc(&self, counts: &[u32]) -> Vec<[f64; 2]> {
        let mut ties = Vec::new();
        self.each_tie(counts, |positive, negative| ties.push((positive, negative)));
        let total = ties.iter().fold((0, 0), |sum, tie| (sum.0 + tie.0, sum.1 + tie.1));
        if total.0 == 0 || total.1 == 0 {
            return Vec::new();
        }
        let mut corners = vec![[0, 0]];
        let (mut positive, mut negative) = (0, 0);
        for tie in ties.iter().rev() {
            positive += tie.0;
            negative += tie.1;
            push_corner(&mut corners, [negative, positive]);
        }
        thinned(&corners).into_iter().map(|[x, y]| [x / total.1 as f64, y / total.0 as f64]).collect()
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

/// Adds a point of a curve; removes the one before if it is on the line between its neighbors.
fn push_corner(corners: &mut Vec<[u64; 2]>, point: [u64; 2]) {
    if let [.., before, last] = corners[..] {
        let (to_last, to_point) = (difference(before, last), difference(last, point));
        if to_last[0] * to_point[1] == to_last[1] * to_point[0] {
            corners.pop();
        }
    }
    if corners.last() != Some(&point) {
        corners.push(point);
    }
}

/// The curve through at most [`MAX_CURVE_POINTS`] and the last, with the same area under it.
///
/// Each section that is left out becomes two lines. Their common point is between the middle of the section's chord and
/// the corner of its box, where the area under the lines equals that under the section.
fn thinned(corners: &[[u64; 2]]) -> Vec<[f64; 2]> {
    let float = |point: [u64; 2]| point.map(|value| value as f64);
    if corners.len() <= MAX_CURVE_POINTS + 1 {
        return corners.iter().copied().map(float).collect();
    }
    let n_stretches = MAX_CURVE_POINTS / 2;
    let end_of = |stretch: usize| stretch * (corners.len() - 1) / n_stretches;
    let mut points = vec![float(corners[0])];
    for stretch in 0..n_stretches {
        let stretch = &corners[end_of(stretch)..=end_of(stretch + 1)];
        let (start, end) = (stretch[0], stretch[stretch.len() - 1]);
        let [width, height] = difference(start, end).map(|value| value as f64);
        // Twice the area between the curve and its chord, positive above the chord.
        let above: f64 = stretch
            .windows(2)
            .map(|pair| {
                let [step, _] = difference(pair[0], pair[1]);
                (step * (pair[0][1] + pair[1][1] - 2 * start[1])) as f64
            })
            .sum::<f64>()
            - width * height;
        let share = above / (width * height).max(1.0);
        let [x, y] = float(start);
        points.push([x + width / 2.0 * (1.0 - share), y + height / 2.0 * (1.0 + share)]);
        points.push(float(end));
    }
    points
}

fn difference(from: [u64; 2], to: [u64; 2]) -> [u64; 2] {
    [to[0] - from[0], to[1] - from[1]]
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

    fn area(curve: &[[f64; 2]]) -> f64 {
        curve.windows(2).map(|pair| (pair[1][0] - pair[0][0]) * (pair[0][1] + pair[1][1]) / 2.0).sum()
    }

    #[test]
    fn the_area_under_the_curve_is_the_auroc_however_many_points_there_are() {
        let mut state = 1u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        for n_rows in [2, 10, 300, 3000, 20_000] {
            for n_values in [3.0, 50.0, 1e9] {
                let labels: Vec<bool> = (0..n_rows).map(|row| row == 0 || row > 1 && random() < 0.4).collect();
                let shift = |&label: &bool| if label { 0.3 } else { 0.0 };
                let scores: Vec<f64> =
                    labels.iter().map(|label| ((random() + shift(label)) * n_values).floor()).collect();
                let ranked = RankedScores::new(&scores, &labels);
                let counts: Vec<u32> = (0..n_rows).map(|row| if row < 2 { 1 } else { row % 3 }).collect();
                let curve = ranked.roc(&counts);
                let auroc = ranked.auroc(&counts).unwrap();
                assert!((area(&curve) - auroc).abs() < 1e-9, "{n_rows} rows: {} for {auroc}", area(&curve));
                assert!(curve.len() <= MAX_CURVE_POINTS + 1);
                let rises = curve.windows(2).all(|pair| pair[0][0] <= pair[1][0] && pair[0][1] <= pair[1][1]);
                assert!(rises && curve[0] == [0.0, 0.0] && curve.last() == Some(&[1.0, 1.0]));
            }
        }
    }

    #[test]
    fn points_on_a_line_are_left_out() {
        let scores: Vec<f64> = (0..6).map(f64::from).collect();
        let labels = [false, false, false, true, true, true];
        assert_eq!(RankedScores::new(&scores, &labels).roc(&[1; 6]), [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    }
}
