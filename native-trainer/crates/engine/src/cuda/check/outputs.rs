//! One call of every operation, with results that are read back.

use super::compare::Random;
use crate::cpu::CpuOps;
use crate::cuda::element::Element;
use crate::cuda::flat::CudaOps;
use crate::layout::ParameterLayout;
use crate::ops::{Ops, PatchCut, Sequences};
use anyhow::{Context, Result};
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{Device, Tensor};
use shared_model::config::{Activation, ClipConfig};
use shared_model::fused::Heads;

/// Operations whose matrices can be copied to and from the host.
pub trait HostCopies: Ops {
    fn device(&self) -> Device;

    fn upload(&mut self, values: &[f32]) -> Result<Self::Matrix>;

    fn download(&mut self, matrix: &Self::Matrix) -> Result<Vec<f32>>;
}

impl HostCopies for CpuOps<'_> {
    fn device(&self) -> Device {
        Device::Cpu
    }

    fn upload(&mut self, values: &[f32]) -> Result<Vec<f32>> {
        Ok(values.to_vec())
    }

    fn download(&mut self, matrix: &Vec<f32>) -> Result<Vec<f32>> {
        Ok(matrix.clone())
    }
}

impl<T: Element> HostCopies for CudaOps<'_, T> {
    fn device(&self) -> Device {
        Device::Cuda(self.gpu.device().clone())
    }

    fn upload(&mut self, values: &[f32]) -> Result<CudaSlice<T>> {
        let values: Vec<T> = values.iter().map(|&value| T::from_f32(value)).collect();
        self.gpu.upload(&values)
    }

    fn download(&mut self, matrix: &CudaSlice<T>) -> Result<Vec<f32>> {
        let values = self.gpu.stream().clone_dtoh(matrix)?;
        self.gpu.stream().synchronize()?;
        Ok(values.into_iter().map(T::to_f32).collect())
    }
}

/// What operations returned.
#[derive(Default)]
struct Results {
    all: Vec<(String, Vec<f32>)>,
    /// Begins the names of those that follow.
    prefix: &'static str,
}

impl Results {
    /// Reads a result back: only then does a GPU say what went wrong in its operation.
    fn add<O: HostCopies>(&mut self, ops: &mut O, name: &str, matrix: &O::Matrix) -> Result<()> {
        let values = ops.download(matrix).with_context(|| format!("{}{name}, or before it", self.prefix))?;
        self.add_values(name, values);
        Ok(())
    }

    fn add_values(&mut self, name: &str, values: Vec<f32>) {
        self.all.push((format!("{}{name}", self.prefix), values));
    }
}

