//! The operations without values: what a pass computes, moves and holds, counted by running the pass itself.

use super::layout::{LinearLayer, NormLayer, Projection};
use super::ops::{Ops, PatchCut, Sequences};
use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use shared_model::config::Activation;
use shared_model::fused::Heads;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// The cost of one kind of operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Kernels started on a GPU.
    pub launches: u64,
    /// Multiplications and additions, for matrix products and attention.
    pub flops: f64,
    /// Bytes read and written, each operand once.
    pub bytes: f64,
}

/// Counts instead of computing.
#[derive(Debug)]
pub struct CountingOps {
    value_bytes: usize,
    costs: BTreeMap<&'static str, Cost>,
    memory: Rc<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    now: Cell<u64>,
    peak: Cell<u64>,
}

/// An array of which only the size is known.
#[derive(Debug)]
pub struct Held {
    n_values: usize,
    bytes: u64,
    memory: Rc<Memory>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.now.set(self.memory.now.get() - self.bytes);
    }
}

impl CountingOps {
    /// `value_bytes`: of a value of an activation, 4 for f32 and 2 for bf16.
    pub fn new(value_bytes: usize) -> Self {
        Self { value_bytes, costs: BTreeMap::new(), memory: Rc::default() }
    }

    /// Costs by kind of operation.
    pub fn costs(&self) -> &BTreeMap<&'static str, Cost> {
        &self.costs
    }

    /// The most bytes that activations took at once.
    pub fn peak_bytes(&self) -> u64 {
        self.memory.peak.get()
    }

    /// Bytes that activations take now.
    pub fn bytes(&self) -> u64 {
        self.memory.now.get()
    }

    fn hold(&self, n_values: usize, value_bytes: usize) -> Held {
        let bytes = (n_values * value_bytes) as u64;
        let now = self.memory.now.get() + bytes;
        self.memory.now.set(now);
        self.memory.peak.set(self.memory.peak.get().max(now));
        Held { n_values, bytes, memory: self.memory.clone() }
    }

    fn matrix(&self, n_values: usize) -> Held {
        self.hold(n_values, self.value_bytes)
    }

    /// Adds to an operation's cost; `values` are those read and written in the precision of activations.
    fn add(&mut self, name: &'static str, launches: u64, flops: usize, values: usize) {
        let cost = self.costs.entry(name).or_default();
        cost.launches += launches;
        cost.flops += flops as f64;
        cost.bytes += (values * self.value_bytes) as f64;
    }
}

/// 2 N² W multiplications and additions for each product of a head's matrices with N rows.
fn attention_flops(sequences: &Sequences, heads: Heads, n_products: usize) -> usize {
    let squares: usize = sequences.starts().windows(2).map(|pair| (pair[1] - pair[0]).pow(2)).sum();
    2 * n_products * squares * heads.count * heads.width
}

impl Ops for CountingOps {
    type Matrix = Held;
    type Statistics = Held;

    fn linear(&mut self, x: &Held, layer: &LinearLayer, residual: Option<&Held>) -> Result<Held> {
        let n_rows = x.n_values / layer.n_in;
        let y = self.matrix(n_rows * layer.n_out);
        let values =
            x.n_values + layer.weight.len() + y.n_values + residual.map_or(0, |residual| residual.n_values);
        self.add("product", 1, 2 * n_rows * layer.weight.len(), values);
        Ok(y)
    }

    fn linear_weight_gradient(&mut self, x: &Held, layer: &LinearLayer, dy: &Held) -> Result<()> {
        let n_rows = x.n_values / layer.n_in;
        let has_bias = u64::from(layer.bias.is_some());
        let values = x.n_values + dy.n_values * (1 + has_bias as usize) + 2 * layer.weight.len();
        self.add("weight gradient", 1 + 2 * has_bias, 2 * n_rows * layer.weight.len(), values);
        Ok(())
    }

