//! Weighted sums of the rows of a weight: its product from the other side.

use super::{Linear, LinearWeight};
use crate::{Error, Result, fused};
use candle_core::quantized::QMatMul;
use candle_core::{DType, Device, Tensor};

impl Linear {
    /// Returns `z^T W` for each of `n_groups` groups of rows that lie one behind the other; the bias has no part in it.
    ///
    /// # Shapes
    /// - `first`: the first row
    /// - `z`: `[G, rows]`, a factor for each row
    /// - returns `[G, in]`
    ///
    /// # Errors
    /// [`Error::Tensor`] when there are fewer rows, and for weights of 16-bit integers, which have no such product.
    pub fn weighted_rows(&self, first: usize, z: &[f32], n_groups: usize) -> Result<Vec<f32>> {
        let refused = |detail: String| Err(Error::Tensor(candle_core::Error::Msg(detail)));
        if n_groups == 0 || !z.len().is_multiple_of(n_groups) {
            return refused(format!("{} weighted rows in {n_groups} groups", z.len()));
        }
        match &self.weight {
            LinearWeight::Dense(weight) => of_dense(weight, first, z, n_groups),
            LinearWeight::Ggml(QMatMul::QTensor(blocks)) => {
                of_dense(&blocks.dequantize(&blocks.device())?, first, z, n_groups)
            }
            LinearWeight::Ggml(QMatMul::Tensor(weight) | QMatMul::TensorF16(weight)) => {
                of_dense(weight, first, z, n_groups)
            }
            LinearWeight::Packed(matrix) => matrix.weighted_rows(first, z, n_groups),
            LinearWeight::Int8(matrix) => matrix.weighted_rows(first, z, n_groups),
            LinearWeight::Short(_) => refused("weighted rows of 16-bit integers".into()),
        }
    }
}

fn of_dense(weight: &Tensor, first: usize, z: &[f32], n_groups: usize) -> Result<Vec<f32>> {
    let n_in = weight.dim(1)?;
    let rows = weight.narrow(0, first, z.len())?.to_dtype(DType::F32)?.to_device(&Device::Cpu)?;
    let rows: Vec<f32> = rows.flatten_all()?.to_vec1()?;
    let n_rows = z.len() / n_groups;
    let groups = z.chunks_exact(n_rows.max(1)).zip(rows.chunks_exact((n_rows * n_in).max(1)));
    Ok(groups.flat_map(|(z, rows)| fused::input_gradient(z, rows, n_rows)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Parameter;
    use crate::quantize::{WeightFormat, quantize};
    use crate::random::randn;
    use crate::weights::{Placement, Weights};
    use std::collections::HashMap;

    const N_OUT: usize = 96;
    const N_IN: usize = 64;

    /// A layer in each form that the blocks of towers have.
    fn layers() -> Vec<(&'static str, Linear)> {
        let dense = randn(0.0, 1.0, (N_OUT, N_IN));
        let bias = Tensor::ones(N_OUT, DType::F32, &Device::Cpu).unwrap();
        let name = "visual.transformer.resblocks.0.attn.in_proj_weight";
        let weights = Weights::from_live([(name.to_string(), dense.clone())]);
        let parameters = [Parameter { name: name.into(), shape: vec![N_OUT, N_IN] }];
        let mut layers = vec![
            ("dense", Linear { weight: LinearWeight::Dense(dense.clone()), bias: None }),
            ("packed", Linear::dense(dense, Some(bias)).unwrap()),
        ];
        for format in WeightFormat::ALL {
            let bytes = quantize(&weights, &parameters, format).unwrap().to_safetensors(HashMap::new()).unwrap();
            let stored = Weights::from_safetensors(bytes.into()).unwrap();
            layers.push((format.name(), Linear::load(&stored, name, None, &Placement::default()).unwrap()));
        }
        layers
    }

    /// The weight of a layer, `[in][out]`: that of the integers, or by its products with unit vectors.
    fn columns(layer: &Linear) -> Vec<Vec<f32>> {
        if let Some(matrix) = layer.int8() {
            return matrix.dequantize().unwrap().t().unwrap().to_vec2().unwrap();
        }
        let units = Tensor::eye(N_IN, DType::F32, &Device::Cpu).unwrap();
        let bias = layer.forward(&units.zeros_like().unwrap()).unwrap();
        (layer.forward(&units).unwrap() - bias).unwrap().to_vec2().unwrap()
    }

    #[test]
    fn weighted_rows_of_every_form_are_those_of_the_weight_it_means() {
        // Groups that begin and end within the panels of sixteen rows, and whole ones.
        for (first, n_rows, n_groups) in [(0, 96, 1), (32, 32, 2), (40, 8, 5), (5, 13, 7), (95, 1, 1)] {
            let z = randn(0.0, 1.0, n_rows * n_groups).to_vec1::<f32>().unwrap();
            for (form, layer) in layers() {
                let (found, columns) = (layer.weighted_rows(first, &z, n_groups).unwrap(), columns(&layer));
                // candle rounds the unit vectors that it multiplies by GGML blocks.
                let tolerance = if form.starts_with('q') { 1e-2 } else { 1e-4 };
                assert_eq!(found.len(), n_groups * N_IN, "{form}");
                for (at, found) in found.iter().enumerate() {
                    let (group, column) = (at / N_IN, at % N_IN);
                    let rows = group * n_rows..(group + 1) * n_rows;
                    let expected: f32 = rows.map(|row| z[row] * columns[column][first + row]).sum();
                    assert!((found - expected).abs() < tolerance, "{form}: {found}, expected {expected}");
                }
            }
        }
    }

    #[test]
    fn rows_that_are_not_there_are_refused() {
        for (form, layer) in layers() {
            assert!(layer.weighted_rows(90, &[1.0; 7], 1).is_err(), "{form}");
            assert!(layer.weighted_rows(0, &[1.0; 7], 2).is_err(), "{form}");
        }
    }
}
