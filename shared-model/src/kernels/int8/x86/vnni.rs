//! AVX-512-VNNI: a panel is one register, and four products and their sum are one instruction.

use super::levels::load_quad;
use crate::kernels::Values;
use crate::kernels::int8::kernel::{Part, Product};
use crate::kernels::int8::rounding::Step;
use crate::weights::packing::{INT8_QUAD, QUAD_BYTES};
use core::arch::x86_64::{
    __m512i, _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512, _mm512_storeu_ps, _mm512_sub_ps,
};

/// Rows of a tile, whose sums of [`MOST_PANELS`](crate::kernels::MOST_PANELS) panels stay in registers.
const ROWS: usize = 8;

#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn multiply(product: Product<'_>, values: &mut [Values]) {
    let n_rows = product.checked_rows(values);
    for row in (0..n_rows).step_by(ROWS) {
        let values = &mut values[row..];
        // SAFETY: so many rows are there, and the weights of the panels are as wide as they are.
        unsafe {
            match product.panels.len() {
                3 => rows_from::<3>(product, row, n_rows, values),
                2 => rows_from::<2>(product, row, n_rows, values),
                _ => rows_from::<1>(product, row, n_rows, values),
            }
        }
    }
}

/// Computes the tile of the rows from `row` on.
///
/// # Safety
/// `product` is one of `P` panels with `n_rows` rows, which are more than `row`; `values` begin at `row`.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn rows_from<const P: usize>(product: Product<'_>, row: usize, n_rows: usize, values: &mut [Values]) {
    // SAFETY: as the caller promised.
    unsafe {
        match n_rows - row {
            1 => tile::<1, P>(product, row, values),
            2 => tile::<2, P>(product, row, values),
            3 => tile::<3, P>(product, row, values),
            4 => tile::<4, P>(product, row, values),
            5 => tile::<5, P>(product, row, values),
            6 => tile::<6, P>(product, row, values),
            7 => tile::<7, P>(product, row, values),
            _ => tile::<ROWS, P>(product, row, values),
        }
    }
}

/// # Safety
/// There are `R` rows from `row` on, `P` panels whose weights are as wide as the rows are, and values from `row` on for
/// both.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn tile<const R: usize, const P: usize>(product: Product<'_>, row: usize, values: &mut [Values]) {
    let Product { width, stride, is_first, is_last, .. } = product;
    let panels: [Part<'_>; P] = std::array::from_fn(|at| product.panels[at]);
    let levels = &product.levels[row * width..];
    let mut sums = [[_mm512_setzero_si512(); P]; R];
    for quad in 0..width / INT8_QUAD {
        // SAFETY: `quad` is within the weights.
        let weights: [__m512i; P] = std::array::from_fn(|at| unsafe {
            _mm512_loadu_si512(panels[at].weights.values.as_ptr().add(quad * QUAD_BYTES).cast())
        });
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row` is one of `R`, and `quad` within it.
            let levels = _mm512_set1_epi32(unsafe { load_quad(levels, row * width + quad * INT8_QUAD) });
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpbusd_epi32(*sum, levels, weights);
            }
        }
    }
    // SAFETY: a row has sixteen values, and so has what belongs to the channels of a panel.
    let of = |values: &Values| unsafe { _mm512_loadu_ps(values.as_ptr()) };
    for (at, Part { weight_sums, channels, .. }) in panels.into_iter().enumerate() {
        let values = &mut values[at * stride..][..R];
        let (weight_sums, [scales, bias]) = (of(weight_sums), channels.map(of));
        for ((values, sums), &Step { scale, offset }) in values.iter_mut().zip(sums).zip(&product.steps[row..]) {
            let zero = _mm512_mul_ps(_mm512_set1_ps(offset), weight_sums);
            let own = _mm512_sub_ps(_mm512_mul_ps(_mm512_set1_ps(scale), _mm512_cvtepi32_ps(sums[at])), zero);
            let mut value = if is_first { own } else { _mm512_add_ps(of(values), own) };
            if is_last {
                value = _mm512_add_ps(_mm512_mul_ps(value, scales), bias);
            }
            // SAFETY: as above.
            unsafe { _mm512_storeu_ps(values.as_mut_ptr(), value) };
        }
    }
}
