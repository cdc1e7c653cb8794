//! The product of a packed f32 weight with rows, as an operation of candle.

use super::dispatch::fastest_kernel;
use super::kernel::Kernel;
use super::matrix::DenseMatrix;
use crate::Result;
use crate::kernels::{PanelGroups, PanelMatrix, Place, Values};
use crate::output::Output;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

impl DenseMatrix {
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
        let mut out = vec![0f32; x.len() / self.n_in() * n_out];
        let output = Output::new(&mut out);
        let put = |place: Place, values: &Values| {
            // SAFETY: a channel of a row is computed by one task.
            unsafe { output.slice(place.row * n_out + place.channel, values.len()) }.copy_from_slice(values);
        };
        self.multiply_with(kernel, x, panels, |_| (), put);
        out
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
        if width != self.n_in() {
            candle_core::bail!("a packed product: activations of width {width}, expected {}", self.n_in());
        }
        let x = &storage.as_slice::<f32>()?[start..end];
        let out = self.product(kernel, x, &self.groups(x, 0..self.n_out()));
        Ok((CpuStorage::F32(out), Shape::from((n_rows, self.n_out()))))
    }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::super::dispatch::available_kernels;
    use super::*;
    use crate::kernels::MOST_PANELS;
    use crate::random::randn;

    fn random(shape: &[usize]) -> Tensor {
        randn(0.0, 1.0, shape)
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
}
