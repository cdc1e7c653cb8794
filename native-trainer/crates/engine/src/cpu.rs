//! The operations on the CPU: f32, by the kernels that inference uses too.

use super::layout::{LinearLayer, NormLayer, Projection};
use super::ops::{Ops, PatchCut, Sequences};
use super::rounding::Rounding;
use anyhow::{Context, Result, bail, ensure};
use candle_core::{CpuStorage, Device, Storage, Tensor};
use rayon::prelude::*;
use shared_model::config::{Activation, TORCH_NORM_EPS};
use shared_model::fused::{self, Heads};
use std::ops::Range;

/// Flat weights, and the flat gradients that are added to.
pub struct CpuOps<'a> {
    weights: &'a [f32],
    /// The same before they were rounded, which layer norms compute with, as on a GPU.
    masters: &'a [f32],
    gradients: &'a mut [f32],
    rounding: Rounding,
}

impl<'a> CpuOps<'a> {
    /// `gradients` has the length of `weights` less the locked ones at their end; it is empty if only forward passes run.
    ///
    /// Activations are rounded where a GPU stores them in bf16 or f16; `weights` should be `masters` in values of that
    /// format then, and are `masters` otherwise.
    ///
    /// # Panics
    /// When there are not as many masters as weights, or more gradients.
    pub fn new(weights: &'a [f32], masters: &'a [f32], gradients: &'a mut [f32], rounding: Rounding) -> Self {
        assert_eq!(weights.len(), masters.len(), "one master a weight");
        assert!(gradients.len() <= weights.len(), "at most one gradient a weight");
        Self { weights, masters, gradients, rounding }
    }

    fn weights(&self, range: &Range<usize>) -> &'a [f32] {
        &self.weights[range.clone()]
    }

    /// The values as the device stores them.
    fn stored(&self, values: Vec<f32>) -> Vec<f32> {
        self.rounding.of_values(values)
    }
}

/// Runs `read` on the values of a contiguous f32 tensor on the CPU.
fn with_values<R>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) = (&*storage, layout.contiguous_offsets())
    else {
        bail!("expected f32 values on the CPU, got {:?} on {:?}", tensor.dtype(), tensor.device());
    };
    Ok(read(&values[start..end]))
}

