//! Scales samples of more than 8 bits to 8, for photos of users.
//!
//! Integers are scaled from 8, 10, 12 or 16 bits, the smallest depth that holds the largest of them. Microscopes and
//! exports from DICOM leave the upper bits of 16 empty: scaled from 16 bits, such a picture would be nearly black.

/// Scales unsigned integers from the smallest usual depth that holds them all.
pub(super) fn from_integers<T: Copy + Into<u64>>(samples: &[T]) -> Vec<u8> {
    let largest: u64 = samples.iter().copied().map(Into::into).max().unwrap_or(0);
    let used_bits = u64::BITS - largest.leading_zeros();
    let depth = [8, 10, 12, 16, 32].into_iter().find(|&depth| used_bits <= depth).unwrap_or(u64::BITS);
    let scaled = |&sample: &T| {
        let sample: u64 = sample.into();
        (sample >> (depth - 8)) as u8
    };
    samples.iter().map(scaled).collect()
}

/// Scales signed integers; negative ones are black.
pub(super) fn from_signed<T: Copy + Into<i64>>(samples: &[T]) -> Vec<u8> {
    let positive = |&sample: &T| {
        let sample: i64 = sample.into();
        sample.max(0) as u64
    };
    from_integers(&samples.iter().map(positive).collect::<Vec<_>>())
}

/// Scales floats from 1, or from 255 or 65535 or the largest value if there are larger ones. NaN is black.
pub(super) fn from_floats<T: Copy + Into<f64>>(samples: &[T]) -> Vec<u8> {
    let finite = samples.iter().copied().map(Into::into).filter(|sample: &f64| sample.is_finite());
    let largest = finite.fold(0.0, f64::max);
    let white = [1.0, 255.0, 65_535.0].into_iter().find(|&white| largest <= white).unwrap_or(largest);
    let scaled = |&sample: &T| {
        let sample: f64 = sample.into();
        (sample / white * 255.0).round() as u8
    };
    samples.iter().map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_scaled_by_their_depth() {
        assert_eq!(from_integers(&[0u16, 0x80ff, 0xffff]), [0, 0x80, 255]);
        assert_eq!(from_integers(&[0u16, 0x0800, 0x0fff]), [0, 0x80, 255]);
        assert_eq!(from_integers(&[0u16, 0x0200, 0x03ff]), [0, 0x80, 255]);
        assert_eq!(from_integers(&[0u16, 7, 255]), [0, 7, 255]);
        assert_eq!(from_integers(&[0u32, 1 << 31, u32::MAX]), [0, 0x80, 255]);
        assert_eq!(from_integers(&[0u64, 1 << 63, u64::MAX]), [0, 0x80, 255]);
        assert_eq!(from_signed(&[-5i32, 0, 0x8000, 0xffff]), [0, 0, 0x80, 255]);
        assert!(from_integers::<u16>(&[]).is_empty());
    }

    #[test]
    fn fractions_are_scaled_by_their_white() {
        assert_eq!(from_floats(&[-1.0f32, 0.0, 0.5, 1.0, f32::NAN]), [0, 0, 128, 255, 0]);
        assert_eq!(from_floats(&[0.0f64, 128.0, 255.0]), [0, 128, 255]);
        assert_eq!(from_floats(&[0.0f32, 32_896.0, 65_535.0]), [0, 128, 255]);
        assert_eq!(from_floats(&[0.0f32, 5e5, 1e6]), [0, 128, 255]);
        assert_eq!(from_floats(&[f32::INFINITY, 1.0]), [255, 255]);
    }
}
