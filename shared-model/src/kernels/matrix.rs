//! A packed int8 weight and its product with activations.

use super::{INT8_PANEL, TILE_ROWS, TileKernel, available_kernels};
use crate::weights::StoredTensor;
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Shape, Tensor};
use safetensors::Dtype;
use std::sync::Arc;

/// A weight `[out, in]` as signed bytes with one scale an output channel.
#[derive(Clone)]
pub struct Int8Matrix(Arc<Packed>);

struct Packed {
    /// `[out / 8][in / 2][8][2]`, straight from the file.
    values: Bytes,
    scales: Vec<f32>,
    n_out: usize,
    n_in: usize,
}

impl Int8Matrix {
    /// From an I8 tensor `[out / 8, in / 2, 8, 2]` and F32 scales `[out]`.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the tensor when type, shape or length is another.
    pub fn from_stored(name: &str, values: &StoredTensor, scales: &StoredTensor) -> Result<Self> {
        let fail = |detail: String| Err(Error::Weights { detail: format!("tensor {name}.int8 {detail}") });
        let &[panels, pairs, INT8_PANEL, 2] = values.shape.as_slice() else {
            return fail(format!("has shape {:?}, expected [out / 8, in / 2, 8, 2]", values.shape));
        };
        let (n_out, n_in) = (panels * INT8_PANEL, pairs * 2);
        if values.dtype != Dtype::I8 || values.data.len() != n_out * n_in {
            return fail(format!("has type {:?} and {} bytes", values.dtype, values.data.len()));
        }
        let scales: Vec<f32> = scales.to_tensor(name)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        if scales.len() != n_out {
            return fail(format!("has {} scales, expected {n_out}", scales.len()));
        }
        Ok(Self(Arc::new(Packed { values: values.data.clone(), scales, n_out, n_in })))
    }

    /// Row-major `[out, in]` to the packed order; `n_out` in 8s and `n_in` in 2s.
    pub fn pack(values: &[i8], n_out: usize, n_in: usize) -> Vec<i8> {
        let at = |panel: usize, pair: usize| {
            (0..INT8_PANEL).flat_map(move |channel| {
                let start = (panel * INT8_PANEL + channel) * n_in + pair * 2;
                [start, start + 1]
            })
        };
        (0..n_out / INT8_PANEL)
            .flat_map(|panel| (0..n_in / 2).flat_map(move |pair| at(panel, pair)))
            .map(|index| values[index])
            .collect()
    }

    /// The weight as f32 `[out, in]`, for devices without an int8 kernel of ours.
    pub fn dequantize(&self) -> Result<Tensor> {
        let Packed { values, scales, n_out, n_in } = &*self.0;
        let mut dense = vec![0f32; n_out * n_in];
        let panel_bytes = n_in * INT8_PANEL;
        for (panel, values) in values.chunks_exact(panel_bytes).enumerate() {
            for (index, &value) in values.iter().enumerate() {
                let (pair, channel, step) = (index / 16, index / 2 % INT8_PANEL, index % 2);
                let row = panel * INT8_PANEL + channel;
                dense[row * n_in + pair * 2 + step] = f32::from(value as i8) * scales[row];
            }
        }
        Ok(Tensor::from_vec(dense, (*n_out, *n_in), &Device::Cpu)?)
    }

    /// `y = x W^T`.
    ///
    /// # Shapes
    /// - `x`: `[M, in]` f32
    /// - returns `[M, out]` f32
    pub fn matmul(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(self)?)
    }

    fn multiply(&self, x: &[f32], kernel: TileKernel) -> Vec<f32> {
        let packed = &*self.0;
        let activations = Activations::quantize(x, packed.n_in);
        let n_rows = activations.scales.len();
        if n_rows == 0 {
            return Vec::new();
        }
        let mut columns = vec![0f32; n_rows * packed.n_out];
        // Panel-major while computing: each panel's columns are one contiguous piece of work.
        let work = |(panel, out): (usize, &mut [f32])| packed.panel(panel, &activations, kernel, out);
        for_each_chunk(&mut columns, n_rows * INT8_PANEL, work);
        packed.to_row_major(&columns, n_rows)
    }
}

impl Packed {
    /// `out[row][8]` for one panel.
    fn panel(&self, panel: usize, activations: &Activations, kernel: TileKernel, out: &mut [f32]) {
        let panel_bytes = self.n_in * INT8_PANEL;
        let values = &self.values[panel * panel_bytes..][..panel_bytes];
        // Widened once, then read for every row: 16-bit operands are what the kernels multiply.
        let widened: Vec<i16> = values.iter().map(|&value| i16::from(value as i8)).collect();
        let weight_scales = &self.scales[panel * INT8_PANEL..][..INT8_PANEL];
        for (tile, out) in out.chunks_mut(TILE_ROWS * INT8_PANEL).enumerate() {
            let first = tile * TILE_ROWS;
            let last = activations.scales.len() - 1;
            let rows = std::array::from_fn(|row| activations.row((first + row).min(last)));
            let sums = kernel(rows, &widened);
            let row_scales = &activations.scales[first..];
            for ((out, sums), row_scale) in out.chunks_exact_mut(INT8_PANEL).zip(sums).zip(row_scales) {
                for ((out, sum), weight_scale) in out.iter_mut().zip(sums).zip(weight_scales) {
                    *out = sum as f32 * (row_scale * weight_scale);
                }
            }
        }
    }

