//! Sums of the rows of an int8 weight, each row times a factor.

use super::matrix::Int8Matrix;
use super::packed::{as_signed, of_panel};
use crate::Result;
use crate::kernels::{PanelMatrix, weighted_rows};
use crate::lanes::widest;
use crate::weights::packing::{INT8_PANEL, INT8_QUAD, QUAD_BYTES};

/// Products that are summed side by side: whole columns of a quad.
const N_LANES: usize = 16;

impl Int8Matrix {
    /// Returns the weighted sum of the rows of each group: see [`weighted_rows`]. The factors are not rounded.
    pub fn weighted_rows(&self, first: usize, z: &[f32], n_groups: usize) -> Result<Vec<f32>> {
        let (n_out, n_in) = (self.n_out(), self.n_in());
        let panel_bytes = n_in * INT8_PANEL;
        weighted_rows((n_out, n_in), first, z, n_groups, |panel, factors, sums| {
            let scales = of_panel(&self.0.scales, panel * INT8_PANEL);
            let factors: [f32; QUAD_BYTES] =
                std::array::from_fn(|at| factors[at / INT8_QUAD] * scales[at / INT8_QUAD]);
            add_quads(as_signed(&self.0.values[panel * panel_bytes..][..panel_bytes]), &factors, sums);
        })
    }
}

widest! {
    /// Adds to each four sums those of a quad's columns, whose weights have these factors.
    fn add_quads(weights: &[i8], factors: &[f32; QUAD_BYTES], sums: &mut [f32]) {
        let (quads, _) = weights.as_chunks::<QUAD_BYTES>();
        let (sums, _) = sums.as_chunks_mut::<INT8_QUAD>();
        let (factors, _) = factors.as_chunks::<N_LANES>();
        for (weights, sums) in quads.iter().zip(sums) {
            let (weights, _) = weights.as_chunks::<N_LANES>();
            let mut lanes = [0f32; N_LANES];
            for (weights, factors) in weights.iter().zip(factors) {
                for ((lane, &weight), factor) in lanes.iter_mut().zip(weights).zip(factors) {
                    *lane += f32::from(weight) * factor;
                }
            }
            for (at, lane) in lanes.into_iter().enumerate() {
                sums[at % INT8_QUAD] += lane;
            }
        }
    }
}
