//! What every kernel computes: rows of levels times one block of a panel.

use super::fitting::Fitting;
use super::levels::Level;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};

/// The sums of one row and panel.
pub(super) type Sums = [i32; INT8_PANEL];

/// The weights of one block of a panel.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    /// `[width / 4][16][4]`
    pub values: &'a [i8],
    /// Which quads' products may be added in 16 bits.
    #[allow(dead_code, reason = "the kernels of some targets do not use it")]
    pub fitting: Fitting,
}

/// Multiplies rows of levels by a block of a panel: `sums[row][channel]` is the sum over `k` of level times weight.
///
/// # Shapes
/// - `levels`: `[rows, width]`, `width` in [`INT8_QUAD`]s
/// - `sums`: `[rows][16]`
pub(super) type PanelKernel = fn(levels: &[Level], width: usize, weights: Weights<'_>, sums: &mut [Sums]);

/// Checks the lengths that a kernel relies on, and returns the number of rows.
pub(super) fn checked_rows(levels: &[Level], width: usize, weights: Weights<'_>, sums: &[Sums]) -> usize {
    assert!(width > 0 && width.is_multiple_of(INT8_QUAD), "a width of {width} is not in quads");
    assert_eq!(weights.values.len(), width * INT8_PANEL, "the panel is not as wide as the rows");
    assert_eq!(levels.len(), width * sums.len(), "there is not a sum for every row");
    sums.len()
}
