//! A quantized model as a dense one, to go on from in training.

use super::packing::{INT8_PANEL, INT8_QUAD};
use super::{StoredTensor, WeightFormat, Weights};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};

impl Weights {
    /// The same weights as f32: matrices of int8 are multiplied by their scales.
    ///
    /// # Errors
    /// [`Error::Weights`] for matrices of another quantized format, and damaged ones.
    pub fn dequantized(&self) -> Result<Self> {
        let mut dense = Self { metadata: self.metadata.clone(), ..Self::default() };
        for (stored_name, stored) in self.tensors.iter().filter(|(name, _)| !WeightFormat::is_scale(name)) {
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
        let scale_name = format!("{name}{}", WeightFormat::Int8.scale_suffix());
        let scales: Vec<f32> = self.stored(&scale_name)?.to_tensor(&scale_name)?.to_dtype(DType::F32)?.to_vec1()?;
        let shape = WeightFormat::Int8.logical_shape(&stored.shape);
        let damaged = || Error::Weights { detail: format!("{name} and its scales do not fit each other") };
        let &[n_out, n_in] = shape.as_slice() else { return Err(damaged()) };
        if stored.data.len() != n_out.saturating_mul(n_in) || scales.len() != n_out || n_in == 0 {
            return Err(damaged());
        }
        let is_packed = stored.shape.len() == 4;
        let mut values = vec![0f32; n_out * n_in];
        for (place, &byte) in stored.data.iter().enumerate() {
            let [row, column] = if is_packed { packed_place(place, n_in) } else { [place / n_in, place % n_in] };
            values[row * n_in + column] = f32::from(byte as i8) * scales[row];
        }
        Ok(Tensor::from_vec(values, (n_out, n_in), &Device::Cpu)?)
    }
}

/// Row and column of a place in the packed order.
fn packed_place(place: usize, n_in: usize) -> [usize; 2] {
    let (step, rest) = (place % INT8_QUAD, place / INT8_QUAD);
    let (channel, rest) = (rest % INT8_PANEL, rest / INT8_PANEL);
    let (quad, panel) = (rest % (n_in / INT8_QUAD), rest / (n_in / INT8_QUAD));
    [panel * INT8_PANEL + channel, quad * INT8_QUAD + step]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::packing::pack;

    #[test]
    fn a_packed_matrix_is_unpacked() {
        let values: Vec<i8> = (0..32 * 8).map(|value| (value % 251) as u8 as i8).collect();
        let packed = pack(&values, 32, 8);
        for (place, &value) in packed.iter().enumerate() {
            let [row, column] = packed_place(place, 8);
            assert_eq!(value, values[row * 8 + column]);
        }
    }
}
