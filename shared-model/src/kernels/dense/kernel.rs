//! What a kernel computes, and the kernels of this machine.

#[cfg(target_arch = "x86_64")]
use super::x86;
use crate::kernels::Values;
use crate::weights::packing::INT8_PANEL;
use std::sync::OnceLock;

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

/// Returns the kernels that this processor runs, fastest first; none where [`gemm`] is as fast.
pub(super) fn available_kernels() -> impl Iterator<Item = Kernel> {
    #[cfg(target_arch = "x86_64")]
    return x86::available();
    #[cfg(not(target_arch = "x86_64"))]
    std::iter::empty()
}

/// Returns the fastest of [`available_kernels`].
pub(super) fn fastest_kernel() -> Option<Kernel> {
    static FASTEST: OnceLock<Option<Kernel>> = OnceLock::new();
    *FASTEST.get_or_init(|| available_kernels().next())
}
