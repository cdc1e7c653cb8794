//! A packed weight in memory, and the product of one panel with all rows.

use super::activations::{Activations, Rounding};
use super::fitting::Fitting;
use super::kernel::{PanelKernel, Weights};
use super::panels::{Found, scale, take_sums};
use crate::kernels::Values;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD};
use bytes::Bytes;

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
}

/// Rows that are multiplied by a block of a panel at a time, in whole tiles of every kernel. Their levels, sums and
/// values fit the processor's first cache together with the block.
const ROWS_AT_ONCE: usize = 48;

impl Packed {
    /// Takes a packed weight, without a bias.
    pub fn new(values: Bytes, scales: Vec<f32>, n_in: usize, rounding: Rounding) -> Self {
        let n_out = scales.len();
        let panels = values.chunks_exact(n_in * INT8_PANEL);
        let blocks = panels.flat_map(|panel| panel.chunks(rounding.block_width * INT8_PANEL));
        let (weight_sums, fitting) = blocks.map(|block| (sums_of_weights(block), Fitting::of(block))).unzip();
        Self { values, bias: vec![0.0; n_out], scales, weight_sums, fitting, n_out, n_in, rounding }
    }

    /// Adds a bias `[out]`.
    pub fn with_bias(self, bias: Vec<f32>) -> Self {
        Self { bias, ..self }
    }

    /// Computes the values of one panel for all rows.
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
            for (block, values_of_block) in weights.chunks(self.rounding.block_width * INT8_PANEL).enumerate() {
                let weights = Weights { values: values_of_block, fitting: fitting[block] };
                for pass in 0..activations.passes() {
                    let (levels, steps, width) = activations.block(block, pass);
                    kernel(&levels[first * width..][..sums.len() * width], width, weights, sums);
                    let (steps, weight_sums) = (&steps[first..], &weight_sums[block]);
                    take_sums(values, Found { sums, steps, weight_sums, is_first: block + pass == 0 });
                }
            }
        }
        let channel = panel * INT8_PANEL;
        let [scales, bias] = [&self.scales, &self.bias].map(|values| of_panel(values, channel));
        scale(values, &scales, &bias);
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
