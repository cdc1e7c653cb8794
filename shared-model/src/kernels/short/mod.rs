//! Numbers as 16-bit integers with a scale a row, and products of two such sets: what attention is made of.
//!
//! The sums are integers again, and each side has as many levels as a 32-bit sum of their products can bear.

mod matrix;
pub(crate) mod scalar;
#[cfg(target_arch = "wasm32")]
pub(crate) mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::lanes::largest_magnitude;
pub(crate) use matrix::ShortMatrix;

/// Columns of a product that stand together in a packed side.
pub const SHORT_PANEL: usize = 8;

/// Rows that a kernel takes at a time: enough independent sums to hide an instruction's latency, few enough to stay in
/// registers (wasm has 16 of 128 bits where x86-64 with AVX-512 has 32 of 256).
pub(crate) const TILE_ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 8 };

/// One tile's sums: `TILE_ROWS` rows by one panel.
pub(crate) type Tile = [[i32; SHORT_PANEL]; TILE_ROWS];

/// Multiplies up to [`TILE_ROWS`] rows with one panel.
///
/// `rows` are `k` long each, `panel` is `[k / 2][8][2]`; both hold the very same pairs of `k`.
pub(crate) type TileKernel = fn(rows: [&[i16]; TILE_ROWS], panel: &[i16]) -> Tile;

/// The kernels that this machine runs, fastest first; the last is the scalar reference.
pub(crate) fn available_kernels() -> impl Iterator<Item = TileKernel> {
    let scalar: TileKernel = scalar::tile;
    #[cfg(target_arch = "wasm32")]
    let own = std::iter::once(wasm::tile as TileKernel);
    #[cfg(target_arch = "x86_64")]
    let own = x86::available();
    #[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
    let own = std::iter::empty();
    own.chain([scalar])
}

/// 1.5 * 2^23: a sum with it has no bits for a fraction, so that it is rounded to the nearest integer, ties to even,
/// and that integer stands in its lowest bits. A call to the C library's `rintf`, which baseline x86-64 would need
/// instead, took a tenth of the time.
const ROUNDER: f32 = 12_582_912.0;

/// Some rows of f32 within a larger array.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub values: &'a [f32],
    pub n_rows: usize,
    pub width: usize,
    /// From one row's start to the next one's.
    pub stride: usize,
}

impl<'a> Rows<'a> {
    fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.stride..][..self.width]
    }
}

/// Rows as 16-bit integers, an even number of them each; made anew in the same memory.
#[derive(Default)]
pub(crate) struct ShortRows {
    values: Vec<i16>,
    scales: Vec<f32>,
    width: usize,
}

impl ShortRows {
    /// Quantises rows to `levels` on either side of zero, by each row's largest magnitude.
    pub fn quantize(&mut self, rows: Rows<'_>, levels: f32) {
        self.clear(rows.width);
        for row in 0..rows.n_rows {
            let row = rows.row(row);
            let largest = largest_magnitude(row);
            self.push(row, if largest > 0.0 { levels / largest } else { 0.0 }, largest / levels);
        }
    }

    /// Forgets all rows; the next ones have `width` values.
    pub fn clear(&mut self, width: usize) {
        self.width = width.next_multiple_of(2);
        self.values.clear();
        self.scales.clear();
    }

    /// Adds a row, multiplied by `factor` and rounded, whose levels stand for `scale`; what it lacks is 0.
    pub fn push(&mut self, row: &[f32], factor: f32, scale: f32) {
        let end = self.values.len() + self.width;
        self.values.extend(row.iter().map(|value| rounded(value * factor)));
        self.values.resize(end, 0);
        self.scales.push(scale);
    }

    pub fn row(&self, row: usize) -> &[i16] {
        &self.values[row * self.width..][..self.width]
    }
}

/// The other side of a product, in the order that the kernels read: `[n / 8][k / 2][8][2]`.
#[derive(Default)]
pub(crate) struct ShortPanels {
    values: Vec<i16>,
    /// One a column of the product.
    scales: Vec<f32>,
    n_pairs: usize,
}

impl ShortPanels {
    /// Each of `rows` is a column of the product.
    pub fn pack_rows(&mut self, rows: Rows<'_>, levels: f32) {
        let largest = (0..rows.n_rows).map(|row| largest_magnitude(rows.row(row)));
        let largest: Vec<f32> = largest.collect();
        self.pack(rows.width, &largest, levels, |column, step| rows.values[column * rows.stride + step]);
    }

    /// Each column of `rows` is a column of the product.
    pub fn pack_columns(&mut self, rows: Rows<'_>, levels: f32) {
        let mut largest = vec![0f32; rows.width];
        for row in 0..rows.n_rows {
            for (largest, value) in largest.iter_mut().zip(rows.row(row)) {
                *largest = if value.abs() > *largest { value.abs() } else { *largest };
            }
        }
        self.pack(rows.n_rows, &largest, levels, |column, step| rows.values[step * rows.stride + column]);
    }

