//! int8 matrices: signed bytes in the order of [`packing`](super::packing), with a scale for each output channel.

use super::StoredTensor;
use super::packing::{INT8_PANEL, INT8_QUAD};
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;

/// Returns the bytes of an I8 tensor `[out / 16, in / 4, 16, 4]`, which are not copied, and its scales `[out]`.
///
/// # Errors
/// [`Error::Weights`] naming the tensor when its type, shape or length is wrong.
pub(crate) fn read(name: &str, stored: &StoredTensor, scales: &StoredTensor) -> Result<(Bytes, Vec<f32>)> {
    let fail = |detail: String| Err(Error::Weights { detail: format!("tensor {name}.int8 {detail}") });
    let &[panels, quads, INT8_PANEL, INT8_QUAD] = stored.shape.as_slice() else {
        return fail(format!("has shape {:?}, expected [out / 16, in / 4, 16, 4]", stored.shape));
    };
    let (n_out, n_in) = (panels * INT8_PANEL, quads * INT8_QUAD);
    if stored.dtype != Dtype::I8 || stored.data.len() != n_out * n_in || stored.data.is_empty() {
        return fail(format!("has type {:?} and {} bytes", stored.dtype, stored.data.len()));
    }
    let scales: Vec<f32> = scales.to_tensor(name)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    if scales.len() != n_out {
        return fail(format!("has {} scales, expected {n_out}", scales.len()));
    }
    Ok((stored.data.clone(), scales))
}

/// Returns a packed matrix as f32 `[out, in]`; there is a scale for each of its output channels.
pub(crate) fn dequantize(packed: &[u8], scales: &[f32]) -> Result<Tensor> {
    let (n_out, n_in) = (scales.len(), packed.len() / scales.len());
    let mut dense = vec![0f32; n_out * n_in];
    for (panel, bytes) in packed.chunks_exact(n_in * INT8_PANEL).enumerate() {
        for (index, &byte) in bytes.iter().enumerate() {
            let (quad, channel, step) =
                (index / (INT8_PANEL * INT8_QUAD), index / INT8_QUAD % INT8_PANEL, index % INT8_QUAD);
            let row = panel * INT8_PANEL + channel;
            dense[row * n_in + quad * INT8_QUAD + step] = f32::from(byte as i8) * scales[row];
        }
    }
    Ok(Tensor::from_vec(dense, (n_out, n_in), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::packing::pack;

    #[test]
    fn a_packed_matrix_is_unpacked() {
        let values: Vec<i8> = (0..32 * 8).map(|value| (value % 251) as u8 as i8).collect();
        let packed: Vec<u8> = pack(&values, 32, 8).into_iter().map(|value| value as u8).collect();
        let scales: Vec<f32> = (1..=32).map(|scale| scale as f32).collect();
        let dense = dequantize(&packed, &scales).unwrap().to_vec2::<f32>().unwrap();
        for (place, &value) in values.iter().enumerate() {
            let (row, column) = (place / 8, place % 8);
            assert_eq!(dense[row][column], f32::from(value) * scales[row]);
        }
    }

    #[test]
    fn a_matrix_of_another_type_shape_or_length_is_refused() {
        let scales =
            |n: usize| StoredTensor::from_tensor(&Tensor::ones(n, DType::F32, &Device::Cpu).unwrap()).unwrap();
        let stored = |dtype: Dtype, shape: &[usize], n_bytes: usize| {
            StoredTensor::new(dtype, shape, vec![1u8; n_bytes].into())
        };
        let good = stored(Dtype::I8, &[1, 2, 16, 4], 128);
        let (bytes, ones) = read("w", &good, &scales(16)).unwrap();
        assert_eq!((bytes.len(), ones), (128, vec![1.0; 16]));
        for (wrong, n_scales) in [
            (stored(Dtype::U8, &[1, 2, 16, 4], 128), 16),
            (stored(Dtype::I8, &[16, 8], 128), 16),
            (stored(Dtype::I8, &[1, 2, 16, 4], 127), 16),
            (stored(Dtype::I8, &[0, 2, 16, 4], 0), 16),
            (good, 15),
        ] {
            let message = read("w", &wrong, &scales(n_scales)).unwrap_err().to_string();
            assert!(message.contains("tensor w.int8 has"), "{message}");
        }
    }
}
