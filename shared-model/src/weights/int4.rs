//! Four-bit weights: half the download of int8, the same memory and speed once loaded.
//!
//! A block of 32 weights along `in` shares a scale; a weight is one of sixteen multiples of it. Loading expands the
//! weights to bytes with one scale for each output channel. The rounding error of that is a fraction of the error of
//! four bits.

use super::StoredTensor;
use super::packing::{self, INT8_PANEL, INT8_QUAD};
use crate::{Error, Result, lanes};
use half::f16;
use safetensors::Dtype;

/// Weights that share a scale.
pub(crate) const BLOCK: usize = 32;
/// Bytes of four weights.
pub(super) const QUAD_BYTES: usize = INT8_QUAD / 2;
/// The nibble of zero. A nibble minus this is -8 to 7.
const ZERO: i32 = 8;
/// Scales that are tried for a block, as fractions of the scale for its largest weight.
const TRIED: usize = 16;

/// Returns whether a matrix `[n_out, n_in]` can be stored in four bits.
pub(crate) fn is_packable(n_out: usize, n_in: usize) -> bool {
    packing::is_packable(n_out, n_in) && n_in.is_multiple_of(BLOCK)
}

/// Stores a matrix `[out, in]` that [`is_packable`]: `codes` are -8 to 7, `scales` `[out, in / 32]`.
///
/// Returns U8 `[out / 16, in / 4, 16, 2]` and F16 scales `[out, in / 32]`.
pub(crate) fn store(codes: &[i8], scales: &[f16], n_out: usize, n_in: usize) -> (StoredTensor, StoredTensor) {
    let packed = packing::pack(codes, n_out, n_in);
    let nibble = |code: i8| (i32::from(code) + ZERO) as u8;
    let bytes: Vec<u8> =
        packed.as_chunks::<2>().0.iter().map(|&[low, high]| nibble(low) | nibble(high) << 4).collect();
    let scale_bytes: Vec<u8> = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    let shape = [n_out / INT8_PANEL, n_in / INT8_QUAD, INT8_PANEL, QUAD_BYTES];
    (
        StoredTensor::new(Dtype::U8, &shape, bytes.into()),
        StoredTensor::new(Dtype::F16, &[n_out, n_in / BLOCK], scale_bytes.into()),
    )
}

/// Returns the scale of a block with the least squared error, each weight's counted `importance` times.
pub(crate) fn best_scale(weights: &[f32], importance: impl Fn(usize) -> f32) -> f16 {
    let largest =
        weights.iter().fold(0f32, |largest, weight| if weight.abs() > largest.abs() { *weight } else { largest });
    // The largest weight gets the end of the range that reaches further.
    let widest = -largest / ZERO as f32;
    let error = |scale: f16| -> f32 {
        let scale = f32::from(scale);
        let of = |weight: f32| weight - scale * f32::from(nearest(weight, scale));
        weights.iter().enumerate().map(|(at, &weight)| importance(at) * of(weight) * of(weight)).sum()
    };
    let tried = (0..TRIED).map(|step| f16::from_f32(widest * (1.0 - step as f32 / (2 * TRIED) as f32)));
    let tried = tried.map(|scale| (scale, error(scale)));
    tried.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(f16::ZERO, |(scale, _)| scale)
}

/// Returns the code of the multiple of `scale` that is nearest, -8 to 7.
pub(crate) fn nearest(weight: f32, scale: f32) -> i8 {
    if scale == 0.0 { 0 } else { lanes::round((weight / scale).clamp(-ZERO as f32, (ZERO - 1) as f32)) as i8 }
}

/// Returns the scale of a row in bytes, of its blocks' scales: no weight is cut off.
pub(crate) fn row_scale(block_scales: impl Iterator<Item = f32>) -> f32 {
    block_scales.fold(0f32, |largest, scale| largest.max(scale.abs())) * ZERO as f32 / 127.0
}

/// Returns the byte that a code of a block becomes when it is loaded.
#[inline]
pub(crate) fn byte(code: i8, block_scale: f32, row_scale: f32) -> i8 {
    let step = if row_scale > 0.0 { block_scale / row_scale } else { 0.0 };
    lanes::round(step * f32::from(code)) as i8
}