impl Ops for CpuOps<'_> {
    type Matrix = Vec<f32>;
    type Statistics = Vec<f32>;

    fn linear(&mut self, x: &Vec<f32>, layer: &LinearLayer, residual: Option<&Vec<f32>>) -> Result<Vec<f32>> {
        let bias = layer.bias.as_ref().map(|bias| self.weights(bias));
        let residual = residual.map(Vec::as_slice);
        Ok(self.stored(fused::linear(x, self.weights(&layer.weight), layer.n_out, bias, residual)))
    }

    fn linear_weight_gradient(&mut self, x: &Vec<f32>, layer: &LinearLayer, dy: &Vec<f32>) -> Result<()> {
        fused::add_weight_gradient(dy, x, layer.n_out, &mut self.gradients[layer.weight.clone()]);
        if let Some(bias) = &layer.bias {
            fused::add_column_sums(dy, &mut self.gradients[bias.clone()]);
        }
        Ok(())
    }

    fn linear_input_gradient(&mut self, layer: &LinearLayer, dy: &Vec<f32>) -> Result<Vec<f32>> {
        Ok(self.stored(fused::input_gradient(dy, self.weights(&layer.weight), layer.n_out)))
    }

    fn layer_norm(&mut self, x: &Vec<f32>, layer: &NormLayer) -> Result<Vec<f32>> {
        let mut y = vec![0f32; x.len()];
        let [weight, bias] = [&layer.weight, &layer.bias].map(|range| &self.masters[range.clone()]);
        fused::layer_norm(x, weight, bias, TORCH_NORM_EPS, &mut y);
        Ok(self.stored(y))
    }

    fn layer_norm_gradient(
        &mut self,
        x: &Vec<f32>,
        layer: &NormLayer,
        mut dy: Vec<f32>,
        residual: Option<&Vec<f32>>,
    ) -> Result<Vec<f32>> {
        let weight = &self.masters[layer.weight.clone()];
        let [d_weight, d_bias] = self.gradients.get_disjoint_mut([layer.weight.clone(), layer.bias.clone()])?;
        fused::layer_norm_gradient(x, weight, residual.map(Vec::as_slice), &mut dy, d_weight, d_bias);
        Ok(self.stored(dy))
    }

    fn activation(&mut self, kind: Activation, x: &Vec<f32>) -> Result<Vec<f32>> {
        let mut y = vec![0f32; x.len()];
        fused::activation(kind, x, &mut y);
        Ok(self.stored(y))
    }

    fn activation_gradient(&mut self, kind: Activation, x: &Vec<f32>, mut dy: Vec<f32>) -> Result<Vec<f32>> {
        fused::activation_gradient(kind, x, &mut dy);
        Ok(self.stored(dy))
    }

    fn attention(&mut self, qkv: &Vec<f32>, sequences: &Sequences, heads: Heads) -> Result<(Vec<f32>, Vec<f32>)> {
        let mut attended = vec![0f32; qkv.len() / 3];
        let mut log_sum_exp = vec![0f32; sequences.n_tokens() * heads.count];
        fused::attention(qkv, sequences.starts(), heads, &mut attended, Some(&mut log_sum_exp));
        Ok((self.stored(attended), log_sum_exp))
    }

    fn attention_gradient(
        &mut self,
        qkv: &Vec<f32>,
        sequences: &Sequences,
        heads: Heads,
        attended: &Vec<f32>,
        statistics: &Vec<f32>,
        dy: &Vec<f32>,
    ) -> Result<Vec<f32>> {
        Ok(self.stored(fused::attention_gradient(qkv, sequences.starts(), heads, attended, statistics, dy)))
    }

    fn embed_tokens(
        &mut self,
        table: &Range<usize>,
        positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        sequences: &Sequences,
    ) -> Result<Vec<f32>> {
        let (table, positions) = (self.weights(table), self.weights(positions));
        let mut x = Vec::with_capacity(ids.len() * width);
        for (&id, position) in ids.iter().zip(sequences.positions()) {
            let token = &table[id as usize * width..][..width];
            let position = &positions[position as usize * width..][..width];
            x.extend(token.iter().zip(position).map(|(token, position)| token + position));
        }
        Ok(self.stored(x))
    }

    fn embed_tokens_gradient(
        &mut self,
        table: &Range<usize>,
        positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        sequences: &Sequences,
        dy: &Vec<f32>,
    ) -> Result<()> {
        let [table, positions] = self.gradients.get_disjoint_mut([table.clone(), positions.clone()])?;
        for ((&id, position), dy) in ids.iter().zip(sequences.positions()).zip(dy.chunks_exact(width)) {
            add(&mut table[id as usize * width..][..width], dy);
            add(&mut positions[position as usize * width..][..width], dy);
        }
        Ok(())
    }

    fn patches(&mut self, pixels: &Tensor, cut: &PatchCut) -> Result<Vec<f32>> {
        let (_, channels, height, width) = pixels.dims4()?;
        ensure!((channels, height) == (3, width), "the images are {:?}, expected [B, 3, S, S]", pixels.dims());
        let pixels = pixels.contiguous()?;
        let (storage, layout) = pixels.storage_and_layout();
        let (start, end) = layout.contiguous_offsets().context("pixels lie in memory without gaps")?;
        let patches = match &*storage {
            Storage::Cpu(CpuStorage::U8(bytes)) => {
                cut_patches(&bytes[start..end], width, cut.patch_size, |channel, byte| {
                    (f32::from(byte) / 255.0 - cut.mean[channel]) / cut.std[channel]
                })
            }
            Storage::Cpu(CpuStorage::F32(values)) => {
                cut_patches(&values[start..end], width, cut.patch_size, |_, value| value)
            }
            _ => {
                bail!("expected pixels in u8 or f32 on the CPU, got {:?} on {:?}", pixels.dtype(), pixels.device())
            }
        };
        Ok(self.stored(patches))
    }

    fn image_tokens(
        &mut self,
        patches: &Vec<f32>,
        class: &Range<usize>,
        positions: &Range<usize>,
    ) -> Result<Vec<f32>> {
        let (class, positions) = (self.weights(class), self.weights(positions));
        let width = class.len();
        let n_patches = positions.len() / width - 1;
        let mut tokens = vec![0f32; patches.len() / n_patches * (n_patches + 1)];
        let images = tokens.par_chunks_exact_mut(positions.len()).zip(patches.par_chunks_exact(n_patches * width));
        images.for_each(|(tokens, patches)| {
            tokens.copy_from_slice(positions);
            add(&mut tokens[..width], class);
            add(&mut tokens[width..], patches);
        });
        Ok(self.stored(tokens))
    }

    fn image_tokens_gradient(
        &mut self,
        class: &Range<usize>,
        positions: &Range<usize>,
        dy: &Vec<f32>,
    ) -> Result<Vec<f32>> {
        let [d_class, d_positions] = self.gradients.get_disjoint_mut([class.clone(), positions.clone()])?;
        let (width, image_len) = (d_class.len(), d_positions.len());
        d_positions.par_chunks_exact_mut(width).enumerate().for_each(|(position, sum)| {
            dy.chunks_exact(image_len).for_each(|image| add(sum, &image[position * width..][..width]));
        });
        let mut d_patches = Vec::with_capacity(dy.len() / image_len * (image_len - width));
        for image in dy.chunks_exact(image_len) {
            add(d_class, &image[..width]);
            d_patches.extend_from_slice(&image[width..]);
        }
        Ok(d_patches)
    }

    fn gather_rows(&mut self, x: &Vec<f32>, width: usize, rows: &[u32]) -> Result<Vec<f32>> {
        Ok(rows.iter().flat_map(|&row| &x[row as usize * width..][..width]).copied().collect())
    }

    fn gather_rows_gradient(
        &mut self,
        width: usize,
        rows: &[u32],
        n_rows: usize,
        dy: &Vec<f32>,
    ) -> Result<Vec<f32>> {
        let mut dx = vec![0f32; n_rows * width];
        for (&row, dy) in rows.iter().zip(dy.chunks_exact(width)) {
            dx[row as usize * width..][..width].copy_from_slice(dy);
        }
        Ok(dx)
    }

    fn project(&mut self, x: &Vec<f32>, projection: &Projection) -> Result<Tensor> {
        let y = fused::project(x, self.weights(&projection.weight), projection.n_out);
        let n_rows = x.len() / projection.n_in;
        Ok(Tensor::from_vec(y, (n_rows, projection.n_out), &Device::Cpu)?)
    }

    fn project_gradient(&mut self, x: &Vec<f32>, projection: &Projection, dy: &Tensor) -> Result<Vec<f32>> {
        let dy = self.stored(with_values(dy, <[f32]>::to_vec)?);
        let weight = self.weights(&projection.weight);
        fused::add_weight_gradient(x, &dy, projection.n_in, &mut self.gradients[projection.weight.clone()]);
        Ok(self.stored(fused::linear(&dy, weight, projection.n_in, None, None)))
    }
}

