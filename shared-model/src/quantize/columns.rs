//! What the columns of rows of activations are like, and rows in another order of columns.

use crate::parallel::{for_each_chunk, map_tasks};

/// Columns of one task: four cache lines of each row.
const COLUMNS_PER_TASK: usize = 64;

/// Returns the mean of each column of rows `[rows, width]`.
pub(super) fn means(rows: &[f32], width: usize) -> Vec<f32> {
    let n_rows = (rows.len() / width.max(1)).max(1) as f64;
    let sums = folded(rows, width, 0f64, |sum, x| sum + f64::from(x));
    sums.into_iter().map(|sum| (sum / n_rows) as f32).collect()
}

/// Returns the sum of the squares of each column.
pub(super) fn square_sums(rows: &[f32], width: usize) -> Vec<f32> {
    folded(rows, width, 0f32, |sum, x| sum + x * x)
}

/// Returns the columns by their largest magnitude, the largest first.
pub(super) fn order_of_sizes(rows: &[f32], width: usize) -> Vec<usize> {
    let largest = folded(rows, width, 0f32, |largest, x| largest.max(x.abs()));
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&a, &b| largest[b].total_cmp(&largest[a]));
    order
}

/// A prime by which the place of a sampled row moves from one stretch of rows to the next.
const PLACE_STEP: usize = 7919;

/// Returns about `n_sampled` of the rows; fewer than twice as many.
///
/// One row of each of as many stretches, each time at another place: every n-th row would be the same token of every
/// sequence where n is a multiple of their length.
pub(super) fn sample(rows: &[f32], width: usize, n_sampled: usize) -> Vec<f32> {
    let n_rows = rows.len() / width;
    let length = (n_rows / n_sampled).max(1);
    let stretches = rows.chunks(length * width).enumerate();
    let row = |(stretch, rows): (usize, &[f32])| -> Vec<f32> {
        let place = stretch * PLACE_STEP % length % (rows.len() / width);
        rows[place * width..][..width].to_vec()
    };
    stretches.flat_map(row).collect()
}

/// Returns rows whose columns have another order: `order` has the former place of each.
pub(super) fn reordered(rows: &[f32], order: &[usize]) -> Vec<f32> {
    let width = order.len();
    let mut values = vec![0f32; rows.len()];
    for_each_chunk(&mut values, width, |row, values| {
        let row = &rows[row * width..][..width];
        values.iter_mut().zip(order).for_each(|(value, &column)| *value = row[column]);
    });
    values
}

/// Folds each column from its first row to its last.
fn folded<T: Copy + Send + Sync>(
    rows: &[f32],
    width: usize,
    first: T,
    fold: impl Fn(T, f32) -> T + Send + Sync,
) -> Vec<T> {
    let of_task = |task: usize| {
        let start = task * COLUMNS_PER_TASK;
        let mut values = vec![first; COLUMNS_PER_TASK.min(width - start)];
        for row in rows.chunks_exact(width) {
            values.iter_mut().zip(&row[start..]).for_each(|(value, &x)| *value = fold(*value, x));
        }
        values
    };
    map_tasks(width.div_ceil(COLUMNS_PER_TASK), of_task).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_folded_in_the_order_of_rows() {
        let width = 2 * COLUMNS_PER_TASK + 3;
        let rows: Vec<f32> = (0..5 * width).map(|at| ((at * 37 % 101) as f32 - 50.0) / 7.0).collect();
        let column = |column: usize| rows.chunks_exact(width).map(move |row| row[column]);
        let (means, squares) = (means(&rows, width), square_sums(&rows, width));
        let mut largest = Vec::new();
        for at in 0..width {
            assert_eq!(means[at], (column(at).map(f64::from).sum::<f64>() / 5.0) as f32);
            assert_eq!(squares[at], column(at).fold(0.0, |sum, x| sum + x * x));
            largest.push(column(at).fold(0f32, |largest, x| largest.max(x.abs())));
        }
        let order = order_of_sizes(&rows, width);
        assert!(order.is_sorted_by(|&a, &b| largest[a] >= largest[b]));
        let moved = reordered(&rows, &order);
        assert!((0..5).all(|row| moved[row * width + 1] == rows[row * width + order[1]]));
        assert_eq!(sample(&rows, width, 2), [&rows[..width], &rows[3 * width..]].concat());
        assert_eq!(sample(&rows, width, 9), rows);
    }

    #[test]
    fn sampled_rows_are_at_all_places_of_sequences() {
        let (length, n_sampled) = (64, 64);
        let rows: Vec<f32> = (0..length * n_sampled).map(|row| (row % length) as f32).collect();
        let mut places = sample(&rows, 1, n_sampled);
        places.sort_by(f32::total_cmp);
        assert_eq!(places, rows[..length]);
    }
}