    /// `[panel][row][8]` to `[row][out]`.
    fn to_row_major(&self, columns: &[f32], n_rows: usize) -> Vec<f32> {
        let n_panels = self.n_out / INT8_PANEL;
        let mut rows = Vec::with_capacity(columns.len());
        for row in 0..n_rows {
            for panel in 0..n_panels {
                rows.extend_from_slice(&columns[(panel * n_rows + row) * INT8_PANEL..][..INT8_PANEL]);
            }
        }
        rows
    }
}

/// Activations as 16-bit integers with one scale a row.
struct Activations {
    values: Vec<i16>,
    scales: Vec<f32>,
    width: usize,
}

impl Activations {
    fn quantize(x: &[f32], width: usize) -> Self {
        let levels = activation_levels(width);
        let mut values = Vec::with_capacity(x.len());
        let mut scales = Vec::with_capacity(x.len() / width);
        for row in x.chunks_exact(width) {
            let largest = row.iter().fold(0f32, |max, value| max.max(value.abs()));
            let inverse = if largest > 0.0 { levels / largest } else { 0.0 };
            values.extend(row.iter().map(|value| ((value * inverse + ROUNDER) - ROUNDER) as i16));
            scales.push(largest / levels);
        }
        Self { values, scales, width }
    }

    fn row(&self, row: usize) -> &[i16] {
        &self.values[row * self.width..][..self.width]
    }
}

/// 1.5 * 2^23: adding it leaves no bits for a fraction, so that a sum with it is rounded to the nearest integer, ties to
/// even. A call to the C library's `rintf`, which baseline x86-64 would need instead, took a tenth of the time.
const ROUNDER: f32 = 12_582_912.0;

/// Largest activation integer for which `n_in` products with weights up to 127 surely fit 32 bits.
fn activation_levels(n_in: usize) -> f32 {
    let bound = i32::MAX as usize / (127 * n_in.max(1));
    bound.min(i16::MAX as usize) as f32
}

#[cfg(not(target_arch = "wasm32"))]
fn for_each_chunk(data: &mut [f32], chunk: usize, work: impl Fn((usize, &mut [f32])) + Send + Sync) {
    use rayon::prelude::*;
    data.par_chunks_mut(chunk).enumerate().for_each(work);
}

#[cfg(target_arch = "wasm32")]
fn for_each_chunk(data: &mut [f32], chunk: usize, work: impl Fn((usize, &mut [f32]))) {
    data.chunks_mut(chunk).enumerate().for_each(work);
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
        let kernel = available_kernels().next().expect("the scalar kernel is always there");
        let out = self.multiply(&values[start..end], kernel);
        Ok((CpuStorage::F32(out), Shape::from((n_rows, self.0.n_out))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::scalar;
    use proptest::prelude::*;

    fn matrix(values: &[i8], n_out: usize, n_in: usize) -> Int8Matrix {
        let scales = (0..n_out).map(|row| 0.01 + row as f32 * 1e-4).collect();
        let packed: Vec<u8> = Int8Matrix::pack(values, n_out, n_in).into_iter().map(|v| v as u8).collect();
        Int8Matrix(Arc::new(Packed { values: packed.into(), scales, n_out, n_in }))
    }

    #[test]
    fn packing_keeps_every_weight_in_its_place() {
        let values: Vec<i8> = (0..16 * 6).map(|v| v as i8).collect();
        let dense = matrix(&values, 16, 6).dequantize().unwrap().to_vec2::<f32>().unwrap();
        for (row, weights) in dense.iter().enumerate() {
            for (column, &weight) in weights.iter().enumerate() {
                assert_eq!(weight, f32::from(values[row * 6 + column]) * (0.01 + row as f32 * 1e-4));
            }
        }
    }

    proptest! {
        /// Largest magnitudes included: no sum may wrap.
        #[test]
        fn every_kernel_gives_the_scalar_sums(
            n_rows in 0usize..11,
            panels in 1usize..5,
            pairs in 1usize..40,
            is_extreme: bool,
            seed: u64,
        ) {
            let (n_out, n_in) = (panels * INT8_PANEL, pairs * 2);
            let mut state = seed | 1;
            let mut draw = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 33) as i32
            };
            let weights: Vec<i8> =
                (0..n_out * n_in).map(|_| if is_extreme { -127 } else { (draw() % 128) as i8 }).collect();
            let x: Vec<f32> =
                (0..n_rows * n_in).map(|_| if is_extreme { 3.0 } else { (draw() % 1000) as f32 / 77.0 }).collect();
            let matrix = matrix(&weights, n_out, n_in);
            let ours = matrix.multiply(&x, scalar::tile);
            for kernel in available_kernels() {
                prop_assert_eq!(&ours, &matrix.multiply(&x, kernel));
            }

            let dense = matrix.dequantize().unwrap().to_vec2::<f32>().unwrap();
            for row in 0..n_rows {
                let x = &x[row * n_in..][..n_in];
                let largest = x.iter().fold(0f32, |largest, value| largest.max(value.abs()));
                for (column, weights) in dense.iter().enumerate() {
                    let sum: f64 = x.iter().zip(weights).map(|(x, w)| f64::from(x * w)).sum();
                    let error = (f64::from(ours[row * n_out + column]) - sum).abs();
                    // An activation is off by half a level at most, and there are at least 5,504 of them.
                    let size = f64::from(largest * weights.iter().map(|weight| weight.abs()).sum::<f32>());
                    prop_assert!(error <= size / (2.0 * 5504.0) + 1e-5 * size, "{error} of {size}");
                }
            }
        }
    }
}
