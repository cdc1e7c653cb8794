//! What a kernel computes.

use crate::kernels::{MOST_PANELS, Values};
use crate::weights::packing::INT8_PANEL;

/// Adds to each row's sixteen sums of each panel, `[panels][rows][16]`, its products with one block of that panel.
pub(super) type Kernel = fn(block: Block<'_>, sums: &mut [Values]);

/// The part of the rows, and of some panels, that a kernel multiplies.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    /// Rows that begin `stride` values apart, of which the first `depth` values are multiplied.
    pub rows: &'a [f32],
    /// Number of rows.
    pub n_rows: usize,
    /// Values from one row to the next.
    pub stride: usize,
    /// `[depth, 16]` each, at most [`MOST_PANELS`].
    pub panels: &'a [&'a [f32]],
    /// The blocks that are likely next, one for each panel. Nothing is computed from them.
    pub next: &'a [&'a [f32]],
}

impl Block<'_> {
    /// Returns the depth.
    ///
    /// # Panics
    /// When a row is not within `rows`, panels differ in depth, or there is not a sum for every row and panel.
    pub fn checked_depth(&self, sums: &[Values]) -> usize {
        let (n_panels, n_rows) = (self.panels.len(), self.n_rows);
        assert!((1..=MOST_PANELS).contains(&n_panels), "{n_panels} panels at once");
        assert_eq!(self.next.len(), n_panels, "blocks that are next for {n_panels} panels");
        assert_eq!(sums.len(), n_panels * n_rows, "sums of {n_panels} panels and {n_rows} rows");
        let depth = self.panels[0].len() / INT8_PANEL;
        assert!(self.panels.iter().all(|panel| panel.len() >= depth * INT8_PANEL), "panels of different depth");
        let end = n_rows.checked_sub(1).map_or(0, |last| last * self.stride + depth);
        assert!(end <= self.rows.len(), "{n_rows} rows, {} apart, of {}", self.stride, self.rows.len());
        depth
    }
}
