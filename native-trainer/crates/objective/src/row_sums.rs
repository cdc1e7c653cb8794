//! Sums of rows that share a key, for gradients of gathered rows.
//!
//! Candle's `index_add` adds on a GPU with one thread a column, one row after the other. Here the host sorts the rows
//! by key, and the device adds neighbors in pairs until each key has one row: as many additions in as many launches as
//! the longest sum has halvings, always in the same order.

use anyhow::{Result, ensure};
use candle_core::Tensor;

/// Sums the rows of each key; keys without a row have zeros.
///
/// # Shapes
/// - `rows`: `[T, E]`, row t of key `keys[t]`
/// - returns `[n_keys, E]`
///
/// # Errors
/// When there is not one key a row, or a key is `n_keys` or more.
pub fn sum_rows_by_key(rows: &Tensor, keys: &[u32], n_keys: usize) -> Result<Tensor> {
    let (n_rows, width) = rows.dims2()?;
    ensure!(keys.len() == n_rows, "{} keys for {n_rows} rows", keys.len());
    if let Some(key) = keys.iter().find(|&&key| key as usize >= n_keys) {
        anyhow::bail!("key {key} is outside the {n_keys} that are summed for");
    }
    if keys.is_empty() {
        return Ok(Tensor::zeros((n_keys, width), rows.dtype(), rows.device())?);
    }
    let mut order: Vec<u32> = (0..n_rows as u32).collect();
    order.sort_by_key(|&row| keys[row as usize]); // stable
    let mut sums = rows.clone();
    let mut keys: Vec<u32> = order.iter().map(|&row| keys[row as usize]).collect();
    // Where the row of each of `keys` is in `sums`.
    let mut places = order;
    while keys.windows(2).any(|pair| pair[0] == pair[1]) {
        let Halved { pairs: [left, right], alone, kept } = Halved::new(&keys);
        let gather = |positions: &[usize]| {
            let places: Vec<u32> = positions.iter().map(|&position| places[position]).collect();
            select(&sums, &places)
        };
        let added = (gather(&left)? + gather(&right)?)?;
        let next = if alone.is_empty() { added } else { Tensor::cat(&[added, gather(&alone)?], 0)? };
        keys = kept.iter().map(|&(position, _)| keys[position]).collect();
        places = kept.into_iter().map(|(_, place)| place).collect();
        sums = next;
    }
    if keys.len() == n_keys && places.iter().enumerate().all(|(key, &place)| key == place as usize) {
        return Ok(sums);
    }
    // Each key's row, or one of zeros behind them all.
    let zeros = Tensor::zeros((1, width), sums.dtype(), sums.device())?;
    let mut place_of_key = vec![sums.dim(0)? as u32; n_keys];
    for (&key, &place) in keys.iter().zip(&places) {
        place_of_key[key as usize] = place;
    }
    select(&Tensor::cat(&[sums, zeros], 0)?, &place_of_key)
}

fn select(rows: &Tensor, places: &[u32]) -> Result<Tensor> {
    Ok(rows.index_select(&Tensor::new(places, rows.device())?, 0)?)
}

/// Positions of a sorted list of keys, neighbors of one key in pairs.
struct Halved {
    /// Left and right ones.
    pairs: [Vec<usize>; 2],
    /// Those without a neighbor.
    alone: Vec<usize>,
    /// For each remaining row in the order of the keys: a position that has its key, and its place, where the pairs'
    /// sums come first and then the rows that are alone.
    kept: Vec<(usize, u32)>,
}

impl Halved {
    fn new(keys: &[u32]) -> Self {
        let (mut left, mut right, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        let mut kept = Vec::new();
        let mut position = 0;
        while position < keys.len() {
            let has_neighbor = keys.get(position + 1) == Some(&keys[position]);
            kept.push((position, has_neighbor));
            if has_neighbor {
                left.push(position);
                right.push(position + 1);
            } else {
                alone.push(position);
            }
            position += 1 + usize::from(has_neighbor);
        }
        let mut next = [left.len() as u32, 0];
        let place = |(position, is_pair): (usize, bool)| {
            let next = &mut next[usize::from(is_pair)];
            *next += 1;
            (position, *next - 1)
        };
        let kept = kept.into_iter().map(place).collect();
        Self { pairs: [left, right], alone, kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::randn;
    use candle_core::Device;

    fn random(n_rows: usize, width: usize) -> Tensor {
        randn(0.0, 1.0, (n_rows, width))
    }

    #[test]
    fn sums_are_those_of_index_add() {
        // A key without rows, one row, an odd and an even number of rows, and one with most rows.
        let lists: [(&[u32], usize); 5] =
            [(&[2, 0, 2, 4, 2], 6), (&[0, 1, 2], 3), (&[2, 1, 0], 3), (&[1, 1, 1, 1], 2), (&[], 2)];
        let many: Vec<u32> = (0..1000u32).map(|row| if row % 3 == 0 { 7 } else { row * row % 50 }).collect();
        for (keys, n_keys) in lists.into_iter().chain([(&many[..], 50)]) {
            let rows = random(keys.len(), 5);
            let index = Tensor::new(keys, &Device::Cpu).unwrap();
            let zeros = Tensor::zeros((n_keys, 5), rows.dtype(), &Device::Cpu).unwrap();
            let expected: Vec<f32> =
                zeros.index_add(&index, &rows, 0).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let sums = sum_rows_by_key(&rows, keys, n_keys).unwrap();
            assert_eq!(sums.dims(), [n_keys, 5]);
            let sums: Vec<f32> = sums.flatten_all().unwrap().to_vec1().unwrap();
            let is_near = |(sum, expected): (&f32, &f32)| (sum - expected).abs() < 1e-4;
            assert!(sums.iter().zip(&expected).all(is_near), "{keys:?}: {sums:?}, expected {expected:?}");
        }
    }

    #[test]
    fn keys_that_do_not_fit_are_refused() {
        assert!(sum_rows_by_key(&random(2, 3), &[0], 1).unwrap_err().to_string().contains("1 keys for 2 rows"));
        assert!(
            sum_rows_by_key(&random(1, 3), &[4], 4).unwrap_err().to_string().contains("key 4 is outside the 4")
        );
    }
}
