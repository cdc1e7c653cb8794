//! x86-64: the sixteen channels of a panel for four steps of `k` are two registers of 256 bits or one of 512. Sums become
//! values before they leave the registers.

use super::activations::Step;
use super::kernel::{PanelKernel, Part, Product};
use crate::kernels::Values;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};
use core::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256, _mm256_storeu_ps, _mm256_sub_ps, _mm512_add_ps,
    _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_si512, _mm512_storeu_ps, _mm512_sub_ps,
};

const QUAD_BYTES: usize = INT8_PANEL * INT8_QUAD;

/// Returns the kernels of this file that the processor runs, fastest first.
pub(super) fn available() -> impl Iterator<Item = PanelKernel> {
    let has_vnni = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
    // SAFETY: the features that each function needs were just detected.
    let vnni = PanelKernel::Values(|product, values| unsafe { vnni(product, values) });
    // SAFETY: as above.
    let avx2 = PanelKernel::Values(|product, values| unsafe { avx2(product, values) });
    let candidates = [(has_vnni, vnni), (is_x86_feature_detected!("avx2"), avx2)];
    candidates.into_iter().filter(|(is_available, _)| *is_available).map(|(_, kernel)| kernel)
}

#[target_feature(enable = "avx2")]
fn avx2(product: Product<'_>, values: &mut [Values]) {
    const ROWS: usize = 4;
    let n_rows = product.checked_rows(values);
    for (panel, values) in product.panels.iter().zip(values.chunks_mut(product.stride)) {
        let mut tiles = values[..n_rows].chunks_exact_mut(ROWS);
        let mut row = 0;
        // SAFETY: so many rows are there, and the weights are as wide as they are.
        unsafe {
            for values in &mut tiles {
                avx2_tile::<ROWS>(product, *panel, row, values);
                row += ROWS;
            }
            let values = tiles.into_remainder();
            match values.len() {
                1 => avx2_tile::<1>(product, *panel, row, values),
                2 => avx2_tile::<2>(product, *panel, row, values),
                3 => avx2_tile::<3>(product, *panel, row, values),
                _ => {}
            }
        }
    }
}

/// # Safety
/// There are `R` rows from `row` on, and as many values; the weights are as wide as the rows are.
#[target_feature(enable = "avx2")]
unsafe fn avx2_tile<const R: usize>(product: Product<'_>, panel: Part<'_>, row: usize, values: &mut [Values]) {
    let Product { width, is_first, is_last, .. } = product;
    let Part { weights, weight_sums, channels } = panel;
    let levels = &product.levels[row * width..];
    let n_quads = width / INT8_QUAD;
    let mut tile = [[_mm256_setzero_si256(); 2]; R];
    for at in 0..n_quads / 2 {
        let first = 2 * at;
        // SAFETY: both quads are within the rows and the weights.
        unsafe {
            if weights.fitting.at(at) {
                avx2_quads::<2, R>(levels, width, weights.values, first, &mut tile);
            } else {
                avx2_quads::<1, R>(levels, width, weights.values, first, &mut tile);
                avx2_quads::<1, R>(levels, width, weights.values, first + 1, &mut tile);
            }
        }
    }
    if !n_quads.is_multiple_of(2) {
        // SAFETY: the last quad is within the rows and the weights.
        unsafe { avx2_quads::<1, R>(levels, width, weights.values, n_quads - 1, &mut tile) };
    }
    for ((values, sums), &Step { scale, offset }) in values.iter_mut().zip(tile).zip(&product.steps[row..]) {
        let (scale, offset) = (_mm256_set1_ps(scale), _mm256_set1_ps(offset));
        for (half, sums) in sums.into_iter().enumerate() {
            // SAFETY: a row has sixteen values, and so has what belongs to channels.
            unsafe {
                let of = |values: &Values| _mm256_loadu_ps(values.as_ptr().add(8 * half));
                let zero = _mm256_mul_ps(offset, of(weight_sums));
                let own = _mm256_sub_ps(_mm256_mul_ps(scale, _mm256_cvtepi32_ps(sums)), zero);
                let mut value = if is_first { own } else { _mm256_add_ps(of(values), own) };
                if is_last {
                    let [scales, bias] = channels.map(of);
                    value = _mm256_add_ps(_mm256_mul_ps(value, scales), bias);
                }
                _mm256_storeu_ps(values.as_mut_ptr().add(8 * half), value);
            }
        }
    }
}

