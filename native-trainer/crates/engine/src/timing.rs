//! The operations of a device with a clock: how long each kind takes, under the names of [`super::CountingOps`].

use super::layout::{LinearLayer, NormLayer, Projection};
use super::ops::{Ops, PatchCut, Sequences};
use anyhow::Result;
use candle_core::Tensor;
use shared_model::config::Activation;
use shared_model::fused::Heads;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

/// Waits until each operation is done, and adds up its time.
pub struct TimedOps<'a, O> {
    ops: &'a mut O,
    synchronize: &'a dyn Fn() -> Result<()>,
    secs: BTreeMap<&'static str, f64>,
}

impl<'a, O: Ops> TimedOps<'a, O> {
    /// `synchronize` returns when the device has done all that it was given.
    pub fn new(ops: &'a mut O, synchronize: &'a dyn Fn() -> Result<()>) -> Self {
        Self { ops, synchronize, secs: BTreeMap::new() }
    }

    /// Seconds by kind of operation.
    pub fn secs(&self) -> &BTreeMap<&'static str, f64> {
        &self.secs
    }

    fn timed<R>(&mut self, name: &'static str, run: impl FnOnce(&mut O) -> Result<R>) -> Result<R> {
        (self.synchronize)()?;
        let started = Instant::now();
        let result = run(self.ops)?;
        (self.synchronize)()?;
        *self.secs.entry(name).or_default() += started.elapsed().as_secs_f64();
        Ok(result)
    }
}

impl<O: Ops> Ops for TimedOps<'_, O> {
    type Matrix = O::Matrix;
    type Statistics = O::Statistics;

    fn linear(&mut self, x: &O::Matrix, layer: &LinearLayer, residual: Option<&O::Matrix>) -> Result<O::Matrix> {
        self.timed("product", |ops| ops.linear(x, layer, residual))
    }

    fn linear_weight_gradient(&mut self, x: &O::Matrix, layer: &LinearLayer, dy: &O::Matrix) -> Result<()> {
        self.timed("weight gradient", |ops| ops.linear_weight_gradient(x, layer, dy))
    }

    fn linear_input_gradient(&mut self, layer: &LinearLayer, dy: &O::Matrix) -> Result<O::Matrix> {
        self.timed("product", |ops| ops.linear_input_gradient(layer, dy))
    }

    fn layer_norm(&mut self, x: &O::Matrix, layer: &NormLayer) -> Result<O::Matrix> {
        self.timed("layer norm", |ops| ops.layer_norm(x, layer))
    }

    fn layer_norm_gradient(
        &mut self,
        x: &O::Matrix,
        layer: &NormLayer,
        dy: O::Matrix,
        residual: Option<&O::Matrix>,
    ) -> Result<O::Matrix> {
        self.timed("layer norm, backward", |ops| ops.layer_norm_gradient(x, layer, dy, residual))
    }

    fn activation(&mut self, kind: Activation, x: &O::Matrix) -> Result<O::Matrix> {
        self.timed("activation", |ops| ops.activation(kind, x))
    }

    fn activation_gradient(&mut self, kind: Activation, x: &O::Matrix, dy: O::Matrix) -> Result<O::Matrix> {
        self.timed("activation, backward", |ops| ops.activation_gradient(kind, x, dy))
    }

    fn attention(
        &mut self,
        qkv: &O::Matrix,
        sequences: &Sequences,
        heads: Heads,
    ) -> Result<(O::Matrix, O::Statistics)> {
        self.timed("attention", |ops| ops.attention(qkv, sequences, heads))
    }

    fn attention_gradient(
        &mut self,
        qkv: &O::Matrix,
        sequences: &Sequences,
        heads: Heads,
        attended: &O::Matrix,
        statistics: &O::Statistics,
        dy: &O::Matrix,
    ) -> Result<O::Matrix> {
        let run = |ops: &mut O| ops.attention_gradient(qkv, sequences, heads, attended, statistics, dy);
        self.timed("attention, backward", run)
    }

    fn embed_tokens(
        &mut self,
        table: &Range<usize>,
        positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        sequences: &Sequences,
    ) -> Result<O::Matrix> {
        self.timed("embedding", |ops| ops.embed_tokens(table, positions, width, ids, sequences))
    }

    fn embed_tokens_gradient(
        &mut self,
        table: &Range<usize>,
        positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        sequences: &Sequences,
        dy: &O::Matrix,
    ) -> Result<()> {
        let run = |ops: &mut O| ops.embed_tokens_gradient(table, positions, width, ids, sequences, dy);
        self.timed("embedding, backward", run)
    }

    fn patches(&mut self, pixels: &Tensor, cut: &PatchCut) -> Result<O::Matrix> {
        self.timed("patches", |ops| ops.patches(pixels, cut))
    }

    fn image_tokens(
        &mut self,
        patches: &O::Matrix,
        class: &Range<usize>,
        positions: &Range<usize>,
    ) -> Result<O::Matrix> {
        self.timed("patches", |ops| ops.image_tokens(patches, class, positions))
    }

    fn image_tokens_gradient(
        &mut self,
        class: &Range<usize>,
        positions: &Range<usize>,
        dy: &O::Matrix,
    ) -> Result<O::Matrix> {
        self.timed("patches", |ops| ops.image_tokens_gradient(class, positions, dy))
    }

    fn gather_rows(&mut self, x: &O::Matrix, width: usize, rows: &[u32]) -> Result<O::Matrix> {
        self.timed("rows", |ops| ops.gather_rows(x, width, rows))
    }

    fn gather_rows_gradient(
        &mut self,
        width: usize,
        rows: &[u32],
        n_rows: usize,
        dy: &O::Matrix,
    ) -> Result<O::Matrix> {
        self.timed("rows", |ops| ops.gather_rows_gradient(width, rows, n_rows, dy))
    }

    fn project(&mut self, x: &O::Matrix, projection: &Projection) -> Result<Tensor> {
        self.timed("product", |ops| ops.project(x, projection))
    }

    fn project_gradient(&mut self, x: &O::Matrix, projection: &Projection, dy: &Tensor) -> Result<O::Matrix> {
        self.timed("product", |ops| ops.project_gradient(x, projection, dy))
    }
}
