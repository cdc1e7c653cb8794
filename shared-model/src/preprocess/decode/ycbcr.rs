//! YCbCr as JPEG defines it.

/// Converts a YCbCr pixel to RGB, with 16 fractional bits (ITU-T T.871).
pub(super) fn rgb_from_ycbcr([luma, blue, red]: [u8; 3]) -> [u8; 3] {
    let [y, cb, cr] = [luma, blue, red].map(i32::from);
    let (cb, cr) = (cb - 128, cr - 128);
    let rounded = |fixed: i32| (fixed + (1 << 15)) >> 16;
    let rgb = [y + rounded(91_881 * cr), y + rounded(-22_554 * cb - 46_802 * cr), y + rounded(116_130 * cb)];
    rgb.map(|value| value.clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gray_stays_and_primaries_come_out() {
        assert_eq!(rgb_from_ycbcr([77, 128, 128]), [77, 77, 77]);
        assert_eq!(rgb_from_ycbcr([76, 85, 255]), [254, 0, 0]);
        assert_eq!(rgb_from_ycbcr([29, 255, 107]), [0, 0, 254]);
    }
}
