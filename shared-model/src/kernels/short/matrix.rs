//! A weight of 16-bit integers: for what eight bits would be too coarse, at twice the speed of f32 in wasm.

use super::dispatch::fastest_kernel;
use super::operands::{Rows, ShortPanels, ShortRows};
use super::product::{Target, multiply};
use super::tile::TILE_ROWS;
use crate::Result;
use crate::parallel::{Output, for_each_task};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};
use std::sync::Arc;

/// Rows that a task takes: whole tiles.
const ROWS_PER_TASK: usize = 2 * TILE_ROWS;

/// A weight `[out, in]` whose rows have a scale each.
#[derive(Clone)]
pub(crate) struct ShortMatrix(Arc<Packed>);

struct Packed {
    panels: ShortPanels,
    n_out: usize,
    n_in: usize,
    /// On either side of zero, for weights and activations alike.
    levels: f32,
}

impl ShortMatrix {
    /// # Errors
    /// When `weight` is not `[out, in]` on the CPU.
    pub fn new(weight: &Tensor) -> Result<Self> {
        let (n_out, n_in) = weight.dims2()?;
        let values: Vec<f32> = weight.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        // So many that a sum of `in` products fits 32 bits.
        let levels = (i32::MAX as f32 / n_in.max(1) as f32).sqrt().floor().min(i16::MAX as f32);
        let mut panels = ShortPanels::default();
        panels.pack_rows(Rows { values: &values, n_rows: n_out, width: n_in, stride: n_in }, levels);
        Ok(Self(Arc::new(Packed { panels, n_out, n_in, levels })))
    }

    /// `y = x W^T`.
    ///
    /// # Shapes
    /// - `x`: `[M, in]` f32
    /// - returns `[M, out]` f32
    pub fn matmul(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(self)?)
    }
}

impl CustomOp1 for ShortMatrix {
    fn name(&self) -> &'static str {
        "short-matmul"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let CpuStorage::F32(values) = storage else { candle_core::bail!("short-matmul wants f32 activations") };
        let (n_rows, width) = layout.shape().dims2()?;
        let Packed { panels, n_out, n_in, levels } = &*self.0;
        let Some((start, end)) = layout.contiguous_offsets().filter(|_| width == *n_in) else {
            candle_core::bail!("short-matmul wants contiguous rows of {n_in}, found {layout:?}")
        };
        let (x, kernel) = (&values[start..end], fastest_kernel());
        let mut out = vec![0f32; n_rows * n_out];
        let output = Output::new(&mut out);
        for_each_task(n_rows.div_ceil(ROWS_PER_TASK), ShortRows::default, |rows, task| {
            let first = task * ROWS_PER_TASK;
            let n_rows = ROWS_PER_TASK.min(n_rows - first);
            rows.quantize(Rows { values: &x[first * n_in..], n_rows, width: *n_in, stride: *n_in }, *levels);
            let target = Target { start: output.at(first * n_out), stride: *n_out, n_columns: *n_out };
            // SAFETY: the task's own rows of the result.
            unsafe { multiply(rows, panels, 1.0, kernel, target) };
        });
        Ok((CpuStorage::F32(out), Shape::from((n_rows, *n_out))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn products_are_those_of_f32_to_three_digits() {
        for (n_rows, n_in, n_out) in [(1, 5, 3), (37, 48, 20), (196, 768, 64)] {
            let x = Tensor::randn(0f32, 1.0, (n_rows, n_in), &Device::Cpu).unwrap();
            let weight = Tensor::randn(0f32, 1.0, (n_out, n_in), &Device::Cpu).unwrap();
            let short = ShortMatrix::new(&weight).unwrap().matmul(&x).unwrap();
            let exact = x.matmul(&weight.t().unwrap()).unwrap();
            let difference =
                (short - &exact).unwrap().sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
            let size = exact.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference.sqrt() < 2e-3 * size.sqrt(), "{n_in}: {difference} of {size}");
        }
    }
}
