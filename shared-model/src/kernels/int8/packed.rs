//! A packed weight in memory, and what one panel of it makes of all rows.

use super::activations::Activations;
use super::fitting::Fitting;
use super::kernel::{PanelKernel, Weights};
use super::panels::{Found, Values, scale, take_sums};
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};
use bytes::Bytes;

#[derive(Clone)]
pub(super) struct Packed {
    /// `[out / 16][in / 4][16][4]`, straight from the file.
    pub values: Bytes,
    pub scales: Vec<f32>,
    /// `[out]`; zeros where the layer has none.
    pub bias: Vec<f32>,
    /// `[out / 16][blocks][16]`: what a level of one in every column of a block would add up to.
    weight_sums: Vec<Values>,
    /// `[out / 16][blocks]`
    fitting: Vec<Fitting>,
    pub n_out: usize,
    pub n_in: usize,
    /// Columns of activations that share a step.
    pub block_width: usize,
}

/// Rows that are multiplied with a block of a panel before others are: with it, their levels, sums and values are in
/// the processor's nearest cache. Whole tiles of every kernel.
const ROWS_AT_ONCE: usize = 48;

impl Packed {
    pub fn new(values: Bytes, scales: Vec<f32>, n_in: usize, block_width: usize) -> Self {
        let n_out = scales.len();
        let panels = values.chunks_exact(n_in * INT8_PANEL);
        let blocks = panels.flat_map(|panel| panel.chunks(block_width * INT8_PANEL));
        let (weight_sums, fitting) = blocks.map(|block| (sums_of_weights(block), Fitting::of(block))).unzip();
        Self { values, bias: vec![0.0; n_out], scales, weight_sums, fitting, n_out, n_in, block_width }
    }

    /// `bias` is `[out]`.
    pub fn with_bias(self, bias: Vec<f32>) -> Self {
        Self { bias, ..self }
    }

    /// All rows' values of one panel.
    pub fn panel(&self, panel: usize, activations: &Activations, kernel: PanelKernel, values: &mut Vec<Values>) {
        let panel_bytes = self.n_in * INT8_PANEL;
        let weights = as_signed(&self.values[panel * panel_bytes..][..panel_bytes]);
        let n_blocks = activations.n_blocks();
        let weight_sums = &self.weight_sums[panel * n_blocks..][..n_blocks];
        let fitting = &self.fitting[panel * n_blocks..][..n_blocks];
        values.resize(activations.n_rows(), [0.0; INT8_PANEL]);
        let mut sums = [[0; INT8_PANEL]; ROWS_AT_ONCE];
        for (chunk, values) in values.chunks_mut(ROWS_AT_ONCE).enumerate() {
            let (first, sums) = (chunk * ROWS_AT_ONCE, &mut sums[..values.len()]);
            for (block, values_of_block) in weights.chunks(self.block_width * INT8_PANEL).enumerate() {
                let weights = Weights { values: values_of_block, fitting: fitting[block] };
                let (levels, steps, width) = activations.block(block);
                kernel(&levels[first * width..][..sums.len() * width], width, weights, sums);
                let (steps, weight_sums) = (&steps[first..], &weight_sums[block]);
                take_sums(values, Found { sums, steps, weight_sums, is_first: block == 0 });
            }
        }
        let channel = panel * INT8_PANEL;
        let [scales, bias] = [&self.scales, &self.bias].map(|values| of_panel(values, channel));
        scale(values, &scales, &bias);
    }
}

fn of_panel(values: &[f32], channel: usize) -> Values {
    std::array::from_fn(|at| values[channel + at])
}

/// Of one block of one panel, by channel.
fn sums_of_weights(block: &[u8]) -> Values {
    let mut sums = [0i32; INT8_PANEL];
    for quad in block.chunks_exact(INT8_PANEL * INT8_QUAD) {
        for (sum, weights) in sums.iter_mut().zip(quad.chunks_exact(INT8_QUAD)) {
            *sum += weights.iter().map(|&byte| i32::from(byte as i8)).sum::<i32>();
        }
    }
    sums.map(|sum| sum as f32)
}

fn as_signed(bytes: &[u8]) -> &[i8] {
    // SAFETY: both types are one byte, of which every value is valid.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}
