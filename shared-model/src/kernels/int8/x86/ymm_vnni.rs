//! VNNI of 256 bits: four products and their sum are one instruction, which processors without AVX-512 have as AVX-VNNI,
//! and those with AVX-512 as one of its vector lengths.

use super::levels::load_quad;
use super::ymm::{multiply_by_tiles, store_values, weights_of};
use crate::kernels::Values;
use crate::kernels::int8::kernel::{Part, Product};
use crate::weights::packing::INT8_QUAD;
use core::arch::x86_64::{_mm256_dpbusd_avx_epi32, _mm256_dpbusd_epi32, _mm256_set1_epi32, _mm256_setzero_si256};

/// Defines a module with a kernel of this instruction. The sums of a tile of six rows stay in registers beside the
/// operands.
macro_rules! kernel {
    ($(#[$about:meta])* $name:ident, $features:literal, $dot:ident) => {
        $(#[$about])*
        pub(super) mod $name {
            use super::*;

            #[target_feature(enable = $features)]
            pub(in super::super) fn multiply(product: Product<'_>, values: &mut [Values]) {
                multiply_by_tiles!(product, values, tile, 6, 1 2 3 4 5);
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
