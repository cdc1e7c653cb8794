//! Compares the loss and every gradient of a small model with the CPU's, in f32, bf16 and f16.

use super::check::answers;
use super::comparisons::Comparisons;
use super::inputs::{Inputs, drawn_weights};
use anyhow::Result;
use candle_core::{DType, Device};
use dermake_device::Precision;
use dermake_objective::{Loss, Objective, Variant};
use dermake_training::loss_scale::LossScale;
use dermake_training::model::{Gradients, TrainedModel};
use dermake_training::step::loss_and_gradients_over;
use dermake_training::{MicroBatches, Ranks};
use serde_json::{Value, json};
use shared_model::config::ClipConfig;
use shared_model::weights::Placement;

/// For a gradient in f32: the norm of the difference divided by the norm of all gradients.
const MOST_DIFFERENT: f64 = 1e-4;
/// Of a gradient in bf16 or f16 and in f32.
const LEAST_COSINE: f64 = 0.999;
/// Times that the loss scale of f16 may be halved until no gradient overflows.
const MOST_SKIPPED: u64 = 16;

/// A model whose layers have the widths of a real one's heads, on images of 4 by 4 patches.
pub fn small_config() -> Result<ClipConfig> {
    let json = json!({
        "embed_dim": 64,
        "quick_gelu": true,
        "vision_cfg": {"image_size": 64, "patch_size": 16, "width": 128, "layers": 3, "head_width": 64},
        "text_cfg": {"context_length": 77, "vocab_size": 500, "width": 128, "heads": 2, "layers": 3},
    });
    Ok(ClipConfig::from_open_clip_json(json.to_string().as_bytes())?)
}

/// # Errors
/// When a gradient differs, or a pass fails; the other objectives and precisions are compared all the same, while the
/// device works.
pub fn check(device: &Device, seed: u64) -> Result<Value> {
    let config = small_config()?;
    let inputs = Inputs::new(&config, 24, seed)?;
    let model = |device: &Device, dtype: DType| {
        let placement = Placement { device: device.clone(), dtype };
        TrainedModel::new(drawn_weights(&config, seed), &config, &placement)
    };
    let micro = MicroBatches { images: 9, tokens: 500, activation_memory_gib: Some(1.0) };
    let mut found = Comparisons::default();
    for variant in [Variant::Released, Variant::Paper, Variant::Clip] {
        // Without a threshold: a patch near it may count in one precision and not in the other.
        let objective = Objective { sigma: -1.0, ..Objective::of(variant) };
        let run = |model: &TrainedModel, precision: Precision| -> Result<(Loss, Gradients)> {
            let (inputs, mut scale) = (inputs.to_device(model.device())?, LossScale::of(precision));
            loop {
                let (batch, ranks) = (inputs.batch(), Ranks::alone());
                let found = loss_and_gradients_over(&ranks, model, &objective, &batch, &micro, scale.as_ref())?;
                match &mut scale {
                    // As a run does after a step that it skips.
                    Some(scale) if scale.skipped() < MOST_SKIPPED && !found.1.norm()?.is_finite() => {
                        scale.follow(false)
                    }
                    _ => return Ok(found),
                }
            }
        };
        let reference = model(&Device::Cpu, DType::F32)?;
        let expected = run(&reference, Precision::F32)?;
        for (precision, dtype) in
            [(Precision::F32, DType::F32), (Precision::Bf16, DType::BF16), (Precision::F16, DType::F16)]
        {
            let name = format!("{} in {dtype:?}", variant.name());
            let worst = model(device, dtype)
                .and_then(|model| run(&model, precision))
                .and_then(|of_device| Worst::of(&reference, &of_device, &expected, dtype));
            match worst {
                Ok(Worst { share, gradient, loss_error }) => {
                    let row = json!({
                        "objective": variant.name(), "precision": format!("{dtype:?}"), "loss_error": loss_error,
                        "worst_gradient": gradient, "share_of_tolerance": share,
                    });
                    let loss_tolerance = if dtype == DType::F32 { 1e-5 } else { 1e-2 };
                    let is_near = share <= 1.0 && loss_error <= loss_tolerance;
                    let wrong = format!(
                        "{name}: the loss differs by {loss_error:.1e}, the gradient of {gradient} by {share:.1} times \
                         what is allowed"
                    );
                    found.add(row, (!is_near).then_some(wrong));
                }
                Err(err) => found.failed(&name, &err),
            }
            if !answers(device) {
                return found.judged();
            }
        }
    }
    found.judged()
}

/// How far a loss and its gradients are from those of the reference.
struct Worst {
    /// Of the tolerance of a gradient; NaN where a gradient is not a number.
    share: f64,
    gradient: String,
    loss_error: f64,
}

impl Worst {
    fn of(
        reference: &TrainedModel,
        (loss, gradients): &(Loss, Gradients),
        (expected_loss, expected): &(Loss, Gradients),
        dtype: DType,
    ) -> Result<Self> {
        let all = expected.norm()?;
        let (mut worst, mut worst_name) = (0.0, String::new());
        for name in reference.parameters().keys() {
            let values = |gradients: &Gradients| -> Result<Vec<f32>> {
                Ok(gradients.get(name)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?)
            };
            let (found, expected) = (values(gradients)?, values(expected)?);
            let distance = match dtype {
                DType::F32 => difference(&found, &expected) / all / MOST_DIFFERENT,
                _ => unlikeness(&found, &expected, all) / (1.0 - LEAST_COSINE),
            };
            if distance > worst || distance.is_nan() {
                (worst, worst_name) = (distance, name.clone());
            }
        }
        let loss_error = (loss.total() - expected_loss.total()).abs() / expected_loss.total();
        Ok(Self { share: worst, gradient: worst_name, loss_error })
    }
}

fn difference(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

/// 1 minus the cosine; 0 for gradients that are only rounding, such as that of the keys' bias.
fn unlikeness(a: &[f32], b: &[f32], norm_of_all: f64) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let norm = dot(b, b).sqrt();
    if norm < 1e-3 * norm_of_all && difference(a, b) < 1e-3 * norm_of_all {
        return 0.0;
    }
    1.0 - dot(a, b) / (norm * dot(a, a).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_agrees_with_itself_and_with_its_rounded_form() {
        let figures = check(&Device::Cpu, 1).unwrap();
        assert_eq!(figures.as_array().unwrap().len(), 9);
        assert_eq!(figures[0]["share_of_tolerance"], 0.0);
        let share = |figure: usize| figures[figure]["share_of_tolerance"].as_f64().unwrap();
        // f16 has three more bits of the fraction than bf16.
        assert!(share(1) > share(2) && share(2) > 0.0, "{figures}");
    }

    #[test]
    fn a_gradient_of_another_direction_is_unlike() {
        assert!(unlikeness(&[1.0, 0.0], &[1.0, 0.1], 1.0) > 1e-3);
        assert!(unlikeness(&[2.0, 4.0], &[1.0, 2.0], 1.0) < 1e-9);
        assert_eq!(unlikeness(&[1e-6, 0.0], &[0.0, 1e-6], 1.0), 0.0);
        assert!(unlikeness(&[f32::NAN, 0.0], &[1.0, 0.0], 1.0).is_nan());
    }
}
