//! The reference of all other kernels, and the kernel of processors without one.

use super::kernel::{Sums, Weights, checked_rows};
use super::levels::Level;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};

pub(super) fn multiply(levels: &[Level], width: usize, weights: Weights<'_>, sums: &mut [Sums]) {
    checked_rows(levels, width, weights, sums);
    for (levels, sums) in levels.chunks_exact(width).zip(sums) {
        *sums = [0; INT8_PANEL];
        for (levels, weights) in
            levels.chunks_exact(INT8_QUAD).zip(weights.values.chunks_exact(INT8_PANEL * INT8_QUAD))
        {
            for (sum, weights) in sums.iter_mut().zip(weights.chunks_exact(INT8_QUAD)) {
                let products = levels.iter().zip(weights).map(|(&level, &w)| i32::from(level) * i32::from(w));
                *sum += products.sum::<i32>();
            }
        }
    }
}
