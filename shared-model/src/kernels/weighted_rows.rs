//! Sums of the rows of a weight in panels, each row times a factor.

use super::Values;
use crate::parallel::for_each_chunk;
use crate::weights::packing::INT8_PANEL;
use crate::{Error, Result};

/// Returns the weighted sum of the rows of each of `n_groups` groups, which lie one behind the other.
///
/// `add` adds the rows of a panel, given their factors, to the sums of a group; it is called from many threads.
///
/// # Shapes
/// - `(n_out, n_in)`: the sides of the weight; `first`: the first row
/// - `z`: `[G, rows]`; returns `[G, in]`
///
/// # Errors
/// [`Error::Tensor`] when there are fewer rows.
pub(crate) fn weighted_rows(
    (n_out, n_in): (usize, usize),
    first: usize,
    z: &[f32],
    n_groups: usize,
    add: impl Fn(usize, &Values, &mut [f32]) + Sync,
) -> Result<Vec<f32>> {
    if first.saturating_add(z.len()) > n_out || n_in == 0 {
        let detail = format!("{} rows from row {first} of a weight of {n_out}", z.len());
        return Err(Error::Tensor(candle_core::Error::Msg(detail)));
    }
    let n_rows = z.len() / n_groups.max(1);
    let mut sums = vec![0f32; n_groups * n_in];
    for_each_chunk(&mut sums, n_in, |group, sums| {
        let mut row = group * n_rows;
        while row < (group + 1) * n_rows {
            let (panel, lane) = ((first + row) / INT8_PANEL, (first + row) % INT8_PANEL);
            let n_here = (INT8_PANEL - lane).min((group + 1) * n_rows - row);
            let mut factors = [0f32; INT8_PANEL];
            factors[lane..lane + n_here].copy_from_slice(&z[row..row + n_here]);
            add(panel, &factors, sums);
            row += n_here;
        }
    });
    Ok(sums)
}
