//! An int8 weight and its product with activations.

use super::activations::Activations;
use super::dispatch::fastest_kernel;
use super::kernel::PanelKernel;
use super::levels::ROWS_AT_ONCE;
use super::packed::Packed;
use super::rounding::Rounding;
use crate::kernels::{MOST_PANELS, PanelGroups, PanelMatrix, Place, Values, multiply_apart, occupies_threads};
use crate::output::Output;
use crate::parallel::for_each_task;
use crate::weights::packing::INT8_PANEL;
use crate::weights::{StoredTensor, int4, int8};
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Shape, Tensor};
use std::ops::Range;
use std::sync::Arc;

/// A weight `[out, in]` of signed bytes with one scale for each output channel, and its bias.
#[derive(Clone)]
pub(crate) struct Int8Matrix(pub(super) Arc<Packed>);

impl Int8Matrix {
    /// Takes an I8 tensor `[out / 16, in / 4, 16, 4]` and F32 scales `[out]`, for activations that are rounded so.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the tensor when its type, shape or length is wrong.
    pub fn from_stored(
        name: &str,
        values: &StoredTensor,
        scales: &StoredTensor,
        rounding: Rounding,
    ) -> Result<Self> {
        let (bytes, scales) = int8::read(name, values, scales)?;
        Ok(Self::from_packed(bytes, scales, rounding))
    }

    /// Expands four-bit weights to bytes; see [`WeightFormat::Int4`](crate::weights::WeightFormat::Int4).
    ///
    /// # Errors
    /// As [`Self::from_stored`].
    pub fn from_int4(name: &str, values: &StoredTensor, scales: &StoredTensor, rounding: Rounding) -> Result<Self> {
        let (bytes, scales) = int4::expand(name, values, scales)?;
        Ok(Self::from_packed(bytes.into(), scales, rounding))
    }

    fn from_packed(bytes: Bytes, scales: Vec<f32>, rounding: Rounding) -> Self {
        let n_in = bytes.len() / scales.len();
        Self(Arc::new(Packed::new(bytes, scales, n_in, rounding)))
    }

    /// Adds a bias `[out]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] when its length is wrong.
    pub fn with_bias(self, bias: &Tensor) -> Result<Self> {
        let bias: Vec<f32> = bias.to_dtype(DType::F32)?.to_vec1()?;
        if bias.len() != self.0.n_out {
            let detail = format!("a bias of {} values, expected {}", bias.len(), self.0.n_out);
            return Err(Error::Tensor(candle_core::Error::Msg(detail)));
        }
        let packed = Arc::try_unwrap(self.0).unwrap_or_else(|shared| Packed::clone(&shared));
        Ok(Self(Arc::new(packed.with_bias(bias))))
    }

    /// Multiplies the columns of activations by factors `[in]` before they are rounded.
    pub fn with_factors(self, factors: Vec<f32>) -> Self {
        assert_eq!(factors.len(), self.0.n_in, "factors of columns");
        let packed = Arc::try_unwrap(self.0).unwrap_or_else(|shared| Packed::clone(&shared));
        Self(Arc::new(packed.with_factors(factors)))
    }

    /// Returns the weight as f32 `[out, in]`, for devices without an int8 kernel.
    pub fn dequantize(&self) -> Result<Tensor> {
        let dense = int8::dequantize(&self.0.values, &self.0.scales)?;
        Ok(match &self.0.factors {
            Some(factors) => dense.broadcast_mul(&Tensor::from_slice(factors, factors.len(), &Device::Cpu)?)?,
            None => dense,
        })
    }

    fn multiply_with(
        &self,
        kernel: PanelKernel,
        activations: &Activations,
        panels: &PanelGroups,
        each: impl Fn(&mut [f32]) + Sync,
        finish: impl Fn(Place, &Values) + Sync,
    ) {
        for_each_task(panels.len(), Vec::new, |values, task| {
            let panels = panels.group(task);
            for first in (0..activations.n_rows()).step_by(ROWS_AT_ONCE) {
                let rows = first..activations.n_rows().min(first + ROWS_AT_ONCE);
                self.0.panels(panels.clone(), (activations, rows.clone()), kernel, values);
                each(values.as_flattened_mut());
                for (at, row) in rows.clone().enumerate() {
                    for (panel, values) in panels.clone().zip(values.chunks_exact(rows.len())) {
                        finish(Place { row, channel: panel * INT8_PANEL }, &values[at]);
                    }
                }
            }
        });
    }

