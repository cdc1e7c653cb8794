//! Checks that values are finite: one NaN or infinity in a weight makes every answer meaningless.

use crate::{Error, Result, parallel};
use candle_core::{DType, Device, Tensor};
use half::{bf16, f16};

/// Bytes that one task checks.
const CHUNK_BYTES: usize = 1 << 20;

/// Checks floats in little-endian bytes. `what` names them in the error.
///
/// # Errors
/// [`Error::NotFinite`] with the number of bad values. An f64 beyond the range of f32 counts as one.
pub(crate) fn check_bytes(what: &dyn Fn() -> String, bytes: &[u8], dtype: DType) -> Result<()> {
    let n_tasks = bytes.len().div_ceil(CHUNK_BYTES);
    let chunk = |task: usize| &bytes[task * CHUNK_BYTES..bytes.len().min((task + 1) * CHUNK_BYTES)];
    let n_bad = parallel::map_tasks(n_tasks, |task| count_bad(chunk(task), dtype)).into_iter().sum();
    report(what, n_bad, bytes.len() / dtype.size_in_bytes())
}

/// Checks features before normalization to unit length. Their squares must be finite, too.
///
/// # Errors
/// [`Error::NotFinite`] with the number of bad values.
pub(crate) fn check_features(what: &'static str, features: &Tensor) -> Result<()> {
    let values = features.to_dtype(DType::F32)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
    let n_bad = values.iter().filter(|&&value| !(value * value).is_finite()).count();
    report(&|| what.into(), n_bad, values.len())
}

fn report(what: &dyn Fn() -> String, n_bad: usize, n_values: usize) -> Result<()> {
    if n_bad == 0 { Ok(()) } else { Err(Error::NotFinite { what: what(), n_bad, n_values }) }
}

fn count_bad(bytes: &[u8], dtype: DType) -> usize {
    match dtype {
        DType::F32 => count(bytes, |bytes| u32::from_le_bytes(bytes) & 0x7f80_0000 == 0x7f80_0000),
        DType::F16 => count(bytes, |bytes| !f16::from_le_bytes(bytes).is_finite()),
        DType::BF16 => count(bytes, |bytes| !bf16::from_le_bytes(bytes).is_finite()),
        DType::F64 => count(bytes, |bytes| !(f64::from_le_bytes(bytes) as f32).is_finite()),
        _ => 0,
    }
}

fn count<const N: usize>(bytes: &[u8], is_bad: impl Fn([u8; N]) -> bool) -> usize {
    let (values, _) = bytes.as_chunks::<N>();
    values.iter().map(|&value| u32::from(is_bad(value))).sum::<u32>() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_bad(bytes: Vec<u8>, dtype: DType) -> usize {
        match check_bytes(&|| "tensor w".into(), &bytes, dtype) {
            Ok(()) => 0,
            Err(Error::NotFinite { n_bad, .. }) => n_bad,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_float_type_is_checked_over_all_chunks() {
        let singles = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(n_bad(singles(&[0.0, -0.0, f32::MAX, f32::MIN, 1e-45]), DType::F32), 0);
        let mut many = vec![1.0; 700_000];
        (many[3], many[699_999], many[300_000]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
        assert_eq!(n_bad(singles(&many), DType::F32), 3);
        let halves = [f16::MAX, f16::NAN, f16::INFINITY].into_iter().flat_map(f16::to_le_bytes).collect();
        assert_eq!(n_bad(halves, DType::F16), 2);
        let halves = [bf16::MAX, bf16::NAN, bf16::NEG_INFINITY].into_iter().flat_map(bf16::to_le_bytes).collect();
        assert_eq!(n_bad(halves, DType::BF16), 2);
        let doubles = [1.0f64, 1e300, f64::NAN].into_iter().flat_map(f64::to_le_bytes).collect();
        assert_eq!(n_bad(doubles, DType::F64), 2);
    }
}
