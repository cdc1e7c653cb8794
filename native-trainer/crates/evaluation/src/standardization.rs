//! Standardization of features by the mean and the deviation of training rows.

use ndarray::{Array1, Array2, Axis};

/// Smallest deviation, in the quadratic mean of all deviations. A feature that is the same in all training rows, but for
/// rounding, says nothing; divided by less, what it is in another row would outweigh all others.
const LEAST: f64 = 1e-3;

/// What is subtracted from features, and what they are divided by.
#[derive(Clone, Debug)]
pub struct Standardization {
    pub mean: Array1<f64>,
    pub deviation: Array1<f64>,
}

impl Standardization {
    /// # Shapes
    /// - `features`: `[n, E]`
    pub fn of(features: &Array2<f64>) -> Self {
        let mean = features.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(features.ncols()));
        let deviation = features.std_axis(Axis(0), 0.0);
        let least = LEAST * (deviation.dot(&deviation) / deviation.len().max(1) as f64).sqrt();
        // Where all rows are equal, there is nothing to divide by.
        let deviation = deviation.mapv(|value| if least > 0.0 { value.max(least) } else { 1.0 });
        Self { mean, deviation }
    }

    pub fn apply(&self, features: &Array2<f64>) -> Array2<f64> {
        (features - &self.mean) / &self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_have_mean_0_and_deviation_1_and_a_constant_one_stays_small_in_other_rows() {
        // The third feature is constant but for the rounding of f32.
        let rows = Array2::from_shape_fn((8, 3), |(row, column)| match column {
            2 => f64::from(0.3f32 + (row % 2) as f32 * f32::EPSILON / 4.0),
            _ => 0.05 * ((row * 3 + column) as f64).sin(),
        });
        let found = Standardization::of(&rows);
        let standardized = found.apply(&rows);
        for column in 0..2 {
            let column = standardized.column(column);
            assert!(column.sum().abs() < 1e-12 && (column.dot(&column) / 8.0 - 1.0).abs() < 1e-12, "{column}");
        }
        let mut other = rows;
        other[[0, 2]] = 0.31;
        let largest = found.apply(&other)[[0, 2]];
        assert!(largest.is_finite() && largest < 1000.0, "{largest}");
        let equal = Standardization::of(&Array2::from_elem((4, 2), 0.5));
        assert_eq!(equal.deviation, Array1::<f64>::ones(2));
        assert!(equal.apply(&Array2::from_elem((1, 2), 0.5)).iter().all(|value| *value == 0.0));
    }
}
