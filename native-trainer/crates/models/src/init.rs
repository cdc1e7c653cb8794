//! `dermake init`: a fresh checkpoint with open_clip's initialization.

use anyhow::{Context, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Uniform};
use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest, Sha256};
use shared_model::config::{ClipConfig, Parameter};
use shared_model::weights::{StoredTensor, Weights};
use std::collections::HashMap;
use std::path::Path;

use crate::checkpoint::{CONFIG_FILE, TRAINED_KEY, WEIGHTS_FILE};
use dermake_files::output::{self, OutputFolder};

/// Writes `open_clip_config.json` and `open_clip_model.safetensors` into the new folder `out`.
///
/// The same seed gives the same bytes everywhere.
pub fn init(architecture: &str, seed: u64, out: &Path) -> Result<()> {
    let config = ClipConfig::named(architecture)?;
    let folder = OutputFolder::create(out)?;
    let (parameters, values) = draw_all(&config, seed);
    let views = parameters.iter().zip(&values).map(|(parameter, values)| {
        let view = TensorView::new(Dtype::F32, parameter.shape.clone(), values)?;
        Ok((parameter.name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    // One entry only: the header writes a map's entries in no fixed order.
    let metadata = HashMap::from([(TRAINED_KEY.to_string(), "false".to_string())]);
    safetensors::serialize_to_file(views, Some(metadata), &folder.path(WEIGHTS_FILE))
        .map_err(output::write_error)
        .context("cannot write weights")?;
    folder.write(CONFIG_FILE, serde_json::to_string_pretty(&config.to_open_clip_json())?.as_bytes())?;
    folder.finish()
}

/// A model's first weights, the same for the same seed everywhere.
pub fn weights(config: &ClipConfig, seed: u64) -> Weights {
    let (parameters, values) = draw_all(config, seed);
    let stored = parameters
        .into_iter()
        .zip(values)
        .map(|(Parameter { name, shape }, values)| (name, StoredTensor::new(Dtype::F32, &shape, values.into())));
    Weights::from_stored(stored)
}

/// Every parameter and its values as little-endian f32.
fn draw_all(config: &ClipConfig, seed: u64) -> (Vec<Parameter>, Vec<Vec<u8>>) {
    let parameters: Vec<Parameter> =
        config.vision_parameters().into_iter().chain(config.text_parameters()).collect();
    let values = parameters.par_iter().map(|parameter| draw(parameter, config, seed)).collect();
    (parameters, values)
}

/// Distribution of a parameter's random values.
#[derive(Debug, PartialEq)]
enum Init {
    Constant(f64),
    /// Standard deviation.
    Normal(f64),
    /// Largest magnitude.
    Uniform(f64),
}

/// open_clip's rules: `init_parameters` for the text tower; for the vision tower PyTorch's defaults but for the
/// class token, the positions and the projection.
fn rule(parameter: &Parameter, config: &ClipConfig) -> Init {
    let Parameter { name, shape } = parameter;
    let is_vision = name.starts_with("visual.");
    let (width, layers) = match is_vision {
        true => (config.vision.width as f64, config.vision.layers as f64),
        false => (config.text.width as f64, config.text.layers as f64),
    };
    let fan_in = |n: usize| (n as f64).powf(-0.5);
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_norm = name.contains(".ln_") || name.starts_with("ln_");
    match last {
        "logit_scale" => Init::Constant((1.0f64 / 0.07).ln()),
        "weight" if is_norm => Init::Constant(1.0),
        "bias" if is_norm || name.ends_with("out_proj.bias") => Init::Constant(0.0),
        "in_proj_bias" => Init::Constant(0.0),
        "bias" if name.ends_with("c_fc.bias") => Init::Uniform(width.powf(-0.5)),
        "bias" => Init::Uniform(fan_in(config_mlp_width(config, is_vision))),
        "class_embedding" | "proj" | "text_projection" => Init::Normal(width.powf(-0.5)),
        "positional_embedding" if is_vision => Init::Normal(width.powf(-0.5)),
        "positional_embedding" => Init::Normal(0.01),
        "in_proj_weight" if is_vision => Init::Uniform((6.0 / (shape[0] + shape[1]) as f64).sqrt()),
        "in_proj_weight" => Init::Normal(width.powf(-0.5)),
        "weight" if name == "token_embedding.weight" => Init::Normal(0.02),
        "weight" if is_vision => Init::Uniform(fan_in(shape[1..].iter().product())),
        "weight" if name.ends_with("c_fc.weight") => Init::Normal((2.0 * width).powf(-0.5)),
        _ => Init::Normal(width.powf(-0.5) * (2.0 * layers).powf(-0.5)),
    }
}

fn config_mlp_width(config: &ClipConfig, is_vision: bool) -> usize {
    if is_vision { config.vision.mlp_width } else { config.text.mlp_width }
}

/// The parameter's values as little-endian f32, from a stream of its own: no order of drawing matters.
fn draw(parameter: &Parameter, config: &ClipConfig, seed: u64) -> Vec<u8> {
    let digest = Sha256::digest(format!("{seed}:{}", parameter.name));
    let mut rng = ChaCha8Rng::from_seed(digest.into());
    let n_values = parameter.shape.iter().product();
    let to_bytes = |values: &mut dyn Iterator<Item = f64>| -> Vec<u8> {
        values.take(n_values).flat_map(|value| (value as f32).to_le_bytes()).collect()
    };
    match rule(parameter, config) {
        Init::Constant(value) => to_bytes(&mut std::iter::repeat(value)),
        Init::Normal(deviation) => {
            let normal = Normal::new(0.0, deviation).expect("the deviation is finite");
            to_bytes(&mut normal.sample_iter(&mut rng))
        }
        Init::Uniform(bound) => {
            let uniform = Uniform::new_inclusive(-bound, bound).expect("the bounds are finite");
            to_bytes(&mut (&mut rng).sample_iter(uniform))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_parameter_has_the_reference_s_rule() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let all: Vec<_> = config.vision_parameters().into_iter().chain(config.text_parameters()).collect();
        let rule_of = |name: &str| rule(all.iter().find(|p| p.name == name).unwrap(), &config);
        assert_eq!(rule_of("logit_scale"), Init::Constant((1.0f64 / 0.07).ln()));
        assert_eq!(rule_of("visual.ln_pre.weight"), Init::Constant(1.0));
        assert_eq!(rule_of("transformer.resblocks.3.ln_2.bias"), Init::Constant(0.0));
        assert_eq!(rule_of("visual.conv1.weight"), Init::Uniform(768f64.powf(-0.5)));
        assert_eq!(rule_of("visual.transformer.resblocks.0.mlp.c_proj.weight"), Init::Uniform(3072f64.powf(-0.5)));
        assert_eq!(rule_of("visual.transformer.resblocks.0.mlp.c_proj.bias"), Init::Uniform(3072f64.powf(-0.5)));
        assert_eq!(
            rule_of("visual.transformer.resblocks.0.attn.in_proj_weight"),
            Init::Uniform(0.04419417382415922)
        );
        assert_eq!(rule_of("transformer.resblocks.0.attn.in_proj_weight"), Init::Normal(512f64.powf(-0.5)));
        assert_eq!(rule_of("transformer.resblocks.0.mlp.c_fc.weight"), Init::Normal(1024f64.powf(-0.5)));
        assert_eq!(
            rule_of("transformer.resblocks.0.attn.out_proj.weight"),
            Init::Normal(512f64.powf(-0.5) * 24f64.powf(-0.5))
        );
        assert_eq!(rule_of("token_embedding.weight"), Init::Normal(0.02));
    }

    #[test]
    fn values_follow_from_seed_and_name_alone() {
        let config = ClipConfig::named("ViT-B-32").unwrap();
        let parameter = Parameter { name: "text_projection".into(), shape: vec![40, 50] };
        assert_eq!(draw(&parameter, &config, 1), draw(&parameter, &config, 1));
        assert_ne!(draw(&parameter, &config, 1), draw(&parameter, &config, 2));
        let values: Vec<f64> = draw(&parameter, &config, 1)
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).into())
            .collect();
        let variance = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
        assert!((variance * 512.0 - 1.0).abs() < 0.1, "{variance}");
    }
}
