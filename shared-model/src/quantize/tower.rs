//! Quantizes the blocks of a tower one after the other, each for the inputs that it has behind those before it.

mod balance;

use super::block::BlockParameters;
use super::grid::Grid;
use super::layer::Task;
use super::{MatrixBits, Options, QuantizedTower, Steps, activation_bits, full, half, pool, quantize_with};
use crate::Result;
use crate::config::{ClipConfig, Parameter};
use crate::kernels::int8::{BLOCK_WIDTH, Rounding};
use crate::linear::Linear;
use crate::text::TextTower;
use crate::transformer::{Block, Layer, TransformerConfig, joined_block_width};
use crate::vision::VisionTower;
use crate::weights::{ActivationBits, Placement, WeightFormat, Weights};
use candle_core::{Device, Tensor};
use std::collections::HashMap;

/// Is called after each block with the numbers of finished and of all blocks.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

const VISION_BLOCKS: &str = "visual.transformer.resblocks";
const TEXT_BLOCKS: &str = "transformer.resblocks";

/// Quantizes the vision tower for photos like those of `pixel_values` `[B, 3, S, S]`.
///
/// # Errors
/// Those of [`quantize`](super::quantize), and of a tower that cannot compute the photos.
pub fn quantize_vision(
    weights: &Weights,
    config: &ClipConfig,
    pixel_values: &Tensor,
    options: Options,
    progress: Progress<'_>,
) -> Result<QuantizedTower> {
    let mut shallow = config.clone();
    shallow.vision.layers = 0;
    let tokens = |weights: &Weights| {
        let tower = VisionTower::build(weights, &shallow, &Placement::default())?;
        Ok((tower.tokens(pixel_values)?, None))
    };
    let blocks = TransformerConfig::vision(config);
    let takes_first_token = config.vision.pooling.takes_first_token();
    let tower = Tower { parameters: config.vision_parameters(), prefix: VISION_BLOCKS, blocks, takes_first_token };
    let finish = |tokens: pool::Tokens<'_>, quantized: &mut QuantizedTower| {
        pool::quantize(weights, &config.vision, tokens, options, quantized)
    };
    quantize_tower(weights, tower, tokens, finish, options, progress)
}

/// Quantizes the text tower for texts like those of `input_ids`.
///
/// # Errors
/// Those of [`quantize`](super::quantize), and of a tower that cannot compute the texts.
pub fn quantize_text(
    weights: &Weights,
    config: &ClipConfig,
    input_ids: &[Vec<u32>],
    options: Options,
    progress: Progress<'_>,
) -> Result<QuantizedTower> {
    let mut shallow = config.clone();
    shallow.text.layers = 0;
    let tokens = |weights: &Weights| {
        let tower = TextTower::build(weights, &shallow, &Placement::default())?;
        let (tokens, starts) = tower.packed_tokens(input_ids)?;
        Ok((tokens, Some(starts)))
    };
    let blocks = TransformerConfig::text(config);
    let parameters = config.text_parameters();
    let tower = Tower { parameters, prefix: TEXT_BLOCKS, blocks, takes_first_token: false };
    let finish = |_: pool::Tokens<'_>, _: &mut QuantizedTower| Ok(());
    quantize_tower(weights, tower, tokens, finish, options, progress)
}

struct Tower {
    parameters: Vec<Parameter>,
    prefix: &'static str,
    blocks: TransformerConfig,
    /// Whether the last block computes the first token only.
    takes_first_token: bool,
}

/// Tokens as they enter the blocks, and where each sequence starts if they are packed.
type Tokens = (Tensor, Option<Vec<usize>>);

/// `tokens_of` computes what enters the blocks; `finish` quantizes what is behind them.
fn quantize_tower(
    weights: &Weights,
    tower: Tower,
    tokens_of: impl Fn(&Weights) -> Result<Tokens>,
    finish: impl FnOnce(pool::Tokens<'_>, &mut QuantizedTower) -> Result<()>,
    options: Options,
    progress: Progress<'_>,
) -> Result<QuantizedTower> {
    let Options { format, steps, .. } = options;
    let Tower { parameters, prefix, blocks, takes_first_token } = tower;
    let bits = MatrixBits::of(&parameters);
    let has_integer_products = matches!(format, WeightFormat::Int8 | WeightFormat::Int4);
    if !has_integer_products || steps == Steps::NONE {
        return quantize_with(weights, &parameters, format, &bits);
    }
    let is_outside = |parameter: &&Parameter| !parameter.name.starts_with(prefix);
    let outside: Vec<Parameter> = parameters.iter().filter(is_outside).cloned().collect();
    let mut quantized = quantize_with(weights, &outside, format, &bits)?;
    let restored = Weights::from_live(std::mem::take(&mut quantized.restored));
    let (mut dense, starts) = tokens_of(weights)?;
    let (mut x, _) = tokens_of(&restored)?;
    for layer in 0..blocks.layers {
        let mut block = BlockParameters::load(weights, &format!("{prefix}.{layer}"))?;
        let context = Context {
            prefix: format!("{prefix}.{layer}"),
            blocks: &blocks,
            bits: &bits,
            starts: starts.as_deref(),
            computes_one_token: takes_first_token && layer + 1 == blocks.layers,
            options,
        };
        let (output, inputs) = context.observe(&block, &dense)?;
        let inputs = if steps.equalize { context.equalize(&mut block, inputs) } else { inputs };
        let exponents = if steps.equalize { context.hidden_exponents(&block, &inputs) } else { None };
        dense = output;
        x = context.quantize((&block, exponents.as_deref()), &inputs, &x, &mut quantized)?;
        progress(layer + 1, blocks.layers);
    }
    finish(pool::Tokens { dense: &dense, quantized: &x }, &mut quantized)?;
    quantized.sort(&parameters);
    Ok(quantized)
}

/// How one block is quantized.
struct Context<'a> {
    prefix: String,
    blocks: &'a TransformerConfig,
    bits: &'a MatrixBits,
    starts: Option<&'a [usize]>,
    /// Whether the layers behind the keys and values compute one token of each image.
    computes_one_token: bool,
    options: Options,
}

