//! What a kernel computes.

use crate::kernels::Values;
use crate::weights::packing::INT8_PANEL;

/// Adds to each row's sixteen sums its products with one block of a panel.
pub(super) type Kernel = fn(block: Block<'_>, sums: &mut [Values]);

/// The part of the rows, and of a panel, that a kernel multiplies.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    /// Rows that begin `stride` values apart, of which the first `depth` values are multiplied.
    pub rows: &'a [f32],
    /// Values from one row to the next.
    pub stride: usize,
    /// `[depth, 16]`
    pub panel: &'a [f32],
}

impl Block<'_> {
    /// Returns the depth.
    ///
    /// # Panics
    /// When a row is not within `rows`.
    pub fn checked_depth(&self, n_rows: usize) -> usize {
        let depth = self.panel.len() / INT8_PANEL;
        let end = n_rows.checked_sub(1).map_or(0, |last| last * self.stride + depth);
        assert!(end <= self.rows.len(), "{n_rows} rows, {} apart, of {}", self.stride, self.rows.len());
        depth
    }
}