    /// As [`PanelMatrix::multiply_for`], where the blocks of `next` are whole panels.
    fn multiply_blocks<'x>(
        &self,
        kernel: PanelKernel,
        activations: &Activations,
        each: impl Fn(&mut [f32]) + Sync,
        next: &Self,
        buffer: &'x mut Activations,
    ) -> &'x Activations {
        let size = (next.0.n_in, next.0.rounding);
        buffer.fill_blocks(
            activations.n_rows(),
            size,
            || (Vec::new(), Vec::new()),
            |(values, block), levels| {
                let (rows, columns) = (levels.rows(), levels.columns());
                block.resize(rows.len() * columns.len(), 0.0);
                for panels in PanelGroups::new(columns.clone(), MOST_PANELS).groups() {
                    self.0.panels(panels.clone(), (activations, rows.clone()), kernel, values);
                    each(values.as_flattened_mut());
                    for (panel, values) in panels.zip(values.chunks_exact(rows.len())) {
                        let column = panel * INT8_PANEL - columns.start;
                        for (row, values) in block.chunks_exact_mut(columns.len()).zip(values) {
                            row[column..][..INT8_PANEL].copy_from_slice(values);
                        }
                    }
                }
                next.0.multiply_columns(block, columns);
                levels.quantize(block);
            },
        );
        buffer
    }

    /// Returns `x W^T + b`.
    ///
    /// # Shapes
    /// - `x`: `[M, in]` f32
    /// - returns `[M, out]` f32
    pub fn matmul(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(self)?)
    }

    fn product(&self, x: &[f32], kernel: PanelKernel, panels: &PanelGroups) -> Vec<f32> {
        let Packed { n_in, n_out, .. } = *self.0;
        let n_rows = x.len() / n_in;
        let mut activations = Activations::default();
        let rows = self.rows(&mut activations, x);
        let mut out = vec![0f32; n_rows * n_out];
        let output = Output::new(&mut out);
        let put = |place: Place, values: &Values| {
            // SAFETY: the task is the only one of these channels.
            unsafe { output.slice(place.row * n_out + place.channel, INT8_PANEL) }.copy_from_slice(values);
        };
        self.multiply_with(kernel, rows, panels, |_| (), put);
        out
    }
}

impl PanelMatrix for Int8Matrix {
    type Buffer = Activations;
    type Rows<'x> = &'x Activations;
    const ATTENDS_IN_SHORT: bool = true;

    fn n_out(&self) -> usize {
        self.0.n_out
    }

    fn n_in(&self) -> usize {
        self.0.n_in
    }

    fn n_rows(&self, rows: &Activations) -> usize {
        rows.n_rows()
    }

    fn rows<'x>(&self, buffer: &'x mut Activations, x: &'x [f32]) -> &'x Activations {
        let Packed { n_in, rounding, .. } = *self.0;
        if self.0.factors.is_some() {
            let row = |row: usize| &x[row * n_in..][..n_in];
            return self.rows_by(buffer, x.len() / n_in, |at, to| to.copy_from_slice(row(at)));
        }
        buffer.fill(
            x.len() / n_in,
            (n_in, rounding),
            || (),
            |(), levels| {
                let row = &x[levels.row() * n_in..][..n_in];
                levels.quantize(row);
            },
        );
        buffer
    }

    fn rows_by<'x>(
        &self,
        buffer: &'x mut Activations,
        n_rows: usize,
        write: impl Fn(usize, &mut [f32]) + Sync,
    ) -> &'x Activations {
        let Packed { n_in, rounding, .. } = *self.0;
        buffer.fill(
            n_rows,
            (n_in, rounding),
            || vec![0f32; n_in],
            |values, levels| {
                write(levels.row(), values);
                self.0.multiply_columns(values, 0..n_in);
                levels.quantize(values);
            },
        );
        buffer
    }

    fn multiply(
        &self,
        rows: &Activations,
        channels: Range<usize>,
        each: impl Fn(&mut [f32]) + Sync,
        finish: impl Fn(Place, &Values) + Sync,
    ) {
        let kernel = fastest_kernel();
        self.multiply_with(kernel, rows, &kernel.groups(channels), each, finish);
    }

    fn multiply_for<'x>(
        &self,
        rows: &Activations,
        each: impl Fn(&mut [f32]) + Sync,
        next: &Self,
        (buffer, hidden): (&'x mut Activations, &'x mut Vec<f32>),
    ) -> &'x Activations {
        assert_eq!(self.n_out(), next.n_in(), "channels of a layer and of the next");
        let Packed { n_in: width, rounding, .. } = *next.0;
        let occupies_threads = occupies_threads(Activations::n_block_tasks(rows.n_rows(), (width, rounding)));
        match fastest_kernel() {
            kernel @ PanelKernel::Values(_)
                if rounding.block_width.is_multiple_of(INT8_PANEL) && occupies_threads =>
            {
                self.multiply_blocks(kernel, rows, each, next, buffer)
            }
            _ => multiply_apart(self, rows, each, next, (buffer, hidden)),
        }
    }
}

impl CustomOp1 for Int8Matrix {
    fn name(&self) -> &'static str {
        "int8-matmul"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let CpuStorage::F32(values) = storage else { candle_core::bail!("int8-matmul wants f32 activations") };
        let (n_rows, width) = layout.shape().dims2()?;
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("int8-matmul wants contiguous activations")
        };
        if width != self.0.n_in {
            candle_core::bail!("int8-matmul: activations of width {width}, expected {}", self.0.n_in);
        }
        let kernel = fastest_kernel();
        let out = self.product(&values[start..end], kernel, &kernel.groups(0..self.0.n_out));
        Ok((CpuStorage::F32(out), Shape::from((n_rows, self.0.n_out))))
    }
}

#[cfg(test)]
mod tests;
