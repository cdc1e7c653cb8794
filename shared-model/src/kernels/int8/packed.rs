//! A packed weight in memory, and the product of one panel with all rows.

use super::activations::Activations;
use super::fitting::Fitting;
use super::kernel::{PanelKernel, Part, Product, Sums, SumsKernel, Weights};
use super::levels::ROWS_AT_ONCE;
use super::panels::{Found, scale, take_sums};
use super::rounding::Rounding;
use crate::kernels::{MOST_PANELS, Values};
use crate::lanes::widest;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};
use bytes::Bytes;
use std::ops::Range;

/// A packed int8 weight with its scales and bias.
#[derive(Clone)]
pub(super) struct Packed {
    /// `[out / 16][in / 4][16][4]`, as in the file.
    pub values: Bytes,
    /// `[out]`
    pub scales: Vec<f32>,
    /// `[out]`; zeros for a layer without a bias.
    pub bias: Vec<f32>,
    /// `[out / 16][blocks][16]`: the sum of the weights of each channel in each block.
    weight_sums: Vec<Values>,
    /// `[out / 16][blocks]`
    fitting: Vec<Fitting>,
    /// Output channels.
    pub n_out: usize,
    /// Input channels.
    pub n_in: usize,
    /// How activations are rounded for it.
    pub rounding: Rounding,
    /// `[in]`: what the columns of activations are multiplied by before they are rounded.
    pub factors: Option<Vec<f32>>,
}

impl Packed {
    /// Takes a packed weight, without a bias.
    pub fn new(values: Bytes, scales: Vec<f32>, n_in: usize, rounding: Rounding) -> Self {
        let n_out = scales.len();
        let panels = values.chunks_exact(n_in * INT8_PANEL);
        let blocks = panels.flat_map(|panel| panel.chunks(rounding.block_width * INT8_PANEL));
        let (weight_sums, fitting) = blocks.map(|block| (sums_of_weights(block), Fitting::of(block))).unzip();
        Self { values, bias: vec![0.0; n_out], scales, weight_sums, fitting, n_out, n_in, rounding, factors: None }
    }

    /// Adds a bias `[out]`.
    pub fn with_bias(self, bias: Vec<f32>) -> Self {
        Self { bias, ..self }
    }

    /// Adds factors of the columns of activations `[in]`.
    pub fn with_factors(self, factors: Vec<f32>) -> Self {
        Self { factors: Some(factors), ..self }
    }

    /// Multiplies values of activations of these columns, `[rows, columns]`, by their factors.
    pub fn multiply_columns(&self, values: &mut [f32], columns: Range<usize>) {
        if let Some(factors) = &self.factors {
            multiply_rows(values, &factors[columns]);
        }
    }

    /// Returns a block of a panel.
    fn part(&self, panel: usize, block: usize, n_blocks: usize) -> Part<'_> {
        let panel_bytes = self.n_in * INT8_PANEL;
        let values = as_signed(&self.values[panel * panel_bytes..][..panel_bytes]);
        let first = block * self.rounding.block_width;
        let width = self.rounding.block_width.min(self.n_in - first);
        let weights = Weights {
            values: &values[first * INT8_PANEL..][..width * INT8_PANEL],
            fitting: self.fitting[panel * n_blocks + block],
        };
        let channels = [&self.scales, &self.bias].map(|values| &values.as_chunks().0[panel]);
        Part { weights, weight_sums: &self.weight_sums[panel * n_blocks + block], channels }
    }

    /// Computes the values `[panels][rows][16]` of at most [`MOST_PANELS`] for some rows.
    pub fn panels(
        &self,
        panels: Range<usize>,
        (activations, rows): (&Activations, Range<usize>),
        kernel: PanelKernel,
        values: &mut Vec<Values>,
    ) {
        let (n_blocks, passes) = (activations.n_blocks(), activations.passes());
        values.resize(panels.len() * rows.len(), [0.0; INT8_PANEL]);
        let mut sums = [[0; INT8_PANEL]; ROWS_AT_ONCE];
        for first in (0..rows.len()).step_by(ROWS_AT_ONCE) {
            let values = &mut values[first..];
            let stride = rows.len();
            let rows = rows.start + first..rows.end.min(rows.start + first + ROWS_AT_ONCE);
            let sums = &mut sums[..rows.len()];
            for block in 0..n_blocks {
                let parts: [Part<'_>; MOST_PANELS] =
                    std::array::from_fn(|at| self.part((panels.start + at).min(panels.end - 1), block, n_blocks));
                for pass in 0..passes {
                    let (levels, steps, width) = activations.block(block, pass);
                    let product = Product {
                        levels: &levels[rows.start * width..rows.end * width],
                        width,
                        steps: &steps[rows.clone()],
                        panels: &parts[..panels.len()],
                        stride,
                        is_first: block + pass == 0,
                        is_last: (block + 1, pass + 1) == (n_blocks, passes),
                    };
                    match kernel {
                        PanelKernel::Values(add) => add(product, values),
                        PanelKernel::Sums(multiply) => add_sums(multiply, product, sums, values),
                    }
                }
            }
        }
    }
}

widest! {
    /// Multiplies each of the rows `[rows, columns]` by factors `[columns]`.
    fn multiply_rows(rows: &mut [f32], factors: &[f32]) {
        for row in rows.chunks_exact_mut(factors.len()) {
            row.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
        }
    }
}

/// Adds a product by a kernel that leaves sums in memory.
fn add_sums(multiply: SumsKernel, product: Product<'_>, sums: &mut [Sums], values: &mut [Values]) {
    let Product { levels, width, steps, panels, stride, is_first, is_last } = product;
    for (&Part { weights, weight_sums, channels: [scales, bias] }, values) in
        panels.iter().zip(values.chunks_mut(stride))
    {
        let values = &mut values[..steps.len()];
        multiply(levels, width, weights, sums);
        take_sums(values, Found { sums, steps, weight_sums, is_first });
        if is_last {
            scale(values, scales, bias);
        }
    }
}

pub(super) fn of_panel(values: &[f32], channel: usize) -> Values {
    std::array::from_fn(|at| values[channel + at])
}

/// Returns the sums of the weights of one block of a panel, by channel.
fn sums_of_weights(block: &[u8]) -> Values {
    let mut sums = [0i32; INT8_PANEL];
    for quad in block.chunks_exact(INT8_PANEL * INT8_QUAD) {
        for (sum, weights) in sums.iter_mut().zip(quad.chunks_exact(INT8_QUAD)) {
            *sum += weights.iter().map(|&byte| i32::from(byte as i8)).sum::<i32>();
        }
    }
    sums.map(|sum| sum as f32)
}

pub(super) fn as_signed(bytes: &[u8]) -> &[i8] {
    // SAFETY: both types are one byte, of which every value is valid.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}
