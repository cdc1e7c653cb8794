//! Moves scales between the activations and the weights of a block's products before both are rounded.

use super::super::block::{BlockParameters, names};
use super::super::columns::{order_of_sizes, reordered};
use super::super::equalize::Product;
use super::super::grid::Grid;
use super::{Context, Inputs};
use crate::config::NormOrder;
use crate::transformer::Layer;
use crate::weights::ActivationBits;

impl Context<'_> {
    /// Changes the block so that it loses least to quantization and computes the same; returns its inputs then.
    pub(super) fn equalize(&self, block: &mut BlockParameters, mut inputs: Inputs) -> Inputs {
        let width = block.ln_1.weight.len();
        let choose = |layer: Layer, weights: &[f32], activations: &[f32]| {
            self.product(layer, (weights, width), activations).choose()
        };
        // What a norm behind a residual gives goes to the next residual, too.
        if self.blocks.norm_order == NormOrder::Pre {
            let change = choose(Layer::InProj, &block.in_proj.weight, &inputs.in_proj);
            block.move_from_ln_1(&change);
            change.apply(&mut inputs.in_proj);
            let change = choose(Layer::CFc, &block.c_fc.weight, &inputs.c_fc);
            block.move_from_ln_2(&change);
            change.apply(&mut inputs.c_fc);
        }
        let change = choose(Layer::OutProj, &block.out_proj.weight, &inputs.out_proj);
        block.move_from_values(&change);
        change.apply(&mut inputs.out_proj);
        let order = order_of_sizes(&inputs.c_proj, block.c_proj.n_in());
        block.reorder_hidden(&order);
        inputs.c_proj = reordered(&inputs.c_proj, &order);
        inputs
    }

    /// A product of `layer` whose sides are rounded.
    fn product<'a>(
        &self,
        layer: Layer,
        (weights, n_in): (&'a [f32], usize),
        activations: &'a [f32],
    ) -> Product<'a> {
        let rounding = self.rounding(layer, n_in);
        let format = (self.options.format, self.bits.of_matrix(names(layer)[0]));
        Product { activations, weights, n_in, rounding, format }
    }

    /// Chooses the exponents of the columns of the MLP's second layer, in front of which no scale can be moved.
    ///
    /// `None` for activations of 14 bits, which lose nothing, and where nothing is gained.
    pub(super) fn hidden_exponents(&self, block: &BlockParameters, inputs: &Inputs) -> Option<Vec<i8>> {
        let matrix = &block.c_proj;
        let product = self.product(Layer::CProj, (&matrix.weight, matrix.n_in()), &inputs.c_proj);
        let is_coarse = product.rounding.bits == ActivationBits::Seven;
        let fits = Grid::fits(self.options.format, matrix.bias.len(), matrix.n_in());
        if is_coarse && fits { product.choose_exponents() } else { None }
    }
}
