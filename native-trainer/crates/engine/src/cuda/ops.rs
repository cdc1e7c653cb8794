//! The operations, one by one: launches of kernels, and products.

use super::element::Element;
use super::flat::{CudaOps, n_rows, with_values};
use super::launch::{Arg, Launch, NULL, int, long};
use super::products::{Product, Stored};
use super::signatures::{ELEMENTS_PER_BLOCK, FINISH_COLUMNS, FINISH_THREADS, LAYER_NORM_PART_ROWS, ROWS_PER_BLOCK};
use crate::layout::{LinearLayer, NormLayer, Projection};
use crate::ops::{Ops, PatchCut, Sequences};
use anyhow::{Result, bail, ensure};
use candle_core::cuda_backend::cudarc::cublaslt::sys::cudaDataType;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{DType, Tensor};
use shared_model::config::Activation;
use shared_model::fused::Heads;
use std::ops::Range;

/// Blocks of kernels that give each row to a warp.
fn by_rows(rows: usize) -> Result<Launch> {
    Launch::of_blocks(rows.div_ceil(ROWS_PER_BLOCK))
}

/// Blocks of kernels that add partial sums.
fn by_columns(columns: usize) -> Result<Launch> {
    Ok(Launch::of_blocks(columns.div_ceil(FINISH_COLUMNS))?.threads(FINISH_THREADS))
}

fn by_elements(n: usize) -> Result<Launch> {
    Launch::of_blocks(n.div_ceil(ELEMENTS_PER_BLOCK))
}

/// As the kernels number them.
fn number_of(kind: Activation) -> Result<Arg> {
    match kind {
        Activation::QuickGelu => Ok(Arg::Int(0)),
        Activation::Gelu => Ok(Arg::Int(1)),
        Activation::TanhGelu => bail!("there is no CUDA kernel for the GELU with the hyperbolic tangent"),
    }
}

fn signed(rows: &[u32]) -> Vec<i32> {
    rows.iter().map(|&row| row as i32).collect()
}