/// Adds the products of `Q` quads from `first` on to the sums of `R` rows. The products of the quads are added in 16
/// bits.
///
/// # Safety
/// The quads are within the rows and the weights, and their products fit.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn avx2_quads<const Q: usize, const R: usize>(
    levels: &[u8],
    width: usize,
    weights: &[i8],
    first: usize,
    tile: &mut [[__m256i; 2]; R],
) {
    let ones = _mm256_set1_epi16(1);
    // SAFETY: as the caller promised.
    let weights: [_; Q] = std::array::from_fn(|quad| unsafe { avx2_weights(weights, first + quad) });
    for (row, sums) in tile.iter_mut().enumerate() {
        let at = row * width + first * INT8_QUAD;
        // SAFETY: as the caller promised.
        let level = |quad| unsafe { quad_of(levels, at + quad * INT8_QUAD) };
        let levels: [_; Q] = std::array::from_fn(|quad| _mm256_set1_epi32(level(quad)));
        for (half, sums) in sums.iter_mut().enumerate() {
            let mut pairs = _mm256_maddubs_epi16(levels[0], weights[0][half]);
            for quad in 1..Q {
                pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(levels[quad], weights[quad][half]));
            }
            *sums = _mm256_add_epi32(*sums, _mm256_madd_epi16(pairs, ones));
        }
    }
}

/// Returns a quad of all sixteen channels.
///
/// # Safety
/// The quad is within the weights.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn avx2_weights(weights: &[i8], quad: usize) -> [__m256i; 2] {
    // SAFETY: as the caller promised.
    [0, 32].map(|at| unsafe { _mm256_loadu_si256(weights.as_ptr().add(quad * QUAD_BYTES + at).cast()) })
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn vnni(product: Product<'_>, values: &mut [Values]) {
    let n_rows = product.checked_rows(values);
    for row in (0..n_rows).step_by(VNNI_ROWS) {
        let values = &mut values[row..];
        // SAFETY: so many rows are there, and the weights of the panels are as wide as they are.
        unsafe {
            match product.panels.len() {
                3 => vnni_rows::<3>(product, row, n_rows, values),
                2 => vnni_rows::<2>(product, row, n_rows, values),
                _ => vnni_rows::<1>(product, row, n_rows, values),
            }
        }
    }
}

/// Rows of a tile, whose sums of [`MOST_PANELS`](crate::kernels::MOST_PANELS) panels stay in registers.
const VNNI_ROWS: usize = 8;

/// Computes the tile of the rows from `row` on.
///
/// # Safety
/// `product` is one of `P` panels with `n_rows` rows, which are more than `row`; `values` begin at `row`.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn vnni_rows<const P: usize>(product: Product<'_>, row: usize, n_rows: usize, values: &mut [Values]) {
    // SAFETY: as the caller promised.
    unsafe {
        match n_rows - row {
            1 => vnni_tile::<1, P>(product, row, values),
            2 => vnni_tile::<2, P>(product, row, values),
            3 => vnni_tile::<3, P>(product, row, values),
            4 => vnni_tile::<4, P>(product, row, values),
            5 => vnni_tile::<5, P>(product, row, values),
            6 => vnni_tile::<6, P>(product, row, values),
            7 => vnni_tile::<7, P>(product, row, values),
            _ => vnni_tile::<VNNI_ROWS, P>(product, row, values),
        }
    }
}

/// # Safety
/// There are `R` rows from `row` on, `P` panels whose weights are as wide as the rows are, and values from `row` on for
/// both.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn vnni_tile<const R: usize, const P: usize>(product: Product<'_>, row: usize, values: &mut [Values]) {
    let Product { width, stride, is_first, is_last, .. } = product;
    let panels: [Part<'_>; P] = std::array::from_fn(|at| product.panels[at]);
    let levels = &product.levels[row * width..];
    let mut tile = [[_mm512_setzero_si512(); P]; R];
    for quad in 0..width / INT8_QUAD {
        // SAFETY: `quad` is within the weights.
        let weights: [__m512i; P] = std::array::from_fn(|at| unsafe {
            _mm512_loadu_si512(panels[at].weights.values.as_ptr().add(quad * QUAD_BYTES).cast())
        });
        for (row, sums) in tile.iter_mut().enumerate() {
            // SAFETY: `row` is one of `R`, and `quad` within it.
            let levels = _mm512_set1_epi32(unsafe { quad_of(levels, row * width + quad * INT8_QUAD) });
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
        for ((values, sums), &Step { scale, offset }) in values.iter_mut().zip(tile).zip(&product.steps[row..]) {
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

/// Returns four levels.
///
/// # Safety
/// `at` is within `levels`, and so are the three after it.
#[inline(always)]
unsafe fn quad_of(levels: &[u8], at: usize) -> i32 {
    // SAFETY: as the caller promised.
    unsafe { levels.as_ptr().add(at).cast::<i32>().read_unaligned() }
}
