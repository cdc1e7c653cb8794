//! A packed f32 weight and its product with rows.

use super::dispatch::{available_kernels, fastest_kernel};
use super::kernel::{Block, Kernel};
use crate::Result;
use crate::kernels::{MOST_PANELS, PanelGroups, PanelMatrix, Place, Values, weighted_rows};
use crate::lanes::widest;
use crate::parallel::{for_each_chunk, for_each_task};
use crate::weights::packing::INT8_PANEL;
use candle_core::{DType, Tensor};
use std::ops::Range;
use std::sync::Arc;

/// A weight `[out, in]` of f32 in panels of sixteen output channels, and its bias.
#[derive(Clone)]
pub(crate) struct DenseMatrix(Arc<Packed>);

struct Packed {
    /// `[out / 16, in, 16]`
    panels: Vec<f32>,
    /// `[out / 16][16]`; zeros for a layer without a bias.
    bias: Vec<Values>,
    n_in: usize,
}

/// Columns that are multiplied at a time: the block of a panel and those of a tile's rows fit the first cache together.
/// With fewer, sums are loaded and stored more often; blocks of three panels come from the second cache, in time.
const DEPTH: usize = 256;

/// Most rows of a task. Their sums fit the second cache together with the block of a panel.
const ROWS_PER_TASK: usize = 256;

/// Rows of a task are whole tiles of every kernel, except the last ones.
const ROWS_OF_TILES: usize = 24;

impl Packed {
    /// Returns the blocks of the panels from `first` on that begin with a column; after the last panel, those of the last.
    fn blocks(&self, first: usize, column: usize) -> [&[f32]; MOST_PANELS] {
        let columns = column * INT8_PANEL..self.n_in.min(column + DEPTH) * INT8_PANEL;
        std::array::from_fn(|at| {
            let panel = (first + at).min(self.bias.len() - 1);
            &self.panels[panel * self.n_in * INT8_PANEL..][columns.clone()]
        })
    }
}

impl DenseMatrix {
    /// Packs a weight `[out, in]` with its bias `[out]`.
    ///
    /// Returns `None` for a weight that is better multiplied as it is: one that candle tracks, not of f32 on the CPU,
    /// not of whole panels, or where the processor has no kernel of ours.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for a bias of another length.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>) -> Result<Option<Self>> {
        let tensors = || [Some(weight), bias].into_iter().flatten();
        let is_plain = |tensor: &Tensor| {
            tensor.device().is_cpu()
                && tensor.dtype() == DType::F32
                && !tensor.track_op()
                && tensor.elem_count() > 0
        };
        let (n_out, n_in) = weight.dims2()?;
        if available_kernels().next().is_none() || !tensors().all(is_plain) || !n_out.is_multiple_of(INT8_PANEL) {
            return Ok(None);
        }
        let bias = match bias {
            Some(bias) => bias.to_vec1()?,
            None => vec![0.0; n_out],
        };
        if bias.len() != n_out {
            let detail = format!("a bias of {} values, expected {n_out}", bias.len());
            return Err(candle_core::Error::Msg(detail).into());
        }
        let (bias, _) = bias.as_chunks::<INT8_PANEL>();
        let values: Vec<f32> = weight.flatten_all()?.to_vec1()?;
        let mut panels = vec![0f32; values.len()];
        for_each_chunk(&mut panels, n_in * INT8_PANEL, |panel, packed| {
            let rows = &values[panel * n_in * INT8_PANEL..][..n_in * INT8_PANEL];
            for (column, packed) in packed.chunks_exact_mut(INT8_PANEL).enumerate() {
                packed.iter_mut().zip(rows.chunks_exact(n_in)).for_each(|(packed, row)| *packed = row[column]);
            }
        });
        Ok(Some(Self(Arc::new(Packed { panels, bias: bias.to_vec(), n_in }))))
    }

    /// Returns the weighted sum of the rows of each group: see [`weighted_rows`].
    pub fn weighted_rows(&self, first: usize, z: &[f32], n_groups: usize) -> Result<Vec<f32>> {
        let Packed { panels, n_in, .. } = &*self.0;
        weighted_rows((self.n_out(), *n_in), first, z, n_groups, |panel, factors, sums| {
            add_columns(&panels[panel * n_in * INT8_PANEL..][..n_in * INT8_PANEL], factors, sums);
        })
    }

    pub(super) fn groups(&self, x: &[f32], channels: Range<usize>) -> PanelGroups {
        let n_rows = x.len() / self.0.n_in;
        PanelGroups::for_threads(channels, n_rows.div_ceil(Self::rows_per_task(n_rows)))
    }

    /// Returns the rows of one task.
    fn rows_per_task(n_rows: usize) -> usize {
        let n_groups = n_rows.div_ceil(ROWS_PER_TASK);
        n_rows.div_ceil(n_groups.max(1)).max(1).next_multiple_of(ROWS_OF_TILES)
    }

    pub(super) fn multiply_with(
        &self,
        kernel: Kernel,
        x: &[f32],
        panels: &PanelGroups,
        each: impl Fn(&mut [f32]) + Sync,
        finish: impl Fn(Place, &Values) + Sync,
    ) {
        let Packed { bias, n_in, .. } = &*self.0;
        assert!(x.len().is_multiple_of(*n_in), "{} values, {n_in} columns", x.len());
        let n_rows = x.len() / n_in;
        let rows_per_task = Self::rows_per_task(n_rows);
        for_each_task(panels.len() * n_rows.div_ceil(rows_per_task), Vec::new, |sums, task| {
            let (panels, first_row) = (panels.group(task % panels.len()), task / panels.len() * rows_per_task);
            let n_rows = rows_per_task.min(n_rows - first_row);
            sums.clear();
            panels.clone().for_each(|panel| sums.resize(sums.len() + n_rows, bias[panel]));
            let rows = &x[first_row * n_in..];
            for column in (0..*n_in).step_by(DEPTH) {
                let blocks = self.0.blocks(panels.start, column);
                let is_last = column + DEPTH >= *n_in;
                let next = if is_last {
                    self.0.blocks(panels.end, 0)
                } else {
                    self.0.blocks(panels.start, column + DEPTH)
                };
                let (panels, next) = (&blocks[..panels.len()], &next[..panels.len()]);
                kernel(Block { rows: &rows[column..], n_rows, stride: *n_in, panels, next }, sums);
            }
            each(sums.as_flattened_mut());
            for row in 0..n_rows {
                for (at, panel) in panels.clone().enumerate() {
                    let place = Place { row: first_row + row, channel: panel * INT8_PANEL };
                    finish(place, &sums[at * n_rows + row]);
                }
            }
        });
    }
}

