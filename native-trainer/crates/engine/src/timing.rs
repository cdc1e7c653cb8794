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

/// Defines operations as the device's own, each timed under a name.
macro_rules! timed {
    ($($name:literal $operation:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $operation(&mut self, $($argument: $type),*) -> Result<$result> {
            self.timed($name, |ops| ops.$operation($($argument),*))
        })*
    };
}

impl<O: Ops> Ops for TimedOps<'_, O> {
    type Matrix = O::Matrix;
    type Statistics = O::Statistics;

    timed! {
        "product" linear(x: &O::Matrix, layer: &LinearLayer, residual: Option<&O::Matrix>) -> O::Matrix;
        "weight gradient" linear_weight_gradient(x: &O::Matrix, layer: &LinearLayer, dy: &O::Matrix) -> ();
        "product" linear_input_gradient(layer: &LinearLayer, dy: &O::Matrix) -> O::Matrix;
        "layer norm" layer_norm(x: &O::Matrix, layer: &NormLayer) -> O::Matrix;
        "layer norm, backward" layer_norm_gradient(
            x: &O::Matrix, layer: &NormLayer, dy: O::Matrix, residual: Option<&O::Matrix>
        ) -> O::Matrix;
        "activation" activation(kind: Activation, x: &O::Matrix) -> O::Matrix;
        "activation, backward" activation_gradient(kind: Activation, x: &O::Matrix, dy: O::Matrix) -> O::Matrix;
        "attention" attention(
            qkv: &O::Matrix, sequences: &Sequences, heads: Heads
        ) -> (O::Matrix, O::Statistics);
        "attention, backward" attention_gradient(
            qkv: &O::Matrix, sequences: &Sequences, heads: Heads,
            attended: &O::Matrix, statistics: &O::Statistics, dy: &O::Matrix
        ) -> O::Matrix;
        "embedding" embed_tokens(
            table: &Range<usize>, positions: &Range<usize>, width: usize, ids: &[u32], sequences: &Sequences
        ) -> O::Matrix;
        "embedding, backward" embed_tokens_gradient(
            table: &Range<usize>, positions: &Range<usize>, width: usize, ids: &[u32], sequences: &Sequences,
            dy: &O::Matrix
        ) -> ();
        "patches" patches(pixels: &Tensor, cut: &PatchCut) -> O::Matrix;
        "patches" image_tokens(
            patches: &O::Matrix, class: &Range<usize>, positions: &Range<usize>
        ) -> O::Matrix;
        "patches" image_tokens_gradient(
            class: &Range<usize>, positions: &Range<usize>, dy: &O::Matrix
        ) -> O::Matrix;
        "rows" gather_rows(x: &O::Matrix, width: usize, rows: &[u32]) -> O::Matrix;
        "rows" gather_rows_gradient(width: usize, rows: &[u32], n_rows: usize, dy: &O::Matrix) -> O::Matrix;
        "product" project(x: &O::Matrix, projection: &Projection) -> Tensor;
        "product" project_gradient(x: &O::Matrix, projection: &Projection, dy: &Tensor) -> O::Matrix;
    }
}
