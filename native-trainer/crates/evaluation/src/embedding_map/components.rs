//! The first two principal components, by subspace iteration on the centered features.

use ndarray::{Array1, Array2, Axis};

/// Steps at most; a step that turns the plane by less than the tolerance is the last.
const MAX_STEPS: usize = 500;
const TOLERANCE: f64 = 1e-14;

/// Features in the plane of their two principal components.
pub struct Components {
    pub points: Vec<[f64; 2]>,
    /// Share of the variance that is in the plane; `None` where there is none.
    pub variance_share: Option<f64>,
}

impl Components {
    /// # Shapes
    /// - `features`: `[n, E]`, n at least 1
    pub fn of(features: &Array2<f32>) -> Self {
        let mut centered = features.mapv(f64::from);
        let mean = centered.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(features.ncols()));
        centered -= &mean;
        let mut plane = orthonormal(Array2::from_shape_fn((features.ncols(), 2), |(row, column)| {
            ((row * 2 + column + 1) as f64).sin()
        }));
        for _ in 0..MAX_STEPS {
            let next = orthonormal(centered.t().dot(&centered.dot(&plane)));
            // Both planes have unit columns: the distance of a column from its projection onto the other plane.
            let turned = (&next - &plane.dot(&plane.t().dot(&next))).mapv(|value| value * value).sum();
            plane = next;
            if turned < TOLERANCE {
                break;
            }
        }
        let mut points = rotated(centered.dot(&plane));
        for mut column in points.columns_mut() {
            // Either direction would do; the farthest point decides.
            let farthest = column.iter().copied().fold(0.0f64, |a, b| if b.abs() > a.abs() { b } else { a });
            column *= farthest.signum();
        }
        let total = centered.mapv(|value| value * value).sum();
        let within = points.mapv(|value| value * value).sum();
        Self {
            points: points.rows().into_iter().map(|row| [row[0], row[1]]).collect(),
            variance_share: (total > 0.0).then(|| (within / total).min(1.0)),
        }
    }
}

/// Two columns of unit length at right angles, as Gram and Schmidt make them; a column of zeros stays.
fn orthonormal(mut columns: Array2<f64>) -> Array2<f64> {
    let unit = |column: Array1<f64>| {
        let length = column.dot(&column).sqrt();
        if length > 0.0 { column / length } else { column }
    };
    let first = unit(columns.column(0).to_owned());
    let second = columns.column(1).to_owned();
    let second = unit(&second - &(&first * first.dot(&second)));
    columns.column_mut(0).assign(&first);
    columns.column_mut(1).assign(&second);
    columns
}

/// Turns points in their plane so that the first coordinate has the most variance and the two are not correlated.
fn rotated(points: Array2<f64>) -> Array2<f64> {
    let (x, y) = (points.column(0), points.column(1));
    let angle = 0.5 * (2.0 * x.dot(&y)).atan2(x.dot(&x) - y.dot(&y));
    let (sin, cos) = angle.sin_cos();
    let turn = Array2::from_shape_vec((2, 2), vec![cos, -sin, sin, cos]).expect("four values are two rows of two");
    points.dot(&turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: [[f64; 2]; 5] = [
        [-0.782227, -1.891989],
        [1.020869, 0.304335],
        [-1.240954, 3.130331],
        [-2.544789, -1.241975],
        [3.547101, -0.300701],
    ];
    const EXPECTED_SHARE: f64 = 0.812087673;

    #[test]
    fn components_are_the_eigenvectors_of_the_scatter() {
        // EXPECTED: the rows, centered, times the eigenvectors of their 3 x 3 scatter matrix by Jacobi's rotations; the share
        // is that of the two largest eigenvalues.
        let features = Array2::from_shape_vec(
            (5, 3),
            vec![2.0, 0.0, 1.0, 0.0, 1.0, 3.0, 1.0, 5.0, 2.0, 4.0, 2.0, 0.0, 3.0, 1.0, 6.0],
        )
        .unwrap();
        let found = Components::of(&features);
        for (found, expected) in found.points.iter().zip(EXPECTED) {
            for axis in 0..2 {
                assert!((found[axis] - expected[axis]).abs() < 1e-4, "{found:?}, {expected:?}");
            }
        }
        assert!((found.variance_share.unwrap() - EXPECTED_SHARE).abs() < 1e-6, "{:?}", found.variance_share);
    }

    #[test]
    fn equal_features_are_one_point() {
        let found = Components::of(&Array2::from_elem((4, 3), 0.5));
        assert_eq!((found.points, found.variance_share), (vec![[0.0; 2]; 4], None));
    }
}
