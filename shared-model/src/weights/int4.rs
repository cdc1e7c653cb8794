//! Weights of four to six bits: about half the download of int8, the same memory and speed once loaded.
//!
//! A block of 32 weights along `in` shares a scale; a weight is one of sixteen to 64 multiples of it. Loading expands the
//! weights to bytes with one scale for each output channel. The rounding error of that is a fraction of the error of
//! the few bits.

use super::StoredTensor;
use super::code_bits::CodeBits;
use super::packing::{self, INT8_PANEL, INT8_QUAD};
use super::scale_search::least_error_scale;
use crate::{Error, Result, lanes};
use half::f16;
use safetensors::Dtype;

/// Weights that share a scale.
pub(crate) const BLOCK: usize = 32;

/// Returns the bits of a stored matrix and its shape `[out, in]`; `None` for other shapes.
///
/// A stored shape with a 0 may have any other number, so products saturate.
pub(crate) fn of_stored(shape: &[usize]) -> Option<(CodeBits, [usize; 2])> {
    let &[panels, groups, INT8_PANEL, group_bytes] = shape else { return None };
    let bits = CodeBits::ALL.into_iter().find(|bits| bits.group_bytes() == group_bytes)?;
    Some((bits, [panels.saturating_mul(INT8_PANEL), groups.saturating_mul(bits.group())]))
}

/// Returns whether a matrix `[n_out, n_in]` can be stored in four to six bits.
pub(crate) fn is_packable(n_out: usize, n_in: usize) -> bool {
    packing::is_packable(n_out, n_in) && n_in.is_multiple_of(BLOCK)
}

/// Stores a matrix `[out, in]` that [`is_packable`]: `codes` of `bits`, `scales` `[out, in / 32]`.
///
/// Returns U8 `[out / 16, in / G, 16, B]`, in which B bytes are G codes, and F16 scales `[out, in / 32]`.
pub(crate) fn store(
    codes: &[i8],
    bits: CodeBits,
    scales: &[f16],
    n_out: usize,
    n_in: usize,
) -> (StoredTensor, StoredTensor) {
    let groups = n_in / bits.group();
    let codes_of = |place: usize| {
        let (channel, group) = (place % INT8_PANEL, place / INT8_PANEL % groups);
        let row = place / (INT8_PANEL * groups) * INT8_PANEL + channel;
        &codes[row * n_in + group * bits.group()..][..bits.group()]
    };
    let bytes: Vec<u8> = (0..n_out * groups).flat_map(|place| bits.join(codes_of(place))).collect();
    let scale_bytes: Vec<u8> = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    let shape = [n_out / INT8_PANEL, groups, INT8_PANEL, bits.group_bytes()];
    (
        StoredTensor::new(Dtype::U8, &shape, bytes.into()),
        StoredTensor::new(Dtype::F16, &[n_out, n_in / BLOCK], scale_bytes.into()),
    )
}

/// Returns the scale of a block with the least squared error, each weight's counted `importance` times.
pub(crate) fn best_scale(weights: &[f32], bits: CodeBits, importance: impl Fn(usize) -> f32) -> f16 {
    let largest =
        weights.iter().fold(0f32, |largest, weight| if weight.abs() > largest.abs() { *weight } else { largest });
    // The largest weight gets the end of the range that reaches further.
    let widest = -largest / bits.n_negative() as f32;
    let stored = |scale| f16::from_f32(scale).to_f32();
    let nearest = |weight, scale| nearest(weight, bits, scale);
    f16::from_f32(least_error_scale(weights, widest, stored, nearest, importance))
}

/// Returns the code of the multiple of `scale` that is nearest.
pub(crate) fn nearest(weight: f32, bits: CodeBits, scale: f32) -> i8 {
    let zero = bits.n_negative() as f32;
    if scale == 0.0 { 0 } else { lanes::round((weight / scale).clamp(-zero, zero - 1.0)) as i8 }
}

/// Returns the scale of a row in bytes, of its blocks' scales: no weight is cut off.
pub(crate) fn row_scale(bits: CodeBits, block_scales: impl Iterator<Item = f32>) -> f32 {
    block_scales.fold(0f32, |largest, scale| largest.max(scale.abs())) * bits.n_negative() as f32 / 127.0
}

/// Returns the byte that a code of a block becomes when it is loaded.
#[inline]
pub(crate) fn byte(code: i8, block_scale: f32, row_scale: f32) -> i8 {
    let step = if row_scale > 0.0 { block_scale / row_scale } else { 0.0 };
    lanes::round(step * f32::from(code)) as i8
}

