//! The parameters of a block in memory, and changes of them that leave what the block computes as it is.

use super::columns::reordered;
use crate::parallel::for_each_chunk;
use crate::transformer::Layer;
use crate::weights::{Placement, Weights};
use crate::{Error, Result};
use candle_core::{Device, Tensor};

/// A layer norm.
pub(super) struct Norm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

/// A matrix `[out, in]` and its bias.
pub(super) struct Matrix {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

/// Reads a tensor that is not quantized.
fn values(weights: &Weights, name: &str) -> Result<Vec<f32>> {
    if weights.quantized(name).is_some() {
        return Err(Error::Weights { detail: format!("tensor {name} is quantized already") });
    }
    Ok(weights.tensor(name, &Placement::default())?.flatten_all()?.to_vec1()?)
}

impl Matrix {
    /// Reads a matrix by the keys of its weight and bias.
    pub fn load(weights: &Weights, [weight, bias]: &[String; 2]) -> Result<Self> {
        Ok(Self { weight: values(weights, weight)?, bias: values(weights, bias)? })
    }

    /// Number of input columns.
    pub fn n_in(&self) -> usize {
        self.weight.len() / self.bias.len().max(1)
    }
}

/// What is subtracted from each column, and what it is divided by then.
pub(super) struct Move {
    pub shift: Vec<f32>,
    pub scale: Vec<f32>,
}

/// The parameters of one block.
pub(super) struct BlockParameters {
    prefix: String,
    pub ln_1: Norm,
    pub in_proj: Matrix,
    pub out_proj: Matrix,
    pub ln_2: Norm,
    pub c_fc: Matrix,
    pub c_proj: Matrix,
}

impl BlockParameters {
    pub fn load(weights: &Weights, prefix: &str) -> Result<Self> {
        let norm = |name: &str| -> Result<Norm> {
            Ok(Norm {
                weight: values(weights, &format!("{prefix}.{name}.weight"))?,
                bias: values(weights, &format!("{prefix}.{name}.bias"))?,
            })
        };
        let matrix = |layer: Layer| Matrix::load(weights, &names(layer).map(|name| format!("{prefix}.{name}")));
        Ok(Self {
            prefix: prefix.into(),
            ln_1: norm("ln_1")?,
            in_proj: matrix(Layer::InProj)?,
            out_proj: matrix(Layer::OutProj)?,
            ln_2: norm("ln_2")?,
            c_fc: matrix(Layer::CFc)?,
            c_proj: matrix(Layer::CProj)?,
        })
    }

    pub fn matrix(&self, layer: Layer) -> &Matrix {
        match layer {
            Layer::InProj => &self.in_proj,
            Layer::OutProj => &self.out_proj,
            Layer::CFc => &self.c_fc,
            Layer::CProj => &self.c_proj,
        }
    }

    /// The keys of a layer's weight and bias.
    pub fn names(&self, layer: Layer) -> [String; 2] {
        names(layer).map(|name| format!("{}.{name}", self.prefix))
    }

    /// The tensors by their keys.
    pub fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let vector = |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu);
        let mut tensors = Vec::new();
        for (name, norm) in [("ln_1", &self.ln_1), ("ln_2", &self.ln_2)] {
            tensors.push((format!("{}.{name}.weight", self.prefix), vector(&norm.weight)?));
            tensors.push((format!("{}.{name}.bias", self.prefix), vector(&norm.bias)?));
        }
        for layer in [Layer::InProj, Layer::OutProj, Layer::CFc, Layer::CProj] {
            let (matrix, [weight, bias]) = (self.matrix(layer), self.names(layer));
            let shape = (matrix.bias.len(), matrix.n_in());
            tensors.push((weight, Tensor::from_slice(&matrix.weight, shape, &Device::Cpu)?));
            tensors.push((bias, vector(&matrix.bias)?));
        }
        Ok(tensors)
    }

    /// Moves shifts and scales from the norm before attention into the layer behind it.
    pub fn move_from_ln_1(&mut self, change: &Move) {
        change.take_from(&mut self.ln_1.weight, &mut self.ln_1.bias);
        change.give_to(&mut self.in_proj);
    }

    /// Moves shifts and scales from the norm before the MLP into the layer behind it.
    pub fn move_from_ln_2(&mut self, change: &Move) {
        change.take_from(&mut self.ln_2.weight, &mut self.ln_2.bias);
        change.give_to(&mut self.c_fc);
    }

    /// Moves shifts and scales from the values of attention into the output projection: the weights of attention add
    /// up to one.
    pub fn move_from_values(&mut self, change: &Move) {
        let (width, n_in) = (change.scale.len(), self.in_proj.n_in());
        let (weight, bias) = (&mut self.in_proj.weight[2 * width * n_in..], &mut self.in_proj.bias[2 * width..]);
        for (row, scale) in weight.chunks_exact_mut(n_in).zip(&change.scale) {
            row.iter_mut().for_each(|weight| *weight /= scale);
        }
        for (bias, (shift, scale)) in bias.iter_mut().zip(change.shift.iter().zip(&change.scale)) {
            *bias = (*bias - shift) / scale;
        }
        change.give_to(&mut self.out_proj);
    }

    /// Puts the hidden units of the MLP into another order: `order` has the former place of each.
    pub fn reorder_hidden(&mut self, order: &[usize]) {
        let n_in = self.c_fc.n_in();
        let rows = order.iter().flat_map(|&unit| &self.c_fc.weight[unit * n_in..][..n_in]);
        self.c_fc.weight = rows.copied().collect();
        self.c_fc.bias = order.iter().map(|&unit| self.c_fc.bias[unit]).collect();
        self.c_proj.weight = reordered(&self.c_proj.weight, order);
    }
}

impl Move {
    /// Changes activations `[rows, columns]` as the block changes them.
    pub fn apply(&self, activations: &mut [f32]) {
        for_each_chunk(activations, self.scale.len(), |_, row| {
            for (value, (shift, scale)) in row.iter_mut().zip(self.shift.iter().zip(&self.scale)) {
                *value = (*value - shift) / scale;
            }
        });
    }

    fn take_from(&self, weight: &mut [f32], bias: &mut [f32]) {
        weight.iter_mut().zip(&self.scale).for_each(|(weight, scale)| *weight /= scale);
        self.apply(bias);
    }

    fn give_to(&self, matrix: &mut Matrix) {
        let n_in = matrix.n_in();
        for (row, bias) in matrix.weight.chunks_exact_mut(n_in).zip(&mut matrix.bias) {
            let shifted: f64 = row.iter().zip(&self.shift).map(|(w, s)| f64::from(*w) * f64::from(*s)).sum();
            *bias += shifted as f32;
            row.iter_mut().zip(&self.scale).for_each(|(weight, scale)| *weight *= scale);
        }
    }
}

/// The keys of a layer's weight and bias within its block.
pub(super) fn names(layer: Layer) -> [&'static str; 2] {
    match layer {
        Layer::InProj => ["attn.in_proj_weight", "attn.in_proj_bias"],
        Layer::OutProj => ["attn.out_proj.weight", "attn.out_proj.bias"],
        Layer::CFc => ["mlp.c_fc.weight", "mlp.c_fc.bias"],
        Layer::CProj => ["mlp.c_proj.weight", "mlp.c_proj.bias"],
    }
}
