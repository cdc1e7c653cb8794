//! What a block needs of a weight: products panel by panel, whose values the caller finishes before they are stored.

use crate::output::Output;
use crate::weights::packing::INT8_PANEL;
use std::ops::Range;

/// The values of one row and panel.
pub(crate) type Values = [f32; INT8_PANEL];

/// The position of the values of one row and panel.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Row of the activations.
    pub row: usize,
    /// First of [`INT8_PANEL`] output channels.
    pub channel: usize,
}

/// A weight `[out, in]` with its bias, in panels of output channels.
pub(crate) trait PanelMatrix: Sync {
    /// Memory for rows in the form that the weight multiplies.
    type Buffer: Default + Send;
    /// Rows in the form that the weight multiplies.
    type Rows<'x>: Copy;
    /// Whether attention beside such weights may compute in 16-bit integers.
    const ATTENDS_IN_SHORT: bool;

    /// Returns the number of output channels.
    fn n_out(&self) -> usize;

    /// Returns the number of input channels.
    fn n_in(&self) -> usize;

    /// Returns the number of rows.
    fn n_rows(&self, rows: Self::Rows<'_>) -> usize;

    /// Takes the rows of `x` `[M, in]`.
    fn rows<'x>(&self, buffer: &'x mut Self::Buffer, x: &'x [f32]) -> Self::Rows<'x>;

    /// Takes `n_rows` rows that `write` writes, given their index; it is called from many threads.
    fn rows_by<'x>(
        &self,
        buffer: &'x mut Self::Buffer,
        n_rows: usize,
        write: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Self::Rows<'x>;

    /// Computes `x W^T + b` for a range of output channels in whole panels.
    ///
    /// `each` changes all values of a panel, then `finish` takes those of each row. Both are called from many threads.
    fn multiply(
        &self,
        rows: Self::Rows<'_>,
        channels: Range<usize>,
        each: impl Fn(&mut [f32]) + Sync,
        finish: impl Fn(Place, &Values) + Sync,
    );

    /// Takes the rows of the next layer: what `each` makes of `x W^T + b`.
    ///
    /// `memory` is for those rows, and for the product if it is not rounded panel by panel.
    fn multiply_for<'x>(
        &self,
        rows: Self::Rows<'_>,
        each: impl Fn(&mut [f32]) + Sync,
        next: &Self,
        memory: (&'x mut Self::Buffer, &'x mut Vec<f32>),
    ) -> Self::Rows<'x> {
        multiply_apart(self, rows, each, next, memory)
    }
}

/// Stores a product in `hidden` and takes its rows for the next layer.
pub(crate) fn multiply_apart<'x, M: PanelMatrix + ?Sized>(
    matrix: &M,
    rows: M::Rows<'_>,
    each: impl Fn(&mut [f32]) + Sync,
    next: &M,
    (buffer, hidden): (&'x mut M::Buffer, &'x mut Vec<f32>),
) -> M::Rows<'x> {
    let width = matrix.n_out();
    hidden.resize(matrix.n_rows(rows) * width, 0.0);
    let out = Output::new(hidden);
    let put = |place: Place, values: &Values| {
        // SAFETY: a channel of a row is computed by one task.
        unsafe { out.slice(place.row * width + place.channel, values.len()) }.copy_from_slice(values);
    };
    matrix.multiply(rows, 0..width, each, put);
    next.rows(buffer, hidden)
}
