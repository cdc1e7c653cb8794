//! What every kernel computes: rows of levels times one block of a panel.

use super::fitting::Fitting;
use super::levels::Level;
use super::rounding::Step;
use crate::kernels::{MOST_PANELS, PanelGroups, Values};
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};
use std::ops::Range;

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
pub(super) type SumsKernel = fn(levels: &[Level], width: usize, weights: Weights<'_>, sums: &mut [Sums]);

/// Adds the products of a block of some panels to the values of its rows.
pub(super) type ValuesKernel = fn(product: Product<'_>, values: &mut [Values]);

/// A kernel leaves the sums of one panel in memory, or turns those of some panels to values while they are in registers.
/// The values are the same.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "some targets have kernels of one kind")]
pub(super) enum PanelKernel {
    Sums(SumsKernel),
    Values(ValuesKernel),
}

impl PanelKernel {
    /// Returns the panels that it multiplies at once.
    pub fn groups(self, channels: Range<usize>) -> PanelGroups {
        match self {
            PanelKernel::Sums(_) => PanelGroups::new(channels, 1),
            PanelKernel::Values(_) => PanelGroups::for_threads(channels, 1),
        }
    }
}

/// One block of a panel.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub weights: Weights<'a>,
    /// The sums of the weights, by channel.
    pub weight_sums: &'a Values,
    /// The scale and the bias of each channel.
    pub channels: [&'a Values; 2],
}

/// Rows of levels, and the same block of some panels. A product is `scale * sum - offset * weight_sum`.
#[derive(Clone, Copy)]
pub(super) struct Product<'a> {
    /// `[rows, width]`, `width` in [`INT8_QUAD`]s
    pub levels: &'a [Level],
    pub width: usize,
    /// What the levels of each row mean.
    pub steps: &'a [Step],
    /// At most [`MOST_PANELS`].
    pub panels: &'a [Part<'a>],
    /// Values from those of a panel to those of the next.
    pub stride: usize,
    /// Whether it is the first block, whose products replace the values.
    pub is_first: bool,
    /// Whether it is the last block, behind which the values are scaled, and get the bias.
    pub is_last: bool,
}

impl Product<'_> {
    /// Checks the lengths that a kernel relies on, and returns the number of rows.
    #[allow(dead_code, reason = "the kernels of some targets do not use it")]
    pub fn checked_rows(self, values: &[Values]) -> usize {
        let n_rows = self.steps.len();
        assert!((1..=MOST_PANELS).contains(&self.panels.len()), "{} panels at once", self.panels.len());
        self.panels.iter().for_each(|panel| check(self.levels, self.width, panel.weights, n_rows));
        let end = (self.panels.len() - 1) * self.stride + n_rows;
        assert!(end <= values.len() && n_rows <= self.stride, "there is not a value for every row");
        n_rows
    }
}

/// Checks the lengths that a kernel relies on, and returns the number of rows.
#[allow(dead_code, reason = "the kernels of some targets do not use it")]
pub(super) fn checked_rows(levels: &[Level], width: usize, weights: Weights<'_>, sums: &[Sums]) -> usize {
    check(levels, width, weights, sums.len());
    sums.len()
}

fn check(levels: &[Level], width: usize, weights: Weights<'_>, n_rows: usize) {
    assert!(width > 0 && width.is_multiple_of(INT8_QUAD), "a width of {width} is not in quads");
    assert_eq!(weights.values.len(), width * INT8_PANEL, "the panel is not as wide as the rows");
    assert_eq!(levels.len(), width * n_rows, "there is not a sum for every row");
}