    fn linear_input_gradient(&mut self, layer: &LinearLayer, dy: &Held) -> Result<Held> {
        let n_rows = dy.n_values / layer.n_out;
        let dx = self.matrix(n_rows * layer.n_in);
        let values = dy.n_values + layer.weight.len() + dx.n_values;
        self.add("product", 1, 2 * n_rows * layer.weight.len(), values);
        Ok(dx)
    }

    fn layer_norm(&mut self, x: &Held, _layer: &NormLayer) -> Result<Held> {
        self.add("layer norm", 1, 0, 2 * x.n_values);
        Ok(self.matrix(x.n_values))
    }

    fn layer_norm_gradient(
        &mut self,
        x: &Held,
        _layer: &NormLayer,
        dy: Held,
        residual: Option<&Held>,
    ) -> Result<Held> {
        let n_operands = if residual.is_some() { 4 } else { 3 };
        self.add("layer norm, backward", 2, 0, n_operands * x.n_values);
        Ok(dy)
    }

    fn activation(&mut self, _kind: Activation, x: &Held) -> Result<Held> {
        self.add("activation", 1, 0, 2 * x.n_values);
        Ok(self.matrix(x.n_values))
    }

    fn activation_gradient(&mut self, _kind: Activation, x: &Held, dy: Held) -> Result<Held> {
        self.add("activation, backward", 1, 0, 3 * x.n_values);
        Ok(dy)
    }

    fn attention(&mut self, qkv: &Held, sequences: &Sequences, heads: Heads) -> Result<(Held, Held)> {
        let attended = self.matrix(qkv.n_values / 3);
        let statistics = self.hold(sequences.n_tokens() * heads.count, size_of::<f32>());
        let flops = attention_flops(sequences, heads, 2);
        self.add("attention", 1, flops, qkv.n_values + attended.n_values);
        Ok((attended, statistics))
    }

    fn attention_gradient(
        &mut self,
        qkv: &Held,
        sequences: &Sequences,
        heads: Heads,
        attended: &Held,
        _statistics: &Held,
        _dy: &Held,
    ) -> Result<Held> {
        let d_qkv = self.matrix(qkv.n_values);
        // delta; dq from logits, the weights' gradient and one product; dk and dv from the first two again and two more.
        let flops = attention_flops(sequences, heads, 7);
        let values = 2 * attended.n_values + 2 * (qkv.n_values + attended.n_values) + d_qkv.n_values;
        self.add("attention, backward", 3, flops, values);
        Ok(d_qkv)
    }

    fn embed_tokens(
        &mut self,
        _table: &Range<usize>,
        _positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        _sequences: &Sequences,
    ) -> Result<Held> {
        self.add("embedding", 1, 0, 3 * ids.len() * width);
        Ok(self.matrix(ids.len() * width))
    }

    fn embed_tokens_gradient(
        &mut self,
        _table: &Range<usize>,
        _positions: &Range<usize>,
        _width: usize,
        _ids: &[u32],
        _sequences: &Sequences,
        dy: &Held,
    ) -> Result<()> {
        self.add("embedding, backward", 4, 0, 4 * dy.n_values);
        Ok(())
    }

    fn patches(&mut self, pixels: &Tensor, cut: &PatchCut) -> Result<Held> {
        let (n_images, channels, _, side) = pixels.dims4()?;
        let n_values = n_images * channels * (side / cut.patch_size * cut.patch_size).pow(2);
        self.add("patches", 1, 0, 2 * n_values);
        Ok(self.matrix(n_values))
    }

    fn image_tokens(&mut self, patches: &Held, class: &Range<usize>, positions: &Range<usize>) -> Result<Held> {
        let n_images = patches.n_values / (positions.len() - class.len());
        let tokens = self.matrix(n_images * positions.len());
        self.add("patches", 1, 0, patches.n_values + tokens.n_values);
        Ok(tokens)
    }

