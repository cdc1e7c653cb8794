//! One tower's backward pass, with or without its activations kept.

use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use shared_model::Transformer;

/// A tower from its input to a scalar.
pub struct TowerPass<'a> {
    pub tracked: &'a Transformer,
    /// The same weights without a graph.
    pub plain: &'a Transformer,
    /// What enters the blocks.
    pub embed_tracked: &'a dyn Fn() -> Result<Tensor>,
    pub embed_plain: &'a dyn Fn() -> Result<Tensor>,
    /// From what leaves the blocks to the scalar.
    pub scalar: &'a dyn Fn(&Tensor) -> Result<Tensor>,
}

/// Hands the gradients of the scalar to `collect`, once or, with `recompute_blocks`, a stage at a time.
///
/// With `recompute_blocks` only the tokens between blocks are kept; each block runs again, from the last to the first,
/// and is pulled by the gradient of what it gave.
pub fn backward(
    pass: &TowerPass<'_>,
    recompute_blocks: bool,
    collect: &mut dyn FnMut(&mut GradStore) -> Result<()>,
) -> Result<()> {
    if !recompute_blocks {
        let tokens = pass.tracked.forward((pass.embed_tracked)()?, &mut |_, _| {})?;
        return collect(&mut (pass.scalar)(&tokens)?.backward()?);
    }
    let mut inputs = vec![(pass.embed_plain)()?];
    for index in 0..pass.plain.n_blocks() {
        let next = pass.plain.block(index, &inputs[index])?;
        inputs.push(next);
    }
    let last = inputs.pop().context("a tower has an input")?;
    let mut pull = pull_stage(&last, &mut |tokens| (pass.scalar)(tokens), collect)?;
    for (index, input) in inputs.into_iter().enumerate().rev() {
        let stage = &mut |tokens: &Tensor| Ok((pass.tracked.block(index, tokens)? * &pull)?.sum_all()?);
        let next = pull_stage(&input, stage, collect)?;
        pull = next;
    }
    let mut store = ((pass.embed_tracked)()? * pull)?.sum_all()?.backward()?;
    collect(&mut store)
}

/// Runs one stage on a fresh leaf; returns the leaf's gradient.
fn pull_stage(
    input: &Tensor,
    stage: &mut dyn FnMut(&Tensor) -> Result<Tensor>,
    collect: &mut dyn FnMut(&mut GradStore) -> Result<()>,
) -> Result<Tensor> {
    let leaf = Var::from_tensor(input)?;
    let mut store = stage(&leaf)?.backward()?;
    collect(&mut store)?;
    store.remove(&leaf).context("no gradient came through a block")
}