/// What every operation returns, by name. Two sequences of each length are packed; three images.
pub fn outputs<O: HostCopies>(
    ops: &mut O,
    layout: &ParameterLayout,
    config: &ClipConfig,
    mut random: Random,
) -> Result<Vec<(String, Vec<f32>)>> {
    let mut results = Results::default();
    let (vision, text) = (&config.vision, &config.text);
    let context = text.context_length;
    let towers = [
        (
            "visual.",
            "visual.transformer.resblocks.0",
            vision.width,
            vision.heads,
            vec![vision.n_patches() + 1; 3],
            false,
        ),
        (
            "",
            "transformer.resblocks.0",
            text.width,
            text.heads,
            vec![1, context, context / 2, 1, context, context / 2],
            true,
        ),
    ];
    for (tower, block, width, n_heads, lengths, is_causal) in towers {
        results.prefix = tower;
        let sequences = Sequences::of_lengths(lengths);
        let n_tokens = sequences.n_tokens();
        let mut matrix = |width: usize| random.values(n_tokens * width, 1.0);

        let norm = layout.layer_norm(&format!("{block}.ln_1"))?;
        let (x, dy, residual) =
            (ops.upload(&matrix(width))?, ops.upload(&matrix(width))?, ops.upload(&matrix(width))?);
        let y = ops.layer_norm(&x, &norm)?;
        results.add(ops, "layer norm", &y)?;
        let dx = ops.layer_norm_gradient(&x, &norm, dy, Some(&residual))?;
        results.add(ops, "layer norm, gradient", &dx)?;

        for name in ["attn.in_proj_", "attn.out_proj.", "mlp.c_fc.", "mlp.c_proj."] {
            let layer = layout.linear(&format!("{block}.{name}weight"), Some(&format!("{block}.{name}bias")))?;
            let (x, dy) = (ops.upload(&matrix(layer.n_in))?, ops.upload(&matrix(layer.n_out))?);
            let residual = ops.upload(&matrix(layer.n_out))?;
            let y = ops.linear(&x, &layer, (layer.n_out == width).then_some(&residual))?;
            results.add(ops, name, &y)?;
            let dx = ops.linear_input_gradient(&layer, &dy)?;
            results.add(ops, &format!("{name}, gradient"), &dx)?;
            ops.linear_weight_gradient(&x, &layer, &dy)?;
        }

        for kind in [Activation::QuickGelu, Activation::Gelu] {
            let (x, dy) = (
                ops.upload(&random.values(n_tokens * width, 4.0))?,
                ops.upload(&random.values(n_tokens * width, 1.0))?,
            );
            let y = ops.activation(kind, &x)?;
            results.add(ops, &format!("{kind:?}"), &y)?;
            let dx = ops.activation_gradient(kind, &x, dy)?;
            results.add(ops, &format!("{kind:?}, gradient"), &dx)?;
        }

        let heads = Heads { count: n_heads, width: width / n_heads, is_causal };
        let (qkv, dy) = (
            ops.upload(&random.values(3 * n_tokens * width, 2.0))?,
            ops.upload(&random.values(n_tokens * width, 1.0))?,
        );
        let (attended, statistics) = ops.attention(&qkv, &sequences, heads)?;
        results.add(ops, "attention", &attended)?;
        let d_qkv = ops.attention_gradient(&qkv, &sequences, heads, &attended, &statistics, &dy)?;
        results.add(ops, "attention, gradient", &d_qkv)?;

        let rows: Vec<u32> = sequences.starts()[1..].iter().map(|&end| end as u32 - 1).collect();
        let x = ops.upload(&random.values(n_tokens * width, 1.0))?;
        let gathered = ops.gather_rows(&x, width, &rows)?;
        results.add(ops, "rows", &gathered)?;
        let dx = ops.gather_rows_gradient(width, &rows, n_tokens, &gathered)?;
        results.add(ops, "rows, gradient", &dx)?;

        let projection = layout.projection(if is_causal { "text_projection" } else { "visual.proj" })?;
        let raw = ops.project(&x, &projection)?;
        results.add_values("projection", raw.flatten_all()?.to_vec1()?);
        let d_raw = Tensor::from_vec(
            random.values(n_tokens * projection.n_out, 1.0),
            (n_tokens, projection.n_out),
            &ops.device(),
        )?;
        let dx = ops.project_gradient(&x, &projection, &d_raw)?;
        results.add(ops, "projection, gradient", &dx)?;
    }
    results.prefix = "";
    embeddings(ops, layout, config, random, &mut results)?;
    Ok(results.all)
}

/// The embeddings of both towers of each tower.
fn embeddings<O: HostCopies>(
    ops: &mut O,
    layout: &ParameterLayout,
    config: &ClipConfig,
    mut random: Random,
    results: &mut Results,
) -> Result<()> {
    let (vision, text) = (&config.vision, &config.text);
    let (n_images, size) = (3, vision.image_size);
    let (mean, std) = (config.preprocess.mean, config.preprocess.std);
    let cut = PatchCut { patch_size: vision.patch_size, mean, std };
    let pixels =
        Tensor::from_vec(random.values(n_images * 3 * size * size, 2.0), (n_images, 3, size, size), &ops.device())?;
    let patches = ops.patches(&pixels, &cut)?;
    results.add(ops, "patches of values", &patches)?;
    let bytes: Vec<u8> = (0..n_images * 3 * size * size).map(|pixel| (pixel * pixel % 251) as u8).collect();
    let bytes = Tensor::from_vec(bytes, (n_images, 3, size, size), &ops.device())?;
    let patches = ops.patches(&bytes, &cut)?;
    results.add(ops, "patches of bytes", &patches)?;
    let range = |name: &str| Ok::<_, anyhow::Error>(layout.span(name)?.range());
    let (class, positions) = (range("visual.class_embedding")?, range("visual.positional_embedding")?);
    let embedded = ops.upload(&random.values(n_images * vision.n_patches() * vision.width, 1.0))?;
    let tokens = ops.image_tokens(&embedded, &class, &positions)?;
    results.add(ops, "image tokens", &tokens)?;
    let d_embedded = ops.image_tokens_gradient(&class, &positions, &tokens)?;
    results.add(ops, "image tokens, gradient", &d_embedded)?;

    // More than one piece of rows for the first positions and ids.
    let sequences = Sequences::of_lengths((0..300).map(|sequence| 1 + sequence % text.context_length));
    let n_tokens = sequences.n_tokens();
    let ids: Vec<u32> = (0..n_tokens).map(|token| (token * token % text.vocab_size) as u32).collect();
    let (table, positions) = (range("token_embedding.weight")?, range("positional_embedding")?);
    let x = ops.embed_tokens(&table, &positions, text.width, &ids, &sequences)?;
    results.add(ops, "text tokens", &x)?;
    let dy = ops.upload(&random.values(n_tokens * text.width, 1.0))?;
    ops.embed_tokens_gradient(&table, &positions, text.width, &ids, &sequences, &dy)
}
