//! A packed f32 weight and its product with rows.

use super::dispatch::{available_kernels, fastest_kernel};
use super::kernel::{Block, Kernel};
use crate::Result;
use crate::kernels::{MOST_PANELS, PanelGroups, PanelMatrix, Place, Values, weighted_rows};
use crate::lanes::widest;
use crate::output::Output;
use crate::parallel::{for_each_chunk, for_each_task};
use crate::weights::packing::INT8_PANEL;
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};
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
const DEPTH: usize = 128;

/// Most rows of a task. Their sums fit the second cache together with the block of a panel.
const ROWS_PER_TASK: usize = 256;

/// Rows of a task are whole tiles of every kernel, except the last ones.
const ROWS_OF_TILES: usize = 24;

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

    fn groups(&self, x: &[f32], channels: Range<usize>) -> PanelGroups {
        let n_rows = x.len() / self.0.n_in;
        PanelGroups::for_threads(channels, n_rows.div_ceil(Self::rows_per_task(n_rows)))
    }

    /// Returns the rows of one task.
    fn rows_per_task(n_rows: usize) -> usize {
        let n_groups = n_rows.div_ceil(ROWS_PER_TASK);
        n_rows.div_ceil(n_groups.max(1)).max(1).next_multiple_of(ROWS_OF_TILES)
    }

    fn multiply_with(
        &self,
        kernel: Kernel,
        x: &[f32],
        panels: &PanelGroups,
        each: impl Fn(&mut [f32]) + Sync,
        finish: impl Fn(Place, &Values) + Sync,
    ) {
        let Packed { panels: weights, bias, n_in } = &*self.0;
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
                let of_panel = |at: usize| {
                    let panel = (panels.start + at).min(panels.end - 1);
                    &weights[panel * n_in * INT8_PANEL..][..n_in * INT8_PANEL]
                        [column * INT8_PANEL..n_in.min(&(column + DEPTH)) * INT8_PANEL]
                };
                let blocks: [&[f32]; MOST_PANELS] = std::array::from_fn(of_panel);
                let rows = &rows[column..];
                kernel(Block { rows, n_rows, stride: *n_in, panels: &blocks[..panels.len()] }, sums);
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

    /// Returns `x W^T + b`.
    ///
    /// # Shapes
    /// - `x`: `[M, in]` f32
    /// - returns `[M, out]` f32
    pub fn matmul(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(self)?)
    }

    fn product(&self, kernel: Kernel, x: &[f32], panels: &PanelGroups) -> Vec<f32> {
        let n_out = self.n_out();
        let mut out = vec![0f32; x.len() / self.0.n_in * n_out];
        let output = Output::new(&mut out);
        let put = |place: Place, values: &Values| {
            // SAFETY: a channel of a row is computed by one task.
            unsafe { output.slice(place.row * n_out + place.channel, values.len()) }.copy_from_slice(values);
        };
        self.multiply_with(kernel, x, panels, |_| (), put);
        out
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

impl CustomOp1 for DenseMatrix {
    fn name(&self) -> &'static str {
        "dense-matmul"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n_rows, width) = layout.shape().dims2()?;
        let (Some((start, end)), Some(kernel)) = (layout.contiguous_offsets(), fastest_kernel()) else {
            candle_core::bail!("a packed product wants contiguous activations")
        };
        if width != self.0.n_in {
            candle_core::bail!("a packed product: activations of width {width}, expected {}", self.0.n_in);
        }
        let x = &storage.as_slice::<f32>()?[start..end];
        let out = self.product(kernel, x, &self.groups(x, 0..self.n_out()));
        Ok((CpuStorage::F32(out), Shape::from((n_rows, self.n_out()))))
    }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    fn random(shape: &[usize]) -> Tensor {
        Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn every_kernel_gives_the_product_with_its_bias() {
        let kernels: Vec<Kernel> = available_kernels().collect();
        for (n_rows, n_out, n_in) in
            [(0, 16, 3), (1, 32, 1), (5, 64, 255), (6, 48, 256), (13, 16, 257), (197, 80, 515), (600, 16, 40)]
        {
            let (x, weight, bias) = (random(&[n_rows, n_in]), random(&[n_out, n_in]), random(&[n_out]));
            let matrix = DenseMatrix::new(&weight, Some(&bias)).unwrap();
            let Some(matrix) = matrix else {
                assert!(kernels.is_empty());
                return;
            };
            let rows = x.to_vec2::<f32>().unwrap();
            let (weight, bias) = (weight.to_vec2::<f32>().unwrap(), bias.to_vec1::<f32>().unwrap());
            let x = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let product = |kernel, at_once| matrix.product(kernel, &x, &PanelGroups::new(0..n_out, at_once));
            let first = product(kernels[0], 1);
            for &kernel in &kernels {
                for at_once in 1..=MOST_PANELS {
                    assert_eq!(product(kernel, at_once), first, "each sum has its order");
                }
            }
            assert_eq!(first.len(), n_rows * n_out);
            for (row, x) in rows.iter().enumerate() {
                for (channel, weights) in weight.iter().enumerate() {
                    let products = x.iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w));
                    let expected = products.sum::<f64>() + f64::from(bias[channel]);
                    let error = (f64::from(first[row * n_out + channel]) - expected).abs();
                    assert!(error < 2e-6 * (n_in as f64 + 1.0), "{n_rows} rows of {n_in}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_row_has_the_same_values_in_every_batch() {
        let (x, weight) = (random(&[300, 70]), random(&[32, 70]));
        let Some(matrix) = DenseMatrix::new(&weight, None).unwrap() else { return };
        let whole = matrix.matmul(&x).unwrap().to_vec2::<f32>().unwrap();
        for row in [0, 5, 211, 299] {
            let alone = matrix.matmul(&x.narrow(0, row, 1).unwrap()).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(alone[0], whole[row]);
        }
    }

    #[test]
    fn weights_that_are_trained_or_of_another_kind_are_not_packed() {
        let packs = |weight: &Tensor| DenseMatrix::new(weight, None).unwrap().is_some();
        let weight = random(&[32, 8]);
        assert_eq!(packs(&weight), available_kernels().next().is_some());
        assert!(!packs(Var::from_tensor(&weight).unwrap().as_tensor()));
        assert!(!packs(&weight.to_dtype(DType::BF16).unwrap()));
        assert!(!packs(&random(&[24, 8])));
        assert!(DenseMatrix::new(&weight, Some(&random(&[16]))).is_err() || !packs(&weight));
    }
}
