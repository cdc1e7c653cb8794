//! VNNI of 256 bits: four products and their sum are one instruction, which processors without AVX-512 have as AVX-VNNI,
//! and those with AVX-512 as one of its vector lengths.

use super::load_quad;
use super::ymm::{store_values, weights_of};
use crate::kernels::Values;
use crate::kernels::int8::kernel::{Part, Product};
use crate::weights::packing::INT8_QUAD;
use core::arch::x86_64::{_mm256_dpbusd_avx_epi32, _mm256_dpbusd_epi32, _mm256_set1_epi32, _mm256_setzero_si256};

/// Rows of a tile, whose sums stay in registers beside the operands.
const ROWS: usize = 6;

/// Defines a module with a kernel of this instruction.
macro_rules! kernel {
    ($(#[$about:meta])* $name:ident, $features:literal, $dot:ident) => {
        $(#[$about])*
        pub(super) mod $name {
            use super::*;

            #[target_feature(enable = $features)]
            pub(in super::super) fn multiply(product: Product<'_>, values: &mut [Values]) {
                let n_rows = product.checked_rows(values);
                for (panel, values) in product.panels.iter().zip(values.chunks_mut(product.stride)) {
                    let mut tiles = values[..n_rows].chunks_exact_mut(ROWS);
                    let mut row = 0;
                    // SAFETY: so many rows are there, and the weights are as wide as they are.
                    unsafe {
                        for values in &mut tiles {
                            tile::<ROWS>(product, *panel, row, values);
                            row += ROWS;
                        }
                        let values = tiles.into_remainder();
                        match values.len() {
                            1 => tile::<1>(product, *panel, row, values),
                            2 => tile::<2>(product, *panel, row, values),
                            3 => tile::<3>(product, *panel, row, values),
                            4 => tile::<4>(product, *panel, row, values),
                            5 => tile::<5>(product, *panel, row, values),
                            _ => {}
                        }
                    }
                }
            }

            /// # Safety
            /// There are `R` rows from `row` on, and as many values; the weights are as wide as the rows are.
            #[target_feature(enable = $features)]
            unsafe fn tile<const R: usize>(
                product: Product<'_>,
                panel: Part<'_>,
                row: usize,
                values: &mut [Values],
            ) {
                let width = product.width;
                let levels = &product.levels[row * width..];
                let mut sums = [[_mm256_setzero_si256(); 2]; R];
                for quad in 0..width / INT8_QUAD {
                    // SAFETY: `quad` is within the weights and each row.
                    unsafe {
                        let weights = weights_of(panel.weights.values, quad);
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let levels = _mm256_set1_epi32(load_quad(levels, row * width + quad * INT8_QUAD));
                            *sums = [$dot(sums[0], levels, weights[0]), $dot(sums[1], levels, weights[1])];
                        }
                    }
                }
                // SAFETY: there are as many values and steps as sums.
                unsafe { store_values(product, panel, row, values, sums) };
            }
        }
    };
}

kernel!(
    /// Intel from Alder Lake on, AMD from Zen 5 on.
    avx,
    "avx2,avxvnni",
    _mm256_dpbusd_avx_epi32
);
kernel!(
    /// Never the fastest: the tests run it where there is no AVX-VNNI, since it shares its code with the one above.
    avx512vl,
    "avx2,avx512vnni,avx512vl",
    _mm256_dpbusd_epi32
);
