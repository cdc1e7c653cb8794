//! The number formats that a device stores activations and the copies of weights in.

use anyhow::{Result, bail};
use candle_core::{DType, Tensor};
use half::{bf16, f16};
use rayon::prelude::*;

/// What stored values are rounded to. Sums, statistics and the gradients of parameters are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// f32, as computed.
    #[default]
    None,
    Bf16,
    /// Values beyond 65,504 become infinite.
    F16,
}

impl Rounding {
    /// The rounding of a placement's type.
    ///
    /// # Errors
    /// For another type than f32, bf16 and f16.
    pub fn of(dtype: DType) -> Result<Self> {
        match dtype {
            DType::F32 => Ok(Self::None),
            DType::BF16 => Ok(Self::Bf16),
            DType::F16 => Ok(Self::F16),
            other => bail!("weights of type {other:?}, expected f32, bf16 or f16"),
        }
    }

    /// A value as it is stored: the nearest one of the format, the even one of two.
    pub fn of_value(self, value: f32) -> f32 {
        match self {
            Self::None => value,
            Self::Bf16 => bf16::from_f32(value).to_f32(),
            Self::F16 => f16::from_f32(value).to_f32(),
        }
    }

    /// The values as they are stored.
    pub(crate) fn of_values(self, mut values: Vec<f32>) -> Vec<f32> {
        let mut round = |to: fn(f32) -> f32| values.par_iter_mut().for_each(|value| *value = to(*value));
        match self {
            Self::None => {}
            Self::Bf16 => round(|value| Self::Bf16.of_value(value)),
            Self::F16 => round(|value| Self::F16.of_value(value)),
        }
        values
    }

    /// A copy of f32 weights in this format, or none for f32; on the CPU, in f32 with the values of the format.
    ///
    /// # Errors
    /// When the device has no memory for it.
    pub fn copy_of(self, masters: &Tensor) -> Result<Option<Tensor>> {
        let copy = match self {
            Self::None => return Ok(None),
            Self::Bf16 => masters.to_dtype(DType::BF16)?,
            Self::F16 => masters.to_dtype(DType::F16)?,
        };
        Ok(Some(if masters.device().is_cpu() { copy.to_dtype(DType::F32)? } else { copy }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_as_ieee_754_says() {
        // 1 + 2^-8 in bf16 and 1 + 2^-11 in f16 lie in the middle of two neighbors, of which the even one is taken.
        for (rounding, value, expected) in [
            (Rounding::None, 1.0 + 2f32.powi(-20), 1.0 + 2f32.powi(-20)),
            (Rounding::Bf16, 1.0 + 2f32.powi(-8), 1.0),
            (Rounding::Bf16, 1.0 + 3.0 * 2f32.powi(-8), 1.0 + 2f32.powi(-6)),
            (Rounding::Bf16, 1e-30, bf16::from_f32(1e-30).to_f32()),
            (Rounding::F16, 1.0 + 2f32.powi(-11), 1.0),
            (Rounding::F16, 1.0 + 3.0 * 2f32.powi(-11), 1.0 + 2f32.powi(-9)),
            // The least value above 0 is 2^-24; half of it is rounded to the even 0.
            (Rounding::F16, 2f32.powi(-24), 2f32.powi(-24)),
            (Rounding::F16, 2f32.powi(-25), 0.0),
            (Rounding::F16, 65_519.0, 65_504.0),
            (Rounding::F16, 65_520.0, f32::INFINITY),
            (Rounding::F16, -1e6, f32::NEG_INFINITY),
        ] {
            assert_eq!(rounding.of_value(value), expected, "{rounding:?} {value}");
            assert_eq!(rounding.of_values(vec![value]), [expected], "{rounding:?} {value}");
            let masters = Tensor::new(&[value], &candle_core::Device::Cpu).unwrap();
            let copy = rounding.copy_of(&masters).unwrap().map(|copy| copy.to_vec1::<f32>().unwrap());
            assert_eq!(copy, (rounding != Rounding::None).then(|| vec![expected]));
        }
    }
}