/// Expands four-bit weights to signed bytes in the order of [`packing`], with F32 scales `[out]`.
///
/// # Errors
/// [`Error::Weights`] naming the tensor when its type, shape or length is wrong.
pub(crate) fn expand(name: &str, stored: &StoredTensor, scales: &StoredTensor) -> Result<(Vec<u8>, Vec<f32>)> {
    let fail = |detail: String| Err(Error::Weights { detail: format!("tensor {name}.int4 {detail}") });
    let &[panels, quads, INT8_PANEL, QUAD_BYTES] = stored.shape.as_slice() else {
        return fail(format!("has shape {:?}, expected [out / 16, in / 4, 16, 2]", stored.shape));
    };
    let (n_out, n_in) = (panels * INT8_PANEL, quads * INT8_QUAD);
    if stored.dtype != Dtype::U8 || stored.data.len() * 2 != n_out * n_in || n_out == 0 || !is_packable(n_out, n_in)
    {
        return fail(format!("has type {:?} and {} bytes", stored.dtype, stored.data.len()));
    }
    if scales.shape != [n_out, n_in / BLOCK] {
        return fail(format!("has scales {:?}, expected [{n_out}, {}]", scales.shape, n_in / BLOCK));
    }
    let block_scales: Vec<f32> =
        scales.to_tensor(name)?.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1()?;
    let row_scales: Vec<f32> =
        block_scales.chunks_exact(n_in / BLOCK).map(|row| row_scale(row.iter().copied())).collect();
    let mut bytes = Vec::with_capacity(n_out * n_in);
    for (place, &[low, high]) in stored.data.as_chunks::<QUAD_BYTES>().0.iter().enumerate() {
        let (channel, quad) = (place % INT8_PANEL, place / INT8_PANEL % quads);
        let row = place / (INT8_PANEL * quads) * INT8_PANEL + channel;
        let scale = block_scales[row * (n_in / BLOCK) + quad * INT8_QUAD / BLOCK];
        for nibble in [low & 15, low >> 4, high & 15, high >> 4] {
            bytes.push(byte((i32::from(nibble) - ZERO) as i8, scale, row_scales[row]) as u8);
        }
    }
    Ok((bytes, row_scales))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::int8::{Int8Matrix, Rounding};
    use candle_core::{Device, Tensor};

    /// Rounds to the nearest codes; returns the codes, the scales and the weights that they mean.
    fn rounded(dense: &[f32]) -> (Vec<i8>, Vec<f16>, Vec<f32>) {
        let scales: Vec<f16> = dense.chunks_exact(BLOCK).map(|block| best_scale(block, |_| 1.0)).collect();
        let scale = |at: usize| f32::from(scales[at / BLOCK]);
        let codes: Vec<i8> = dense.iter().enumerate().map(|(at, &weight)| nearest(weight, scale(at))).collect();
        let restored = codes.iter().enumerate().map(|(at, &code)| f32::from(code) * scale(at)).collect();
        (codes, scales, restored)
    }

    #[test]
    fn what_is_expanded_is_what_was_packed() {
        let dense = Tensor::randn(0f32, 1.0, (32, 96), &Device::Cpu).unwrap();
        let (codes, scales, restored) = rounded(&dense.flatten_all().unwrap().to_vec1().unwrap());
        let restored = Tensor::from_vec(restored, (32, 96), &Device::Cpu).unwrap();
        let (stored, scales) = store(&codes, &scales, 32, 96);
        assert_eq!(stored.data.len() * 2, 32 * 96);
        let error = |found: &Tensor, wanted: &Tensor| {
            let squares = |x: &Tensor| x.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            (squares(&(found - wanted).unwrap()) / squares(wanted)).sqrt()
        };
        assert!(error(&restored, &dense) < 0.1);
        let (bytes, row_scales) = expand("w", &stored, &scales).unwrap();
        let bytes = StoredTensor::new(Dtype::I8, &[2, 24, 16, 4], bytes.into());
        let row_scales =
            StoredTensor::from_tensor(&Tensor::from_vec(row_scales, 32, &Device::Cpu).unwrap()).unwrap();
        let expanded =
            Int8Matrix::from_stored("w", &bytes, &row_scales, Rounding::coarse(32)).unwrap().dequantize().unwrap();
        assert!(error(&expanded, &restored) < 0.01, "{}", error(&expanded, &restored));
    }

    #[test]
    fn zeros_stay_zeros_and_what_does_not_fit_is_refused() {
        let (codes, scales, restored) = rounded(&[0.0; 16 * 32]);
        assert!(restored.iter().all(|&weight| weight == 0.0));
        let (stored, scales) = store(&codes, &scales, 16, 32);
        assert!(expand("w", &stored, &scales).unwrap().0.iter().all(|&byte| byte == 0));
        let short = StoredTensor::new(Dtype::U8, &stored.shape, stored.data.slice(1..));
        assert!(expand("w", &short, &scales).is_err());
        let other = StoredTensor::new(Dtype::F16, &[16, 2], scales.data.clone());
        assert!(expand("w", &stored, &other).is_err());
    }
}
