//! A packed int8 weight and its product with activations.

use super::short::{Rows, SHORT_PANEL, ShortRows, TILE_ROWS, TileKernel, available_kernels};
use crate::parallel::{Output, for_each_task};
use crate::weights::StoredTensor;
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Shape, Tensor};
use safetensors::Dtype;
use std::sync::Arc;

/// A weight `[out, in]` as signed bytes with one scale an output channel, and the bias that goes with it.
#[derive(Clone)]
pub struct Int8Matrix(Arc<Packed>);

#[derive(Clone)]
struct Packed {
    /// `[out / 8][in / 2][8][2]`, straight from the file.
    values: Bytes,
    scales: Vec<f32>,
    /// `[out]`; zeros where the layer has none.
    bias: Vec<f32>,
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
        let &[panels, pairs, SHORT_PANEL, 2] = values.shape.as_slice() else {
            return fail(format!("has shape {:?}, expected [out / 8, in / 2, 8, 2]", values.shape));
        };
        let (n_out, n_in) = (panels * SHORT_PANEL, pairs * 2);
        if values.dtype != Dtype::I8 || values.data.len() != n_out * n_in {
            return fail(format!("has type {:?} and {} bytes", values.dtype, values.data.len()));
        }
        let scales: Vec<f32> = scales.to_tensor(name)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        if scales.len() != n_out {
            return fail(format!("has {} scales, expected {n_out}", scales.len()));
        }
        let bias = vec![0.0; n_out];
        Ok(Self(Arc::new(Packed { values: values.data.clone(), scales, bias, n_out, n_in })))
    }

    /// The same weight with a bias `[out]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] when it is of another length.
    pub fn with_bias(self, bias: &Tensor) -> Result<Self> {
        let bias: Vec<f32> = bias.to_dtype(DType::F32)?.to_vec1()?;
        if bias.len() != self.0.n_out {
            let detail = format!("a bias of {} values, expected {}", bias.len(), self.0.n_out);
            return Err(Error::Tensor(candle_core::Error::Msg(detail)));
        }
        Ok(Self(Arc::new(Packed { bias, ..Packed::clone(&self.0) })))
    }

    /// Row-major `[out, in]` to the packed order; `n_out` in 8s and `n_in` in 2s.
    pub fn pack(values: &[i8], n_out: usize, n_in: usize) -> Vec<i8> {
        let at = |panel: usize, pair: usize| {
            (0..SHORT_PANEL).flat_map(move |channel| {
                let start = (panel * SHORT_PANEL + channel) * n_in + pair * 2;
                [start, start + 1]
            })
        };
        (0..n_out / SHORT_PANEL)
            .flat_map(|panel| (0..n_in / 2).flat_map(move |pair| at(panel, pair)))
            .map(|index| values[index])
            .collect()
    }

    /// The weight as f32 `[out, in]`, for devices without an int8 kernel of ours.
    pub fn dequantize(&self) -> Result<Tensor> {
        let Packed { values, scales, n_out, n_in, .. } = &*self.0;
        let mut dense = vec![0f32; n_out * n_in];
        let panel_bytes = n_in * SHORT_PANEL;
        for (panel, values) in values.chunks_exact(panel_bytes).enumerate() {
            for (index, &value) in values.iter().enumerate() {
                let (pair, channel, step) = (index / 16, index / 2 % SHORT_PANEL, index % 2);
                let row = panel * SHORT_PANEL + channel;
                dense[row * n_in + pair * 2 + step] = f32::from(value as i8) * scales[row];
            }
        }
        Ok(Tensor::from_vec(dense, (*n_out, *n_in), &Device::Cpu)?)
    }

    /// `y = x W^T + b`.
    ///
    /// # Shapes
    /// - `x`: `[M, in]` f32
    /// - returns `[M, out]` f32
    pub fn matmul(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(self)?)
    }

    fn multiply(&self, x: &[f32], kernel: TileKernel) -> Vec<f32> {
        let packed = &*self.0;
        let n_rows = x.len() / packed.n_in.max(1);
        let rows = Rows { values: x, n_rows, width: packed.n_in, stride: packed.n_in };
        let activations = ShortRows::quantized(rows, activation_levels(packed.n_in));
        let mut out = vec![0f32; n_rows * packed.n_out];
        let output = Output::new(&mut out);
        for_each_task(packed.n_out / SHORT_PANEL, Vec::new, |widened, panel| {
            packed.panel(panel, &activations, kernel, widened, output);
        });
        out
    }
}

impl Packed {
    /// The columns of one panel, for all rows. `widened` is scratch.
    fn panel(
        &self,
        panel: usize,
        activations: &ShortRows,
        kernel: TileKernel,
        widened: &mut Vec<i16>,
        output: Output,
    ) {
        let panel_bytes = self.n_in * SHORT_PANEL;
        let values = &self.values[panel * panel_bytes..][..panel_bytes];
        // Widened once, then read for every row: 16-bit operands are what the kernels multiply.
        widened.clear();
        widened.extend(values.iter().map(|&value| i16::from(value as i8)));
        let of_panel =
            |values: &[f32]| -> [f32; SHORT_PANEL] { std::array::from_fn(|at| values[panel * SHORT_PANEL + at]) };
        let (scales, bias) = (of_panel(&self.scales), of_panel(&self.bias));
        let n_rows = activations.n_rows();
        for first in (0..n_rows).step_by(TILE_ROWS) {
            let rows = std::array::from_fn(|row| activations.row((first + row).min(n_rows - 1)));
            let sums = kernel(rows, widened);
            for (row, sums) in (first..n_rows).zip(sums) {
                let row_scale = activations.scale(row);
                let values: [f32; SHORT_PANEL] =
                    std::array::from_fn(|at| sums[at] as f32 * (row_scale * scales[at]) + bias[at]);
                // SAFETY: row and panel are within the result, and the panel's columns are this task's.
                unsafe {
                    let start = output.at(row * self.n_out + panel * SHORT_PANEL);
                    start.cast::<[f32; SHORT_PANEL]>().write_unaligned(values);
                }
            }
        }
    }
}

/// Largest activation integer for which `n_in` products with weights up to 127 surely fit 32 bits.
fn activation_levels(n_in: usize) -> f32 {
    let bound = i32::MAX as usize / (127 * n_in.max(1));
    bound.min(i16::MAX as usize) as f32
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
    use crate::kernels::short::scalar;
    use proptest::prelude::*;

    fn matrix(values: &[i8], n_out: usize, n_in: usize) -> Int8Matrix {
        let scales = (0..n_out).map(|row| 0.01 + row as f32 * 1e-4).collect();
        let packed: Vec<u8> = Int8Matrix::pack(values, n_out, n_in).into_iter().map(|v| v as u8).collect();
        Int8Matrix(Arc::new(Packed { values: packed.into(), scales, bias: vec![0.0; n_out], n_out, n_in }))
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
            let (n_out, n_in) = (panels * SHORT_PANEL, pairs * 2);
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
