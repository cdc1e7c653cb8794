//! An int8 weight and its product with activations.

use super::activations::{Activations, Rounding};
use super::dispatch::fastest_kernel;
use super::kernel::PanelKernel;
use super::packed::Packed;
use crate::kernels::{PanelMatrix, Place, Values};
use crate::output::Output;
use crate::parallel::for_each_task;
use crate::weights::packing::INT8_PANEL;
use crate::weights::{StoredTensor, int4, int8};
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};
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

    /// Returns the weight as f32 `[out, in]`, for devices without an int8 kernel.
    pub fn dequantize(&self) -> Result<Tensor> {
        int8::dequantize(&self.0.values, &self.0.scales)
    }

    fn multiply_with(
        &self,
        kernel: PanelKernel,
        activations: &Activations,
        channels: Range<usize>,
        each: impl Fn(&mut [f32]) + Sync,
        finish: impl Fn(Place, &Values) + Sync,
    ) {
        assert!(channels.start.is_multiple_of(INT8_PANEL) && channels.end.is_multiple_of(INT8_PANEL));
        let first = channels.start / INT8_PANEL;
        for_each_task(channels.len() / INT8_PANEL, Vec::new, |values, task| {
            let panel = first + task;
            self.0.panel(panel, activations, kernel, values);
            each(values.as_flattened_mut());
            for (row, values) in values.iter().enumerate() {
                finish(Place { row, channel: panel * INT8_PANEL }, values);
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

    fn product(&self, x: &[f32], kernel: PanelKernel) -> Vec<f32> {
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
        self.multiply_with(kernel, rows, 0..n_out, |_| (), put);
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

    fn rows<'x>(&self, buffer: &'x mut Activations, x: &'x [f32]) -> &'x Activations {
        let Packed { n_in, rounding, .. } = *self.0;
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
        self.multiply_with(fastest_kernel(), rows, channels, each, finish);
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
        let out = self.product(&values[start..end], fastest_kernel());
        Ok((CpuStorage::F32(out), Shape::from((n_rows, self.0.n_out))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::int8::dispatch::available_kernels;
    use crate::kernels::int8::scalar;
    use crate::weights::ActivationBits;
    use crate::weights::packing::{INT8_QUAD, pack};

    fn matrix(values: &[i8], n_out: usize, n_in: usize, rounding: Rounding) -> Int8Matrix {
        let scales = (0..n_out).map(|row| 0.01 + row as f32 * 1e-4).collect();
        let packed: Vec<u8> = pack(values, n_out, n_in).into_iter().map(|v| v as u8).collect();
        Int8Matrix(Arc::new(Packed::new(packed.into(), scales, n_in, rounding)))
    }

    #[test]
    fn packing_keeps_every_weight_in_its_place() {
        let values: Vec<i8> = (0..32 * 12).map(|v| v as i8).collect();
        let dense = matrix(&values, 32, 12, Rounding::coarse(8)).dequantize().unwrap().to_vec2::<f32>().unwrap();
        for (row, weights) in dense.iter().enumerate() {
            for (column, &weight) in weights.iter().enumerate() {
                assert_eq!(weight, f32::from(values[row * 12 + column]) * (0.01 + row as f32 * 1e-4));
            }
        }
    }

    /// The largest weights of a case: with some no two quads fit 16 bits together, with others a few or all do.
    const LARGEST: [i32; 4] = [127, 100, 64, 20];

    /// A random product. `is_extreme` takes the largest magnitudes, with which no sum may wrap or saturate.
    struct Case {
        n_rows: usize,
        n_out: usize,
        n_in: usize,
        rounding: Rounding,
        largest: i32,
        is_extreme: bool,
        seed: u64,
    }

    impl Case {
        fn check(&self) {
            let Self { n_rows, n_out, n_in, rounding, largest, is_extreme, seed } = *self;
            let mut state = seed | 1;
            let mut draw = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 33) as i32
            };
            let mut weight = || if is_extreme { -largest } else { draw() % (2 * largest + 1) - largest };
            let weights: Vec<i8> = (0..n_out * n_in).map(|_| weight() as i8).collect();
            let x: Vec<f32> =
                (0..n_rows * n_in).map(|_| if is_extreme { 3.0 } else { (draw() % 1000) as f32 / 77.0 }).collect();
            let matrix = matrix(&weights, n_out, n_in, rounding);
            let ours = matrix.product(&x, scalar::multiply);
            for kernel in available_kernels() {
                assert_eq!(ours, matrix.product(&x, kernel), "{n_rows} rows of {n_in}, {n_out} channels");
            }

            let dense = matrix.dequantize().unwrap().to_vec2::<f32>().unwrap();
            for row in 0..n_rows {
                let x = &x[row * n_in..][..n_in];
                let largest = x.iter().fold(0f32, |largest, value| largest.max(value.abs()));
                for (column, weights) in dense.iter().enumerate() {
                    let sum: f64 = x.iter().zip(weights).map(|(x, w)| f64::from(x * w)).sum();
                    let error = (f64::from(ours[row * n_out + column]) - sum).abs();
                    // An activation is off by half a step at most.
                    let size = f64::from(largest * weights.iter().map(|weight| weight.abs()).sum::<f32>());
                    assert!(error <= size / f64::from(rounding.steps()) + 1e-5 * size, "{error} of {size}");
                }
            }
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn every_kernel_gives_the_scalar_sums(
            (n_rows, panels, quads) in (0usize..28, 1usize..4, 1usize..40),
            block_width in proptest::sample::select(vec![4usize, 12, 64, 256]),
            bits in proptest::sample::select(&ActivationBits::ALL[..]),
            largest in proptest::sample::select(&LARGEST[..]),
            is_extreme: bool,
            seed: u64,
        ) {
            let (n_out, n_in) = (panels * INT8_PANEL, quads * INT8_QUAD);
            let rounding = Rounding { block_width, bits };
            Case { n_rows, n_out, n_in, rounding, largest, is_extreme, seed }.check();
        }
    }

    /// The kernels of a browser.
    #[cfg(target_arch = "wasm32")]
    #[wasm_bindgen_test::wasm_bindgen_test]
    fn every_kernel_gives_the_scalar_sums() {
        for seed in 0..60u64 {
            let (rows, panels, quads) = (seed as usize % 11, seed as usize % 3 + 1, seed as usize * 7 % 70 + 1);
            let block_width = [4, 64, 256][seed as usize % 3];
            let rounding = Rounding { block_width, bits: ActivationBits::ALL[seed as usize / 2 % 2] };
            let (n_out, n_in) = (panels * INT8_PANEL, quads * INT8_QUAD);
            let largest = LARGEST[seed as usize / 4 % LARGEST.len()];
            Case { n_rows: rows, n_out, n_in, rounding, largest, is_extreme: seed % 4 == 0, seed }.check();
        }
    }
}
