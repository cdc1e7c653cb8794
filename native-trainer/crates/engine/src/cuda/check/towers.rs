//! Compares both towers on a GPU with the CPU's: features and every gradient.

use super::compare::{Finding, Random, compare_gradients, compare_named, layout};
use crate::{
    FlatWeights, Keep, Ops, PackedTexts, ParameterLayout, Pass, ProjectedTokens, Rounding, Sequences, TextEngine,
    VisionEngine,
};
use anyhow::Result;
use candle_core::{CudaDevice, Device, Tensor};
use shared_model::config::ClipConfig;

/// Compares features and gradients.
///
/// # Errors
/// When a pass fails.
pub fn compare_towers(
    device: &CudaDevice,
    config: &ClipConfig,
    rounding: Rounding,
    seed: u64,
) -> Result<Vec<Finding>> {
    let layout = layout(config);
    let mut weights = Random::new(seed, rounding).values(layout.len(), 0.1);
    for (_, span) in layout.iter().filter(|(name, _)| name.contains("ln_") && name.ends_with("weight")) {
        weights[span.range()].iter_mut().for_each(|gain| *gain += 1.0);
    }
    let run = |device: &Device, keep: Keep| -> Result<(Outputs, Vec<f32>)> {
        let masters = Tensor::new(&weights[..], device)?;
        let copies = rounding.copy_of(&masters)?;
        let weights = FlatWeights { masters: &masters, copies: copies.as_ref(), rounding };
        let random = Random::new(seed + 1, rounding);
        let pass = TowersPass { layout: &layout, config, device, keep, random };
        let (outputs, gradients) = weights.run_with_gradients(layout.len(), pass)?;
        Ok((outputs, gradients.to_vec1()?))
    };
    let (expected, expected_gradients) = run(&Device::Cpu, Keep::All)?;
    // In bf16 and f16, differences of one rounding grow from block to block.
    let tolerance = match rounding {
        Rounding::Bf16 => 3e-2,
        Rounding::F16 => 5e-3,
        Rounding::None => 1e-4,
    };
    let mut findings = Vec::new();
    for keep in [Keep::All, Keep::Inputs] {
        let (found, gradients) = run(&Device::Cuda(device.clone()), keep)?;
        findings.extend(compare_named(&found, &expected, tolerance));
        findings.extend(compare_gradients(&layout, &gradients, &expected_gradients, tolerance));
    }
    Ok(findings)
}

/// Results by name.
type Outputs = Vec<(String, Vec<f32>)>;

/// Both towers forward and backward, from random gradients of their features.
struct TowersPass<'a> {
    layout: &'a ParameterLayout,
    config: &'a ClipConfig,
    device: &'a Device,
    keep: Keep,
    random: Random,
}

impl Pass for TowersPass<'_> {
    type Output = Outputs;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Outputs> {
        let Self { layout, config, device, keep, mut random } = self;
        let mut tensor = |shape: &[usize]| -> Result<Tensor> {
            Ok(Tensor::from_vec(random.values(shape.iter().product(), 1.0), shape, device)?)
        };
        let mut outputs = Vec::new();
        let vision = VisionEngine::new(layout, config)?;
        let size = config.vision.image_size;
        let pixel_values = tensor(&[3, 3, size, size])?;
        for (name, projected) in [("class tokens", ProjectedTokens::Class), ("all tokens", ProjectedTokens::All)] {
            let (raw, kept) = vision.forward(ops, &pixel_values, projected, keep)?;
            outputs.push((format!("{name}, {keep:?}"), raw.flatten_all()?.to_vec1()?));
            vision.backward(ops, kept, &pixel_values, &tensor(raw.dims())?)?;
        }
        let text = TextEngine::new(layout, config)?;
        let sequences = Sequences::of_lengths([1, config.text.context_length, 3]);
        let ids = (0..sequences.n_tokens()).map(|token| (token * token % config.text.vocab_size) as u32).collect();
        let texts = PackedTexts { ids, sequences };
        let (raw, kept) = text.forward(ops, &texts, keep)?;
        outputs.push((format!("texts, {keep:?}"), raw.flatten_all()?.to_vec1()?));
        text.backward(ops, kept, &texts, &tensor(raw.dims())?)?;
        Ok(outputs)
    }
}