    /// `largest` has the largest magnitude of each column.
    fn pack(&mut self, n_steps: usize, largest: &[f32], levels: f32, value: impl Fn(usize, usize) -> f32) {
        self.n_pairs = n_steps.div_ceil(2);
        self.scales.clear();
        self.scales.extend(largest.iter().map(|largest| largest / levels));
        self.scales.resize(largest.len().next_multiple_of(SHORT_PANEL), 0.0);
        self.values.clear();
        self.values.resize(self.scales.len() * 2 * self.n_pairs, 0);
        for (column, &largest) in largest.iter().enumerate() {
            let factor = if largest > 0.0 { levels / largest } else { 0.0 };
            let panel = column / SHORT_PANEL * SHORT_PANEL * 2 * self.n_pairs;
            let first = panel + column % SHORT_PANEL * 2;
            for step in 0..n_steps {
                let at = first + step / 2 * SHORT_PANEL * 2 + step % 2;
                self.values[at] = rounded(value(column, step) * factor);
            }
        }
    }
}

/// Where a product goes: rows of `stride` values, of which the first `n_columns` are written.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub start: *mut f32,
    pub stride: usize,
    pub n_columns: usize,
}

/// `rows panels^T * factor`.
///
/// # Safety
/// The target has room for every row, and nobody else writes there.
pub(crate) unsafe fn multiply(
    rows: &ShortRows,
    panels: &ShortPanels,
    factor: f32,
    kernel: TileKernel,
    target: Target,
) {
    let n_rows = rows.scales.len();
    let panel_len = 2 * panels.n_pairs * SHORT_PANEL;
    for first in (0..n_rows).step_by(TILE_ROWS) {
        let tile = std::array::from_fn(|row| rows.row((first + row).min(n_rows - 1)));
        for (panel, values) in panels.values.chunks_exact(panel_len).enumerate() {
            let sums = kernel(tile, values);
            let column = panel * SHORT_PANEL;
            let n_columns = SHORT_PANEL.min(target.n_columns - column);
            for (row, sums) in (first..n_rows).zip(sums) {
                let row_scale = rows.scales[row] * factor;
                // SAFETY: as the caller promised.
                let out = unsafe {
                    let start = target.start.add(row * target.stride + column);
                    std::slice::from_raw_parts_mut(start, n_columns)
                };
                for ((out, sum), scale) in out.iter_mut().zip(sums).zip(&panels.scales[column..]) {
                    *out = sum as f32 * (row_scale * scale);
                }
            }
        }
    }
}

/// To the nearest integer, within 16 bits by the caller's choice of levels.
#[inline(always)]
fn rounded(value: f32) -> i16 {
    (value + ROUNDER).to_bits() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn products_are_within_what_rounding_can_be(
            (n_rows, n_columns, width) in (1usize..20, 1usize..20, 1usize..70),
            seed: u64,
        ) {
            let mut state = seed | 1;
            let mut draw = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((state >> 33) as i32 % 2001 - 1000) as f32 / 77.0
            };
            let stride = width + 3;
            let a: Vec<f32> = (0..n_rows * stride).map(|_| draw()).collect();
            let b: Vec<f32> = (0..n_columns.max(width) * stride.max(n_columns)).map(|_| draw()).collect();
            let levels = 3000.0;
            let mut rows = ShortRows::default();
            rows.quantize(Rows { values: &a, n_rows, width, stride }, levels);
            let mut panels = ShortPanels::default();
            for by_columns in [false, true] {
                let b_stride = if by_columns { n_columns } else { stride };
                let (n, w) = if by_columns { (width, n_columns) } else { (n_columns, width) };
                let side = Rows { values: &b, n_rows: n, width: w, stride: b_stride };
                if by_columns { panels.pack_columns(side, levels) } else { panels.pack_rows(side, levels) }
                let value = |column: usize, step: usize| {
                    if by_columns { b[step * b_stride + column] } else { b[column * b_stride + step] }
                };
                let mut first: Option<Vec<f32>> = None;
                for kernel in available_kernels() {
                    let mut out = vec![0f32; n_rows * n_columns];
                    let target = Target { start: out.as_mut_ptr(), stride: n_columns, n_columns };
                    // SAFETY: `out` has a place for each row and column.
                    unsafe { multiply(&rows, &panels, 0.5, kernel, target) };
                    prop_assert_eq!(first.get_or_insert_with(|| out.clone()), &out);
                }
                for (at, ours) in first.unwrap().iter().enumerate() {
                    let (row, column) = (at / n_columns, at % n_columns);
                    let exact: f32 = (0..width).map(|step| a[row * stride + step] * value(column, step)).sum();
                    // Each factor of up to 13 is off by half a level at most.
                    let bound = width as f32 * 13.0 * 13.0 / levels;
                    prop_assert!((ours - 0.5 * exact).abs() <= 0.5 * bound, "{ours} {exact}");
                }
            }
        }
    }
}
