//! The nearest images of each image, exactly.

use bhtsne::Neighbor;
use ndarray::Array2;

/// Distances of all pairs of rows of unit length, `[n, n]`.
///
/// # Shapes
/// - `features`: `[n, E]`, rows of unit length
pub fn distances(features: &Array2<f32>) -> Array2<f32> {
    features.dot(&features.t()).mapv_into(|cosine| (2.0 - 2.0 * cosine).max(0.0).sqrt())
}

/// The `n_nearest` others of each row by ascending distance; of equally near ones, the first.
pub fn nearest(distances: &Array2<f32>, n_nearest: usize) -> Vec<Vec<Neighbor<f32>>> {
    let of_row = |(place, row): (usize, ndarray::ArrayView1<'_, f32>)| {
        let mut others: Vec<usize> = (0..row.len()).filter(|&other| other != place).collect();
        let order = |a: &usize, b: &usize| row[*a].total_cmp(&row[*b]).then(a.cmp(b));
        if n_nearest < others.len() {
            others.select_nth_unstable_by(n_nearest, order);
            others.truncate(n_nearest);
        }
        others.sort_unstable_by(order);
        others.into_iter().map(|index| Neighbor { index, distance: row[index] }).collect()
    };
    distances.rows().into_iter().enumerate().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_no_row_is_its_own_neighbor() {
        let unit = |degrees: f32| [degrees.to_radians().cos(), degrees.to_radians().sin()];
        let rows: Vec<f32> = [0.0, 10.0, 90.0, 95.0, 10.0].into_iter().flat_map(unit).collect();
        let found = distances(&Array2::from_shape_vec((5, 2), rows).unwrap());
        assert!((found[[0, 2]] - 2f32.sqrt()).abs() < 1e-6, "{found}");
        let places: Vec<Vec<usize>> =
            nearest(&found, 2).iter().map(|row| row.iter().map(|neighbor| neighbor.index).collect()).collect();
        assert_eq!(places, [[1, 4], [4, 0], [3, 1], [2, 1], [1, 0]]);
        assert_eq!(nearest(&found, 9)[0].len(), 4);
    }
}