widest! {
    /// Adds to each sum that of a column of a panel, whose rows have these factors.
    fn add_columns(panel: &[f32], factors: &Values, sums: &mut [f32]) {
        let (columns, _) = panel.as_chunks::<INT8_PANEL>();
        for (column, sum) in columns.iter().zip(sums) {
            let mut lanes = [0f32; 8];
            for (at, (weight, factor)) in column.iter().zip(factors).enumerate() {
                lanes[at % 8] += weight * factor;
            }
            *sum += lanes.iter().sum::<f32>();
        }
    }
}

impl PanelMatrix for DenseMatrix {
    type Buffer = Vec<f32>;
    type Rows<'x> = &'x [f32];
    const ATTENDS_IN_SHORT: bool = false;

    fn n_out(&self) -> usize {
        self.0.bias.len() * INT8_PANEL
    }

    fn n_in(&self) -> usize {
        self.0.n_in
    }

    fn n_rows(&self, rows: &[f32]) -> usize {
        rows.len() / self.0.n_in
    }

    fn rows<'x>(&self, _: &'x mut Vec<f32>, x: &'x [f32]) -> &'x [f32] {
        x
    }

    fn rows_by<'x>(
        &self,
        buffer: &'x mut Vec<f32>,
        n_rows: usize,
        write: impl Fn(usize, &mut [f32]) + Sync,
    ) -> &'x [f32] {
        /// Rows of one task.
        const ROWS: usize = 16;
        let n_in = self.0.n_in;
        buffer.resize(n_rows * n_in, 0.0);
        for_each_chunk(buffer, ROWS * n_in, |task, rows| {
            rows.chunks_exact_mut(n_in).enumerate().for_each(|(row, values)| write(task * ROWS + row, values));
        });
        buffer
    }

    fn multiply(
        &self,
        rows: &[f32],
        channels: Range<usize>,
        each: impl Fn(&mut [f32]) + Sync,
        finish: impl Fn(Place, &Values) + Sync,
    ) {
        let kernel = fastest_kernel().expect("a weight is packed only where there is a kernel");
        self.multiply_with(kernel, rows, &self.groups(rows, channels), each, finish);
    }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;
    use crate::random::randn;
    use candle_core::Var;

    #[test]
    fn weights_that_are_trained_or_of_another_kind_are_not_packed() {
        let random = |shape: &[usize]| randn(0.0, 1.0, shape);
        let packs = |weight: &Tensor| DenseMatrix::new(weight, None).unwrap().is_some();
        let weight = random(&[32, 8]);
        assert_eq!(packs(&weight), available_kernels().next().is_some());
        assert!(!packs(Var::from_tensor(&weight).unwrap().as_tensor()));
        assert!(!packs(&weight.to_dtype(DType::BF16).unwrap()));
        assert!(!packs(&random(&[24, 8])));
        assert!(DenseMatrix::new(&weight, Some(&random(&[16]))).is_err() || !packs(&weight));
    }
}
