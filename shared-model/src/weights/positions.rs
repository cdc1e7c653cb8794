//! Position embeddings brought to another image size or context length, as open_clip's
//! `resize_pos_embed` and `resize_text_pos_embed` do.

use super::{StoredTensor, Weights};
use crate::Result;
use crate::config::ClipConfig;
use candle_core::{DType, Device, Tensor};

impl Weights {
    /// Resizes `visual.positional_embedding` (bicubic, antialiased, the class token kept) and
    /// `positional_embedding` (linear) where their lengths differ from the config's.
    ///
    /// Lengths that are no square grid, and other widths, are left for [`Weights::check`] to report.
    pub fn fit_positions(&mut self, config: &ClipConfig) -> Result<()> {
        let grid = config.vision.grid_size();
        self.replace("visual.positional_embedding", config.vision.width, |positions| {
            let (n_tokens, _) = positions.dims2()?;
            let old_grid = (n_tokens.saturating_sub(1) as f64).sqrt() as usize;
            if old_grid == 0 || old_grid * old_grid + 1 != n_tokens || old_grid == grid {
                return Ok(None);
            }
            resize_grid(positions, old_grid, grid).map(Some)
        })?;
        let length = config.text.n_positions();
        self.replace("positional_embedding", config.text.width, |positions| {
            let (old_length, _) = positions.dims2()?;
            if old_length == 0 || old_length == length {
                return Ok(None);
            }
            let rows = linear_taps(old_length, length);
            Ok(Some(rows.matmul(&positions)?))
        })
    }

    /// Of another width, a few bytes could be a million rows, and what resizes them a million times as large.
    fn replace(
        &mut self,
        name: &str,
        width: usize,
        resize: impl FnOnce(Tensor) -> Result<Option<Tensor>>,
    ) -> Result<()> {
        let has_width = |stored: &&StoredTensor| matches!(stored.shape[..], [_, found] if found == width);
        let Some(stored) = self.tensors.get(name).filter(has_width) else { return Ok(()) };
        let positions = stored.to_tensor(name)?.to_dtype(DType::F32)?;
        if let Some(resized) = resize(positions)? {
            self.tensors.insert(name.into(), StoredTensor::from_tensor(&resized)?);
        }
        Ok(())
    }
}

/// `[1 + old*old, D]` to `[1 + new*new, D]`.
fn resize_grid(positions: Tensor, old: usize, new: usize) -> Result<Tensor> {
    let class_token = positions.narrow(0, 0, 1)?;
    let width = positions.dim(1)?;
    let taps = cubic_taps(old, new);
    let grid = positions.narrow(0, 1, old * old)?.contiguous()?;
    // Separable: first along y, [new, old] x [old, old*D]; then along x for each row.
    let grid = taps.matmul(&grid.reshape((old, old * width))?)?;
    let grid = taps.broadcast_matmul(&grid.reshape((new, old, width))?)?;
    Ok(Tensor::cat(&[class_token, grid.reshape((new * new, width))?], 0)?)
}

/// `[new, old]` weights of the antialiased cubic (a = -0.5) that `torch.nn.functional.interpolate` uses with
/// `mode="bicubic", antialias=True, align_corners=False`.
fn cubic_taps(old: usize, new: usize) -> Tensor {
    let scale = old as f64 / new as f64;
    let filter_scale = scale.max(1.0);
    let support = 2.0 * filter_scale;
    let rows = (0..new).flat_map(|i| {
        let center = scale * (i as f64 + 0.5);
        let first = ((center - support + 0.5) as i64).max(0) as usize;
        let last = ((center + support + 0.5) as i64).clamp(0, old as i64) as usize;
        let mut row = vec![0f64; old];
        for (j, tap) in row.iter_mut().enumerate().take(last).skip(first) {
            *tap = cubic((j as f64 - center + 0.5) / filter_scale);
        }
        let total: f64 = row.iter().sum();
        row.into_iter().map(move |tap| (tap / total) as f32)
    });
    matrix(rows.collect(), new, old)
}

/// Keys' cubic kernel with a = -0.5.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

/// `[new, old]` weights of `mode="linear", align_corners=False`, not antialiased.
fn linear_taps(old: usize, new: usize) -> Tensor {
    // In f32 throughout, as PyTorch: at the far end the source position is off by some 1e-5 tokens.
    let scale = old as f32 / new as f32;
    let mut taps = vec![0f32; new * old];
    for (i, row) in taps.chunks_exact_mut(old).enumerate() {
        let source = (scale * (i as f32 + 0.5) - 0.5).max(0.0);
        let low = (source as usize).min(old - 1);
        let high = (low + 1).min(old - 1);
        let fraction = source - low as f32;
        row[low] += 1.0 - fraction;
        row[high] += fraction;
    }
    matrix(taps, new, old)
}

fn matrix(values: Vec<f32>, rows: usize, columns: usize) -> Tensor {
    Tensor::from_vec(values, (rows, columns), &Device::Cpu).expect("the length is the product of the sides")
}
