//! Which products fit 16 bits even when two pairs of them are added: those are widened half as often.

use super::levels::{BLOCK_WIDTH, LARGEST_LEVEL};
use crate::weights::packing::{INT8_QUAD, QUAD_BYTES};

/// Largest sum of weights of one sign that, times the largest level, fits 16 bits.
const LARGEST_SUM: i32 = i16::MAX as i32 / LARGEST_LEVEL as i32;

/// One bit for every two quads of a block of a panel: whether in every channel the products of the first (or last) two
/// steps of both quads can be added in 16 bits, for any levels.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fitting(u32);

impl Fitting {
    /// Examines a block `[width / 4][16][4]` of signed bytes.
    pub(super) fn of(block: &[u8]) -> Self {
        let two_quads = block.chunks_exact(2 * QUAD_BYTES);
        assert!(two_quads.len() <= BLOCK_WIDTH / (2 * INT8_QUAD), "a block of {} bytes", block.len());
        Self(two_quads.enumerate().fold(0, |bits, (at, quads)| bits | u32::from(fits(quads)) << at))
    }

    /// Returns the bit of the quads `2 * at` and `2 * at + 1`.
    #[inline(always)]
    pub(super) fn at(self, at: usize) -> bool {
        self.0 >> at & 1 == 1
    }
}

fn fits(two_quads: &[u8]) -> bool {
    let (first, second) = two_quads.split_at(QUAD_BYTES);
    let (mut most, mut least) = (0, 0);
    for (first, second) in first.chunks_exact(2).zip(second.chunks_exact(2)) {
        let weights = [first[0], first[1], second[0], second[1]].map(|byte| i32::from(byte as i8));
        most = most.max(weights.iter().map(|weight| weight.max(&0)).sum());
        least = least.min(weights.iter().map(|weight| weight.min(&0)).sum());
    }
    most <= LARGEST_SUM && least >= -LARGEST_SUM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fit_up_to_what_sixteen_bits_hold() {
        let block = |weights: [i8; 4]| {
            let mut block = [0u8; 2 * QUAD_BYTES];
            let at = QUAD_BYTES - 2; // the last two steps of the last channel
            let weights = weights.map(|weight| weight as u8);
            block[at..at + 2].copy_from_slice(&weights[..2]);
            block[at + QUAD_BYTES..].copy_from_slice(&weights[2..]);
            Fitting::of(&block).at(0)
        };
        assert!(127 * LARGEST_SUM <= i32::from(i16::MAX) && 127 * (LARGEST_SUM + 1) > i32::from(i16::MAX));
        assert!(block([127, 127, 4, 0]) && !block([127, 127, 4, 1]));
        assert!(block([-127, 0, -127, -4]) && !block([-127, -1, -127, -4]));
        assert!(block([127, 127, -127, -127]), "of two signs they cannot add up");
    }
}
