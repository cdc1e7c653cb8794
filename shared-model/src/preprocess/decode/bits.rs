//! Samples of less than a byte, packed from the high bit; every row begins at a byte.

/// Unpacks `height` rows of `row_len` samples of `bits` (1, 2, 4 or 8) each; `None` if `packed` is too short.
pub(super) fn unpack(packed: &[u8], row_len: usize, height: usize, bits: u8) -> Option<Vec<u8>> {
    if bits == 8 {
        return packed.get(..row_len * height).map(<[u8]>::to_vec);
    }
    let per_byte = usize::from(8 / bits);
    let row_bytes = row_len.div_ceil(per_byte);
    let mask = u8::MAX >> (8 - bits);
    let mut samples = Vec::with_capacity(row_len * height);
    for row in packed.get(..row_bytes * height)?.chunks_exact(row_bytes) {
        samples.extend((0..row_len).map(|i| {
            let shift = 8 - bits * (i % per_byte + 1) as u8;
            row[i / per_byte] >> shift & mask
        }));
    }
    Some(samples)
}

/// Scales samples of `bits` bits to 0 to 255.
pub(super) fn widen(samples: &mut [u8], bits: u8) {
    let factor = u8::MAX / (u8::MAX >> (8 - bits));
    for sample in samples {
        *sample *= factor;
    }
}

/// Returns the RGB values of palette indices; an index beyond the palette is black.
pub(super) fn look_up(indices: &[u8], palette: &[[u8; 3]]) -> Vec<u8> {
    let color = |&index: &u8| palette.get(usize::from(index)).copied().unwrap_or_default();
    indices.iter().map(color).collect::<Vec<_>>().into_flattened()
}

/// Alpha of pixels that are transparent, or not at all.
pub(super) fn opacity<T>(pixels: &[T], is_transparent: impl Fn(&T) -> bool) -> Vec<u8> {
    pixels.iter().map(|pixel| if is_transparent(pixel) { 0 } else { 255 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_at_a_byte() {
        assert_eq!(unpack(&[0b1010_0000, 0b0100_0000], 3, 2, 1).unwrap(), [1, 0, 1, 0, 1, 0]);
        assert_eq!(unpack(&[0x12, 0x30], 3, 1, 4).unwrap(), [1, 2, 3]);
        assert_eq!(unpack(&[0b00_01_10_11], 4, 1, 2).unwrap(), [0, 1, 2, 3]);
        assert_eq!(unpack(&[0x12], 3, 1, 4), None);
    }

    #[test]
    fn widening_reaches_both_ends() {
        for bits in [1, 2, 4, 8] {
            let mut ends = [0, u8::MAX >> (8 - bits)];
            widen(&mut ends, bits);
            assert_eq!(ends, [0, 255]);
        }
    }
}