/// The inputs of the layers of a block in the dense model, `[rows, in]`.
struct Inputs {
    in_proj: Vec<f32>,
    out_proj: Vec<f32>,
    c_fc: Vec<f32>,
    c_proj: Vec<f32>,
}

impl Inputs {
    fn of(&self, layer: Layer) -> &[f32] {
        match layer {
            Layer::InProj => &self.in_proj,
            Layer::OutProj => &self.out_proj,
            Layer::CFc => &self.c_fc,
            Layer::CProj => &self.c_proj,
        }
    }
}

impl Context<'_> {
    fn block(&self, parameters: &BlockParameters) -> Result<Block> {
        let weights = Weights::from_live(parameters.tensors()?);
        Block::load(&weights, &self.prefix, self.blocks, &Placement::default())
    }

    fn rounding(&self, layer: Layer, width: usize) -> Rounding {
        let is_joined = layer == Layer::OutProj;
        let block_width = if is_joined { joined_block_width(width, self.blocks.heads) } else { BLOCK_WIDTH };
        // Nothing behind one token averages its errors, and it takes no time.
        let is_fine = self.computes_one_token && layer != Layer::InProj;
        let bits = if is_fine { ActivationBits::Fourteen } else { activation_bits(&self.prefix) };
        Rounding { block_width, bits }
    }

    /// Computes the dense block; returns its output and the inputs of its layers.
    fn observe(&self, parameters: &BlockParameters, x: &Tensor) -> Result<(Tensor, Inputs)> {
        let block = self.block(parameters)?;
        let mut seen = HashMap::new();
        let output = block.forward_by(x, self.starts, &mut |layer, x| {
            seen.insert(layer, x.flatten_all()?.to_vec1::<f32>()?);
            block.linear(layer).forward(x)
        })?;
        let mut take = |layer| seen.remove(&layer).unwrap_or_default();
        let inputs = Inputs {
            in_proj: take(Layer::InProj),
            out_proj: take(Layer::OutProj),
            c_fc: take(Layer::CFc),
            c_proj: take(Layer::CProj),
        };
        Ok((output, inputs))
    }

    /// Quantizes the layers in the order in which they compute; returns the output of the quantized block.
    fn quantize(
        &self,
        (parameters, hidden_exponents): (&BlockParameters, Option<&[i8]>),
        dense: &Inputs,
        x: &Tensor,
        tower: &mut QuantizedTower,
    ) -> Result<Tensor> {
        let block = self.block(parameters)?;
        let output = block.forward_by(x, self.starts, &mut |layer, x| {
            let exponents = hidden_exponents.filter(|_| layer == Layer::CProj);
            match self.round((parameters, layer, exponents), dense.of(layer), x, tower)? {
                Some(rounded) => rounded.forward(x),
                None => block.linear(layer).forward(x),
            }
        })?;
        for (name, tensor) in parameters.tensors()? {
            if name.contains(".ln_") {
                tower.add(&name, full(&name, &tensor)?, &tensor, None)?;
            }
        }
        Ok(output)
    }

    /// Quantizes a layer whose inputs are `x`; returns it as the tower loads it. `None` for a matrix whose sides do not
    /// suit the format, which becomes f16.
    fn round(
        &self,
        (parameters, layer, exponents): (&BlockParameters, Layer, Option<&[i8]>),
        dense_inputs: &[f32],
        x: &Tensor,
        tower: &mut QuantizedTower,
    ) -> Result<Option<Linear>> {
        let names = parameters.names(layer);
        let [name, bias_name] = &names;
        let (matrix, format) = (parameters.matrix(layer), self.options.format);
        let (n_in, n_out) = (matrix.n_in(), matrix.bias.len());
        if !Grid::fits(format, n_out, n_in) {
            let dense = Tensor::from_slice(&matrix.weight, (n_out, n_in), &Device::Cpu)?;
            tower.add(name, half(name, &dense)?, &dense, None)?;
            tower.add_full(bias_name, &matrix.bias)?;
            return Ok(None);
        }
        let inputs = x.flatten_all()?.to_vec1::<f32>()?;
        let rounding = self.rounding(layer, parameters.ln_1.weight.len());
        let options = self.options;
        let rounded = Task {
            layer: matrix,
            dense_inputs,
            inputs,
            exponents,
            rounding,
            code_bits: self.bits.of_matrix(name),
            options,
        }
        .run();
        let weights = rounded.store(&names, (matrix, exponents), format, tower)?;
        let on_cpu = Placement::default();
        Ok(Some(Linear::load_in_blocks(&weights, name, Some(bias_name), &on_cpu, rounding.block_width)?))
    }
}

#[cfg(test)]
mod tests;
