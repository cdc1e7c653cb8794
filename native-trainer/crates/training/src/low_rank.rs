//! The recipe of low-rank adapters: which matrices have one, of which rank.

use super::lock::Lock;
use super::parameters::is_decayed;
use super::place::{Tower, n_blocks};
use anyhow::{Result, bail, ensure};
use dermake_engine::{ParameterLayout, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared_model::config::{ClipConfig, Parameter};

/// Trains low-rank adapters in place of the model's parameters. They are merged into each checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowRank {
    /// Rank of an adapter.
    pub rank: usize,
    /// An adapter counts alpha / rank times; by default once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The matrices of each block that have an adapter.
    #[serde(default = "queries_and_values")]
    pub matrices: Vec<Matrix>,
    /// Seed of the first values of A; B begins at 0.
    #[serde(default)]
    pub seed: u64,
}

/// A matrix of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matrix {
    /// Queries of the attention.
    Q,
    /// Its keys.
    K,
    /// Its values.
    V,
    /// The output of the attention.
    O,
    /// The first matrix of the MLP.
    CFc,
    /// Its second matrix.
    CProj,
}

fn queries_and_values() -> Vec<Matrix> {
    vec![Matrix::Q, Matrix::V]
}

impl Matrix {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Q => "q",
            Self::K => "k",
            Self::V => "v",
            Self::O => "o",
            Self::CFc => "c_fc",
            Self::CProj => "c_proj",
        }
    }

    /// Its tensor in a block, and which third of the tensor's rows it is, if not all.
    fn tensor(self) -> (&'static str, Option<usize>) {
        match self {
            Self::Q => ("attn.in_proj_weight", Some(0)),
            Self::K => ("attn.in_proj_weight", Some(1)),
            Self::V => ("attn.in_proj_weight", Some(2)),
            Self::O => ("attn.out_proj.weight", None),
            Self::CFc => ("mlp.c_fc.weight", None),
            Self::CProj => ("mlp.c_proj.weight", None),
        }
    }
}

impl LowRank {
    /// # Errors
    /// Names a value with which there are no adapters.
    pub fn validate(&self) -> Result<()> {
        ensure!(self.rank > 0, "rank is 0, expected at least 1");
        if let Some(alpha) = self.alpha.filter(|alpha| !(*alpha > 0.0 && alpha.is_finite())) {
            bail!("alpha is {alpha}, expected a positive number");
        }
        ensure!(!self.matrices.is_empty(), "matrices is empty, expected some of q, k, v, o, c_fc, c_proj");
        for (place, matrix) in self.matrices.iter().enumerate() {
            ensure!(!self.matrices[..place].contains(matrix), "matrices has {} twice", matrix.name());
        }
        Ok(())
    }

    /// What is locked beside adapters: the embeddings, too, since nothing below the first adapter needs a gradient.
    pub fn lock(lock: &Lock) -> Lock {
        let blocks = |is_whole: bool, blocks: Option<usize>| (!is_whole).then_some(blocks.unwrap_or(0));
        Lock {
            image_blocks: blocks(lock.image, lock.image_blocks),
            text_blocks: blocks(lock.text, lock.text_blocks),
            ..lock.clone()
        }
    }

    /// The adapters of a model's unlocked blocks, with the tensor that each one is added to.
    pub(super) fn places(&self, config: &ClipConfig, lock: &Lock) -> Vec<(String, Matrix)> {
        let towers = [(Tower::Image, "visual.transformer.resblocks"), (Tower::Text, "transformer.resblocks")];
        let of_tower = |(tower, prefix): (Tower, &str)| {
            let first = lock.of(tower).n_blocks(n_blocks(config, tower));
            let of_block = |block: usize| self.matrices.iter().map(move |&matrix| (block, matrix));
            let blocks = (first..n_blocks(config, tower)).flat_map(of_block);
            blocks.map(|(block, matrix)| (format!("{prefix}.{block}"), matrix)).collect::<Vec<_>>()
        };
        towers.into_iter().flat_map(of_tower).collect()
    }

