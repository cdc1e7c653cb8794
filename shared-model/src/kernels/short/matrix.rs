//! A weight of 16-bit integers, for layers that eight bits are too coarse for. In wasm it is twice as fast as f32.

use super::dispatch::fastest_kernel;
use super::operands::{ShortPanels, ShortRows, Source};
use super::product::multiply;
use super::tile::TILE_ROWS;
use crate::Result;
use crate::output::Rows;
use crate::parallel::for_each_chunk;
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};
use std::sync::Arc;

/// Rows of one task, in whole tiles.
const ROWS_PER_TASK: usize = 2 * TILE_ROWS;

/// A weight `[out, in]` with one scale for each row.
#[derive(Clone)]
pub(crate) struct ShortMatrix(Arc<Packed>);

struct Packed {
    panels: ShortPanels,
    n_out: usize,
    n_in: usize,
    /// Levels on either side of zero, of weights and of activations.
    levels: f32,
}

impl ShortMatrix {
    /// Quantizes a dense weight.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) when `weight` is not `[out, in]` on the CPU.
    pub fn new(weight: &Tensor) -> Result<Self> {
        let (n_out, n_in) = weight.dims2()?;
        let values: Vec<f32> = weight.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        // The most with which a sum of `in` products fits 32 bits.
        let levels = (i32::MAX as f32 / n_in.max(1) as f32).sqrt().floor().min(i16::MAX as f32);
        let mut panels = ShortPanels::default();
        panels.pack_rows(Source { values: &values, n_rows: n_out, width: n_in, stride: n_in }, levels);
        Ok(Self(Arc::new(Packed { panels, n_out, n_in, levels })))
    }

    /// Returns `x W^T`.
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
        for_each_chunk(&mut out, ROWS_PER_TASK * (*n_out).max(1), |task, out| {
            let mut rows = ShortRows::default();
            let values = &x[task * ROWS_PER_TASK * n_in..];
            let n_rows = out.len() / n_out;
            rows.quantize(Source { values, n_rows, width: *n_in, stride: *n_in }, *levels);
            multiply(&rows, panels, 1.0, kernel, &mut Rows::of(out, *n_out));
        });
        Ok((CpuStorage::F32(out), Shape::from((n_rows, *n_out))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::randn;

    #[test]
    fn products_are_those_of_f32_to_three_digits() {
        for (n_rows, n_in, n_out) in [(1, 5, 3), (37, 48, 20), (196, 768, 64)] {
            let x = randn(0.0, 1.0, (n_rows, n_in));
            let weight = randn(0.0, 1.0, (n_out, n_in));
            let short = ShortMatrix::new(&weight).unwrap().matmul(&x).unwrap();
            let exact = x.matmul(&weight.t().unwrap()).unwrap();
            let difference =
                (short - &exact).unwrap().sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
            let size = exact.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference.sqrt() < 2e-3 * size.sqrt(), "{n_in}: {difference} of {size}");
        }
    }
}