/// Expands weights to signed bytes in the order of [`packing`], with F32 scales `[out]`.
///
/// # Errors
/// [`Error::Weights`] naming the tensor when its type, shape or length is wrong.
pub(crate) fn expand(name: &str, stored: &StoredTensor, scales: &StoredTensor) -> Result<(Vec<u8>, Vec<f32>)> {
    let fail = |detail: String| Err(Error::Weights { detail: format!("tensor {name}.int4 {detail}") });
    let Some((bits, [n_out, n_in])) = of_stored(&stored.shape) else {
        let expected = "[out / 16, in / 4, 16, 2 or 3] or [out / 16, in / 8, 16, 5]";
        return fail(format!("has shape {:?}, expected {expected}", stored.shape));
    };
    let n_bytes = stored.shape.iter().product::<usize>();
    if stored.dtype != Dtype::U8 || stored.data.len() != n_bytes || n_out == 0 || !is_packable(n_out, n_in) {
        return fail(format!("has type {:?} and {} bytes", stored.dtype, stored.data.len()));
    }
    if scales.shape != [n_out, n_in / BLOCK] {
        return fail(format!("has scales {:?}, expected [{n_out}, {}]", scales.shape, n_in / BLOCK));
    }
    let block_scales: Vec<f32> =
        scales.to_tensor(name)?.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1()?;
    let row_scales: Vec<f32> =
        block_scales.chunks_exact(n_in / BLOCK).map(|row| row_scale(bits, row.iter().copied())).collect();
    let n_blocks = n_in / BLOCK;
    let (groups, quads) = (n_in / bits.group(), n_in / INT8_QUAD);
    let mut bytes = vec![0; n_out * n_in];
    for (place, group) in stored.data.chunks_exact(bits.group_bytes()).enumerate() {
        let (channel, first) = (place % INT8_PANEL, place / INT8_PANEL % groups * bits.group());
        let panel = place / (INT8_PANEL * groups);
        let row = panel * INT8_PANEL + channel;
        let scale = block_scales[row * n_blocks + first / BLOCK];
        for (column, code) in (first..).zip(bits.split(group)) {
            let quad = panel * quads + column / INT8_QUAD;
            let at = (quad * INT8_PANEL + channel) * INT8_QUAD + column % INT8_QUAD;
            bytes[at] = byte(code, scale, row_scales[row]) as u8;
        }
    }
    Ok((bytes, row_scales))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::int8::{Int8Matrix, Rounding};
    use crate::random::randn;
    use candle_core::{Device, Tensor};

    /// Rounds to the nearest codes; returns the codes, the scales and the weights that they mean.
    fn rounded(dense: &[f32], bits: CodeBits) -> (Vec<i8>, Vec<f16>, Vec<f32>) {
        let scales: Vec<f16> = dense.chunks_exact(BLOCK).map(|block| best_scale(block, bits, |_| 1.0)).collect();
        let scale = |at: usize| f32::from(scales[at / BLOCK]);
        let codes: Vec<i8> =
            dense.iter().enumerate().map(|(at, &weight)| nearest(weight, bits, scale(at))).collect();
        let restored = codes.iter().enumerate().map(|(at, &code)| f32::from(code) * scale(at)).collect();
        (codes, scales, restored)
    }

    #[test]
    fn what_is_expanded_is_what_was_packed() {
        let dense = randn(0.0, 1.0, (32, 96));
        for (bits, most) in CodeBits::ALL.into_iter().zip([0.1, 0.05, 0.025]) {
            let (codes, scales, restored) = rounded(&dense.flatten_all().unwrap().to_vec1().unwrap(), bits);
            let restored = Tensor::from_vec(restored, (32, 96), &Device::Cpu).unwrap();
            let (stored, scales) = store(&codes, bits, &scales, 32, 96);
            assert_eq!(stored.data.len() * 8, 32 * 96 * bits.width());
            assert_eq!(of_stored(&stored.shape), Some((bits, [32, 96])));
            let error = |found: &Tensor, wanted: &Tensor| {
                let squares = |x: &Tensor| x.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
                (squares(&(found - wanted).unwrap()) / squares(wanted)).sqrt()
            };
            assert!(error(&restored, &dense) < most, "{bits:?}: {}", error(&restored, &dense));
            let (bytes, row_scales) = expand("w", &stored, &scales).unwrap();
            let bytes = StoredTensor::new(Dtype::I8, &[2, 24, 16, 4], bytes.into());
            let row_scales =
                StoredTensor::from_tensor(&Tensor::from_vec(row_scales, 32, &Device::Cpu).unwrap()).unwrap();
            let expanded = Int8Matrix::from_stored("w", &bytes, &row_scales, Rounding::coarse(32))
                .unwrap()
                .dequantize()
                .unwrap();
            assert!(error(&expanded, &restored) < 0.01, "{bits:?}: {}", error(&expanded, &restored));
        }
    }

    #[test]
    fn zeros_stay_zeros_and_what_does_not_fit_is_refused() {
        for bits in CodeBits::ALL {
            let (codes, scales, restored) = rounded(&[0.0; 16 * 32], bits);
            assert!(restored.iter().all(|&weight| weight == 0.0));
            let (stored, scales) = store(&codes, bits, &scales, 16, 32);
            assert!(expand("w", &stored, &scales).unwrap().0.iter().all(|&byte| byte == 0));
            let short = StoredTensor::new(Dtype::U8, &stored.shape, stored.data.slice(1..));
            assert!(expand("w", &short, &scales).is_err());
            let other = StoredTensor::new(Dtype::F16, &[16, 2], scales.data.clone());
            assert!(expand("w", &stored, &other).is_err());
        }
    }
}
