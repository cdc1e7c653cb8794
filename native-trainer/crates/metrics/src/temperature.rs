//! Temperature scaling: the factor on logits under which probabilities fit the labels best (Guo et al.,
//! arXiv 1706.04599).

/// Smallest and largest temperature.
const BOUNDS: [f64; 2] = [0.01, 100.0];
/// Bisections: the temperature is exact to 1e-12 of itself.
const N_STEPS: usize = 48;

/// A fitted temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature {
    pub value: f64,
    /// The likelihood still grows at a bound: every answer is right, or probabilities say nothing.
    pub is_at_bound: bool,
}

/// Returns the temperature between 0.01 and 100 that maximizes the likelihood of the labels; `None` without rows.
///
/// The negative log-likelihood is convex in the inverse temperature β, and its derivative is the mean over the rows of
/// `E[z] - z_label`, where E is over the softmax of βz.
///
/// # Panics
/// When a label is not below the number of its row's logits.
pub fn fit_temperature(logits: &[Vec<f64>], labels: &[usize]) -> Option<Temperature> {
    if labels.is_empty() {
        return None;
    }
    let slope = |inverse: f64| -> f64 {
        let of_row = |(logits, &label): (&Vec<f64>, &usize)| {
            let probabilities = softmax(logits, 1.0 / inverse);
            let expected: f64 = probabilities.iter().zip(logits).map(|(p, logit)| p * logit).sum();
            expected - logits[label]
        };
        logits.iter().zip(labels).map(of_row).sum()
    };
    let [mut low, mut high] = [BOUNDS[1].recip(), BOUNDS[0].recip()];
    for (bound, is_beyond) in [(low, slope(low) >= 0.0), (high, slope(high) <= 0.0)] {
        if is_beyond {
            return Some(Temperature { value: 1.0 / bound, is_at_bound: true });
        }
    }
    for _ in 0..N_STEPS {
        let middle = (low * high).sqrt();
        if slope(middle) < 0.0 { low = middle } else { high = middle }
    }
    Some(Temperature { value: 1.0 / (low * high).sqrt(), is_at_bound: false })
}

/// Returns the softmax of logits divided by a temperature.
pub fn softmax(logits: &[f64], temperature: f64) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| ((logit - largest) / temperature).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logit_of_one_that_is_right_three_times_in_four_gets_the_temperature_of_that_share() {
        // softmax([1 / T, 0]) = 3 / 4 where 1 / T = ln 3
        let logits = vec![vec![1.0, 0.0]; 4];
        let found = fit_temperature(&logits, &[0, 0, 1, 0]).unwrap();
        assert!((found.value - 1.0 / 3f64.ln()).abs() < 1e-9 && !found.is_at_bound, "{found:?}");
    }

    #[test]
    fn no_temperature_around_it_is_likelier() {
        let logits: Vec<Vec<f64>> =
            (0..60).map(|row| (0..4).map(|class| f64::from((row * 7 + class * 13) % 19)).collect()).collect();
        // Two of three answers are right.
        let largest = |row: &Vec<f64>| (0..4).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        let labels: Vec<usize> =
            logits.iter().enumerate().map(|(at, row)| (largest(row) + usize::from(at % 3 == 0)) % 4).collect();
        let loss = |temperature: f64| -> f64 {
            logits.iter().zip(&labels).map(|(row, &label)| -softmax(row, temperature)[label].ln()).sum()
        };
        let Temperature { value, is_at_bound } = fit_temperature(&logits, &labels).unwrap();
        assert!(!is_at_bound && loss(value) <= loss(value * 1.01) && loss(value) <= loss(value / 1.01), "{value}");
    }

    #[test]
    fn answers_that_are_all_right_or_say_nothing_end_at_a_bound() {
        let right = fit_temperature(&[vec![1.0, 0.0]], &[0]).unwrap();
        assert!(right.is_at_bound && (right.value - 0.01).abs() < 1e-9, "{right:?}");
        let wrong = fit_temperature(&[vec![1.0, 0.0]], &[1]).unwrap();
        assert!(wrong.is_at_bound && (wrong.value - 100.0).abs() < 1e-9, "{wrong:?}");
        assert!(fit_temperature(&[vec![2.0, 2.0]], &[1]).unwrap().is_at_bound);
        assert_eq!(fit_temperature(&[], &[]), None);
    }
}