impl<T: Element> Ops for CudaOps<'_, T> {
    type Matrix = CudaSlice<T>;
    type Statistics = CudaSlice<f32>;

    fn linear(
        &mut self,
        x: &CudaSlice<T>,
        layer: &LinearLayer,
        residual: Option<&CudaSlice<T>>,
    ) -> Result<CudaSlice<T>> {
        let (gpu, rows) = (self.gpu, n_rows(x, layer.n_in)?);
        let y = gpu.buffer(rows * layer.n_out)?;
        let (x, weight) = (Stored::plain(gpu.at(x)), Stored::transposed(self.weights(&layer.weight)));
        let product = Self::product(x, weight, [rows, layer.n_out, layer.n_in], gpu.at(&y));
        let bias = layer.bias.as_ref().map(|bias| self.weights(bias));
        gpu.products.run(&Product { bias, addend: residual.map(|residual| gpu.at(residual)), ..product })?;
        Ok(y)
    }

    fn linear_weight_gradient(&mut self, x: &CudaSlice<T>, layer: &LinearLayer, dy: &CudaSlice<T>) -> Result<()> {
        self.add_product(dy, x, layer.n_out, &layer.weight)?;
        let Some(bias) = &layer.bias else { return Ok(()) };
        let (partial, n_parts) = self.column_sums(dy, layer.n_out)?;
        let args = [self.gpu.at(&partial), self.gradients(bias)?, int(n_parts)?, long(layer.n_out)];
        self.gpu.launch("column_sums_finish", by_columns(layer.n_out)?, &args)
    }

    fn linear_input_gradient(&mut self, layer: &LinearLayer, dy: &CudaSlice<T>) -> Result<CudaSlice<T>> {
        let (gpu, rows) = (self.gpu, n_rows(dy, layer.n_out)?);
        let dx = gpu.buffer(rows * layer.n_in)?;
        let (dy, weight) = (Stored::plain(gpu.at(dy)), Stored::plain(self.weights(&layer.weight)));
        gpu.products.run(&Self::product(dy, weight, [rows, layer.n_in, layer.n_out], gpu.at(&dx)))?;
        Ok(dx)
    }

    fn layer_norm(&mut self, x: &CudaSlice<T>, layer: &NormLayer) -> Result<CudaSlice<T>> {
        let (gpu, width) = (self.gpu, layer.weight.len());
        let rows = n_rows(x, width)?;
        let y = gpu.buffer(x.len())?;
        let (weight, bias) = (self.masters(&layer.weight), self.masters(&layer.bias));
        self.launch(
            "layer_norm_forward",
            by_rows(rows)?,
            &[gpu.at(x), weight, bias, gpu.at(&y), int(rows)?, int(width)?],
        )?;
        Ok(y)
    }

    fn layer_norm_gradient(
        &mut self,
        x: &CudaSlice<T>,
        layer: &NormLayer,
        dy: CudaSlice<T>,
        residual: Option<&CudaSlice<T>>,
    ) -> Result<CudaSlice<T>> {
        let (gpu, width) = (self.gpu, layer.weight.len());
        let rows = n_rows(x, width)?;
        let n_parts = rows.div_ceil(LAYER_NORM_PART_ROWS);
        let partial: CudaSlice<f32> = gpu.buffer(n_parts * 2 * width)?;
        let residual = residual.map_or(NULL, |residual| gpu.at(residual));
        let (weight, dy_and_dx) = (self.masters(&layer.weight), gpu.at(&dy));
        let args = [gpu.at(x), dy_and_dx, weight, residual, dy_and_dx, gpu.at(&partial), int(rows)?, int(width)?];
        self.launch("layer_norm_backward", Launch::of_blocks(n_parts)?.shared_bytes(8 * width), &args)?;
        let (d_weight, d_bias) = (self.gradients(&layer.weight)?, self.gradients(&layer.bias)?);
        let args = [gpu.at(&partial), d_weight, d_bias, int(n_parts)?, int(width)?];
        gpu.launch("layer_norm_backward_finish", by_columns(2 * width)?, &args)?;
        Ok(dy)
    }

    fn activation(&mut self, kind: Activation, x: &CudaSlice<T>) -> Result<CudaSlice<T>> {
        let y = self.gpu.buffer(x.len())?;
        let args = [self.gpu.at(x), self.gpu.at(&y), long(x.len()), number_of(kind)?];
        self.launch("activation_forward", by_elements(x.len())?, &args)?;
        Ok(y)
    }

    fn activation_gradient(
        &mut self,
        kind: Activation,
        x: &CudaSlice<T>,
        dy: CudaSlice<T>,
    ) -> Result<CudaSlice<T>> {
        let args = [self.gpu.at(x), self.gpu.at(&dy), long(x.len()), number_of(kind)?];
        self.launch("activation_backward", by_elements(x.len())?, &args)?;
        Ok(dy)
    }

    fn attention(
        &mut self,
        qkv: &CudaSlice<T>,
        sequences: &Sequences,
        heads: Heads,
    ) -> Result<(CudaSlice<T>, CudaSlice<f32>)> {
        self.attention_forward(qkv, sequences, heads)
    }

    fn attention_gradient(
        &mut self,
        qkv: &CudaSlice<T>,
        sequences: &Sequences,
        heads: Heads,
        attended: &CudaSlice<T>,
        statistics: &CudaSlice<f32>,
        dy: &CudaSlice<T>,
    ) -> Result<CudaSlice<T>> {
        self.attention_backward(qkv, sequences, heads, attended, statistics, dy)
    }

    fn embed_tokens(
        &mut self,
        table: &Range<usize>,
        positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        sequences: &Sequences,
    ) -> Result<CudaSlice<T>> {
        let (gpu, rows) = (self.gpu, ids.len());
        let x = gpu.buffer(rows * width)?;
        let (table, positions) = (self.weights(table), self.weights(positions));
        let ids = gpu.upload(&signed(ids))?;
        let places: Vec<i32> = sequences.positions().map(|position| position as i32).collect();
        let places = gpu.upload(&places)?;
        let args = [table, positions, gpu.at(&ids), gpu.at(&places), gpu.at(&x), int(rows)?, int(width)?];
        self.launch("embedding_forward", by_rows(rows)?, &args)?;
        Ok(x)
    }

    fn embed_tokens_gradient(
        &mut self,
        table: &Range<usize>,
        positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        sequences: &Sequences,
        dy: &CudaSlice<T>,
    ) -> Result<()> {
        self.add_rows_by_key(table, width, ids, dy)?;
        let places: Vec<u32> = sequences.positions().collect();
        self.add_rows_by_key(positions, width, &places, dy)
    }

    fn patches(&mut self, pixels: &Tensor, cut: &PatchCut) -> Result<CudaSlice<T>> {
        let (n_images, channels, height, size) = pixels.dims4()?;
        ensure!((channels, height) == (3, size), "the images are {:?}, expected [B, 3, S, S]", pixels.dims());
        let (gpu, patch_size, grid) = (self.gpu, cut.patch_size, size / cut.patch_size);
        let patches = gpu.buffer(n_images * grid * grid * 3 * patch_size * patch_size)?;
        let launch = Launch::of_blocks(n_images * grid)?;
        let sizes = [int(size)?, int(patch_size)?];
        match pixels.dtype() {
            DType::U8 => with_values::<u8, _>(pixels, |bytes| {
                let (mean, std) = (gpu.upload(&cut.mean)?, gpu.upload(&cut.std)?);
                let buffers = [gpu.at(&bytes), gpu.at(&mean), gpu.at(&std), gpu.at(&patches)];
                self.launch("patches_forward", launch, &[&buffers, &sizes[..]].concat())
            })?,
            _ => with_values::<f32, _>(pixels, |values| {
                let buffers = [gpu.at(&values), gpu.at(&patches)];
                self.launch("patches_from_values", launch, &[&buffers, &sizes[..]].concat())
            })?,
        }
        Ok(patches)
    }

    fn image_tokens(
        &mut self,
        patches: &CudaSlice<T>,
        class: &Range<usize>,
        positions: &Range<usize>,
    ) -> Result<CudaSlice<T>> {
        let (gpu, width) = (self.gpu, class.len());
        let n_patches = positions.len() / width - 1;
        let n_images = n_rows(patches, n_patches * width)?;
        let tokens = gpu.buffer(n_images * positions.len())?;
        let (class, positions) = (self.weights(class), self.weights(positions));
        let args =
            [gpu.at(patches), class, positions, gpu.at(&tokens), int(n_images)?, int(n_patches)?, int(width)?];
        self.launch("assemble_tokens_forward", by_rows(n_images * (n_patches + 1))?, &args)?;
        Ok(tokens)
    }

    fn image_tokens_gradient(
        &mut self,
        class: &Range<usize>,
        positions: &Range<usize>,
        dy: &CudaSlice<T>,
    ) -> Result<CudaSlice<T>> {
        let (gpu, width) = (self.gpu, class.len());
        let n_patches = positions.len() / width - 1;
        let n_images = n_rows(dy, positions.len())?;
        let d_patches = gpu.buffer(n_images * n_patches * width)?;
        let args = [gpu.at(dy), gpu.at(&d_patches), int(n_images)?, int(n_patches)?, int(width)?];
        self.launch("assemble_tokens_backward", by_rows(n_images * n_patches)?, &args)?;
        let (partial, n_parts) = self.column_sums(dy, positions.len())?;
        let (d_positions, d_class) = (self.gradients(positions)?, self.gradients(class)?);
        let args = [gpu.at(&partial), d_positions, d_class, int(n_parts)?, int(n_patches)?, int(width)?];
        gpu.launch("assemble_tokens_finish", by_columns(positions.len())?, &args)?;
        Ok(d_patches)
    }

    fn gather_rows(&mut self, x: &CudaSlice<T>, width: usize, rows: &[u32]) -> Result<CudaSlice<T>> {
        let (gpu, y) = (self.gpu, self.gpu.buffer(rows.len() * width)?);
        let index = gpu.upload(&signed(rows))?;
        let args = [gpu.at(x), gpu.at(&index), gpu.at(&y), int(rows.len())?, int(width)?];
        self.launch("gather_rows", by_rows(rows.len())?, &args)?;
        Ok(y)
    }

    fn gather_rows_gradient(
        &mut self,
        width: usize,
        rows: &[u32],
        n_rows: usize,
        dy: &CudaSlice<T>,
    ) -> Result<CudaSlice<T>> {
        let mut sources = vec![-1i32; n_rows];
        for (source, &row) in rows.iter().enumerate() {
            sources[row as usize] = source as i32;
        }
        let (gpu, dx) = (self.gpu, self.gpu.buffer(n_rows * width)?);
        let sources = gpu.upload(&sources)?;
        let args = [gpu.at(dy), gpu.at(&sources), gpu.at(&dx), int(n_rows)?, int(width)?];
        self.launch("scatter_rows", by_rows(n_rows)?, &args)?;
        Ok(dx)
    }

    fn project(&mut self, x: &CudaSlice<T>, projection: &Projection) -> Result<Tensor> {
        let (gpu, Projection { weight, n_in, n_out }) = (self.gpu, projection);
        let rows = n_rows(x, *n_in)?;
        let y: CudaSlice<f32> = gpu.buffer(rows * n_out)?;
        let (x, weight) = (Stored::plain(gpu.at(x)), Stored::plain(self.weights(weight)));
        let product = Self::product(x, weight, [rows, *n_out, *n_in], gpu.at(&y));
        gpu.products.run(&Product { output_type: cudaDataType::CUDA_R_32F, ..product })?;
        Ok(gpu.tensor(y, (rows, *n_out)))
    }

    fn project_gradient(&mut self, x: &CudaSlice<T>, projection: &Projection, dy: &Tensor) -> Result<CudaSlice<T>> {
        let (gpu, Projection { weight, n_in, n_out }) = (self.gpu, projection);
        let dy = with_values::<f32, _>(dy, |values| T::converted(gpu, &values))?;
        self.add_product(x, &dy, *n_in, weight)?;
        let rows = n_rows(&dy, *n_out)?;
        let dx = gpu.buffer(rows * n_in)?;
        let (dy, weight) = (Stored::plain(gpu.at(&dy)), Stored::transposed(self.weights(weight)));
        gpu.products.run(&Self::product(dy, weight, [rows, *n_in, *n_out], gpu.at(&dx)))?;
        Ok(dx)
    }
}