    fn image_tokens_gradient(&mut self, class: &Range<usize>, positions: &Range<usize>, dy: &Held) -> Result<Held> {
        let n_images = dy.n_values / positions.len();
        let d_patches = self.matrix(n_images * (positions.len() - class.len()));
        self.add("patches", 3, 0, 2 * dy.n_values + d_patches.n_values);
        Ok(d_patches)
    }

    fn gather_rows(&mut self, _x: &Held, width: usize, rows: &[u32]) -> Result<Held> {
        self.add("rows", 1, 0, 2 * rows.len() * width);
        Ok(self.matrix(rows.len() * width))
    }

    fn gather_rows_gradient(&mut self, width: usize, rows: &[u32], n_rows: usize, _dy: &Held) -> Result<Held> {
        self.add("rows", 1, 0, (rows.len() + n_rows) * width);
        Ok(self.matrix(n_rows * width))
    }

    fn project(&mut self, x: &Held, projection: &Projection) -> Result<Tensor> {
        let n_rows = x.n_values / projection.n_in;
        let flops = 2 * n_rows * projection.weight.len();
        self.add("product", 1, flops, x.n_values + projection.weight.len() + 2 * n_rows * projection.n_out);
        no_values(&[n_rows, projection.n_out], DType::F32)
    }

    fn project_gradient(&mut self, x: &Held, projection: &Projection, dy: &Tensor) -> Result<Held> {
        let dx = self.matrix(x.n_values);
        let flops = 4 * dy.dim(0)? * projection.weight.len();
        self.add("product", 3, flops, 2 * x.n_values + 5 * dy.elem_count() + 3 * projection.weight.len());
        Ok(dx)
    }
}

/// A tensor that takes the memory of one value.
pub fn no_values(shape: &[usize], dtype: DType) -> Result<Tensor> {
    Ok(Tensor::zeros((), dtype, &Device::Cpu)?.broadcast_as(shape)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keep, ParameterLayout, ProjectedTokens, VisionEngine};
    use shared_model::config::ClipConfig;

    /// Of ViT-B/16: 35.28 GFLOP an image forward, twice that backward, and 36 launches a block.
    #[test]
    fn a_pass_costs_what_arithmetic_says() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let layout = ParameterLayout::new(&config.vision_parameters(), |_, rank| rank > 1);
        let vision = VisionEngine::new(&layout, &config).unwrap();
        let (n_images, mut ops) = (4, CountingOps::new(2));
        let pixels = no_values(&[n_images, 3, 224, 224], DType::U8).unwrap();
        let (raw, kept) = vision.forward(&mut ops, &pixels, ProjectedTokens::All, Keep::All).unwrap();
        let raw_bytes = 4 * raw.elem_count() as u64;
        assert_eq!(ops.bytes() + raw_bytes, vision.bytes(n_images, ProjectedTokens::All, 2).all);
        let flops = |ops: &CountingOps| ops.costs().values().map(|cost| cost.flops).sum::<f64>();
        let forward = flops(&ops);
        assert!((forward / n_images as f64 - 35.28e9).abs() < 0.01e9, "{forward:e}");
        vision.backward(&mut ops, kept, &pixels, &no_values(raw.dims(), DType::F32).unwrap()).unwrap();
        assert_eq!(ops.bytes(), 0);
        let products = ops.costs()["product"].flops + ops.costs()["weight gradient"].flops;
        // The patch embedding's input has no gradient.
        let input = 2.0 * 4.0 * 196.0 * 768.0 * 768.0;
        let attention = ops.costs()["attention"].flops;
        assert!((products - (3.0 * (forward - attention) - input)).abs() < 1e6, "{products:?}");
        assert_eq!(ops.costs()["attention"].launches, 12);
        assert!(ops.peak_bytes() + raw_bytes > vision.bytes(n_images, ProjectedTokens::All, 2).all);
    }
}
