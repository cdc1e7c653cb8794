//! A quantized model as a dense one, to go on from in training.

use super::{StoredTensor, WeightFormat, Weights, int8};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};

impl Weights {
    /// The same weights as f32: matrices of int8 are multiplied by their scales.
    ///
    /// # Errors
    /// [`Error::Weights`] for matrices of another quantized format, and damaged ones.
    pub fn dequantized(&self) -> Result<Self> {
        let mut dense = Self { metadata: self.metadata.clone(), ..Self::default() };
        for (stored_name, stored) in self.tensors.iter().filter(|(name, _)| !WeightFormat::is_part(name)) {
            let (name, tensor) = match WeightFormat::split_suffix(stored_name) {
                None => (stored_name.as_str(), stored.to_tensor(stored_name)?.to_dtype(DType::F32)?),
                Some((name, WeightFormat::Int8)) => (name, self.dequantized_int8(name, stored)?),
                Some((name, format)) => {
                    let detail = format!("{name} is {}, of which no dense weights are made", format.name());
                    return Err(Error::Weights { detail });
                }
            };
            dense.set(name, &tensor)?;
        }
        Ok(dense)
    }

    /// `[out, in]` of a packed matrix, or `[V, D]` of a table of embeddings.
    fn dequantized_int8(&self, name: &str, stored: &StoredTensor) -> Result<Tensor> {
        let (scales, _) = self.scales(name, WeightFormat::Int8)?;
        let &[n_rows, width] = stored.shape.as_slice() else {
            let (packed, scales) = int8::read(name, stored, scales)?;
            let dense = int8::dequantize(&packed, &scales)?;
            let factors = self.column_factors(name, WeightFormat::Int8, dense.dim(1)?)?;
            return Ok(match factors {
                Some(factors) => dense.broadcast_mul(&Tensor::new(factors, &Device::Cpu)?)?,
                None => dense,
            });
        };
        let scales: Vec<f32> = scales.to_tensor(name)?.to_dtype(DType::F32)?.to_vec1()?;
        if stored.data.len() != n_rows.saturating_mul(width) || scales.len() != n_rows || width == 0 {
            return Err(Error::Weights { detail: format!("{name} and its scales do not fit each other") });
        }
        let rows = stored.data.chunks_exact(width).zip(scales);
        let values = rows.flat_map(|(row, scale)| row.iter().map(move |&byte| f32::from(byte as i8) * scale));
        Ok(Tensor::from_vec(values.collect::<Vec<_>>(), (n_rows, width), &Device::Cpu)?)
    }
}