/// `[B, 3, S, S]` with S = `side` to `[B P, 3 p p]`; `value` takes the channel and the pixel's value in it.
fn cut_patches<T: Copy + Sync>(
    pixels: &[T],
    side: usize,
    patch_size: usize,
    value: impl Fn(usize, T) -> f32 + Sync,
) -> Vec<f32> {
    let grid = side / patch_size;
    let image_len = 3 * side * side;
    let n_images = pixels.len() / image_len;
    let patch_len = 3 * patch_size * patch_size;
    let mut patches = vec![0f32; n_images * grid * grid * patch_len];
    patches.par_chunks_exact_mut(grid * patch_len).enumerate().for_each(|(index, row_of_patches)| {
        let (image, grid_row) = (index / grid, index % grid);
        let image = &pixels[image * image_len..][..image_len];
        for (line, to) in row_of_patches.chunks_exact_mut(patch_size).enumerate() {
            let (patch, channel, y) = (line / (3 * patch_size), line / patch_size % 3, line % patch_size);
            let from = (channel * side + grid_row * patch_size + y) * side + patch * patch_size;
            to.iter_mut().zip(&image[from..]).for_each(|(to, &pixel)| *to = value(channel, pixel));
        }
    });
    patches
}

fn add(sum: &mut [f32], values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}