    /// Bytes of the adapters with their gradients and moments, and of the matrices as the run found them.
    ///
    /// # Errors
    /// Those of [`Self::layout`].
    pub fn bytes(&self, config: &ClipConfig, lock: &Lock, model: &ParameterLayout) -> Result<usize> {
        let adapters = self.layout(config, lock, model)?;
        let sides = |(block, matrix): (String, Matrix)| Ok(rows_of(model, &block, matrix)?.1);
        let sides = self.places(config, lock).into_iter().map(sides).collect::<Result<Vec<_>>>()?;
        Ok(16 * adapters.len() + 4 * sides.iter().map(|[n_out, n_in]| n_out * n_in).sum::<usize>())
    }

    /// The places of all A and B in a flat array.
    ///
    /// # Errors
    /// When there is no block for them, or a matrix has a smaller rank.
    pub fn layout(&self, config: &ClipConfig, lock: &Lock, model: &ParameterLayout) -> Result<ParameterLayout> {
        let mut parameters = Vec::new();
        for (block, matrix) in self.places(config, lock) {
            let (_, [n_out, n_in]) = rows_of(model, &block, matrix)?;
            let (rank, most) = (self.rank, n_out.min(n_in));
            ensure!(
                rank <= most,
                "lora.rank is {rank}, expected at most {most}, as {block} has in {}",
                matrix.name()
            );
            let parameter = |name, shape: [usize; 2]| Parameter {
                name: format!("{block}.{}.{name}", matrix.name()),
                shape: shape.to_vec(),
            };
            parameters.extend([parameter(A, [rank, n_in]), parameter(B, [n_out, rank])]);
        }
        ensure!(!parameters.is_empty(), "every block is locked: lora has nothing to be added to");
        Ok(ParameterLayout::new(&parameters, is_decayed))
    }
}

pub(super) const A: &str = "lora_a";
pub(super) const B: &str = "lora_b";

/// Where a matrix starts in the flat arrays, and its sides.
pub(super) fn rows_of(model: &ParameterLayout, block: &str, matrix: Matrix) -> Result<(usize, [usize; 2])> {
    let (tensor, third) = matrix.tensor();
    let Span { start, shape } = model.span(&format!("{block}.{tensor}"))?;
    let n_out = if third.is_some() { shape[0] / 3 } else { shape[0] };
    Ok((start + third.unwrap_or(0) * n_out * shape[1], [n_out, shape[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_adapters_are_refused() {
        let sound = LowRank { rank: 4, alpha: None, matrices: queries_and_values(), seed: 0 };
        sound.validate().unwrap();
        for (recipe, expected) in [
            (LowRank { rank: 0, ..sound.clone() }, "rank is 0"),
            (LowRank { alpha: Some(-1.0), ..sound.clone() }, "alpha is -1"),
            (LowRank { alpha: Some(f64::NAN), ..sound.clone() }, "alpha is NaN"),
            (LowRank { matrices: vec![], ..sound.clone() }, "matrices is empty"),
            (LowRank { matrices: vec![Matrix::Q, Matrix::O, Matrix::Q], ..sound.clone() }, "matrices has q twice"),
        ] {
            let error = recipe.validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let lock = LowRank::lock(&Lock::default());
        let layout = |recipe: &LowRank, lock: &Lock| recipe.layout(&config, lock, &lock.layout(&config));
        let error = layout(&LowRank { rank: 513, ..sound.clone() }, &lock).unwrap_err().to_string();
        assert!(error.contains("lora.rank is 513, expected at most 512"), "{error}");
        let all = Lock { image: true, text_blocks: Some(12), ..Lock::default() };
        assert!(layout(&sound, &all).unwrap_err().to_string().contains("every block is locked"));
        // 24 blocks with two adapters of two matrices each.
        assert_eq!(layout(&sound, &lock).unwrap().iter().count(), 96);
        assert_eq!(
            layout(&sound, &LowRank::lock(&Lock { image: true, ..Lock::default() })).unwrap().iter().count(),
            48
        );
    }
}
