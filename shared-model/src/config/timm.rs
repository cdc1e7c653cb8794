//! The vision transformers of timm, as open_clip uses them (`timm_model_name`).

use super::open_clip_fields::{VISION_FIELDS, any};
use super::section::{Inert, Section};
use super::tensors::Tensors;
use super::{Activation, Projection, VisionConfig, VisionPooling};
use crate::Result;
use serde_json::Value;

const NAME: Inert = ("timm_model_name", any);

/// Epsilon of the layer norms of timm's vision transformers.
const NORM_EPS: f32 = 1e-6;

/// Sizes by the name's second word: width and heads.
const SIZES: [(&str, usize, usize); 9] = [
    ("tiny", 192, 3),
    ("small", 384, 6),
    ("base", 768, 12),
    ("large", 1024, 16),
    ("so400m", 1152, 16),
    ("huge", 1280, 16),
    ("giant", 1408, 16),
    ("giantopt", 1536, 16),
    ("gigantic", 1664, 16),
];

/// SigLIP models whose GELU is the one with the hyperbolic tangent; those before them have the exact one.
const TANH_GELU: [&str; 4] = [
    "vit_base_patch32_siglip_",
    "vit_large_patch16_siglip_512",
    "vit_so400m_patch16_siglip_",
    "vit_giantopt_patch16_siglip_",
];

/// What a model's name says.
struct Named<'a> {
    name: &'a str,
    size: &'a str,
    is_siglip: bool,
}

impl<'a> Named<'a> {
    /// Takes `vit_SIZE_patchP_S` and `vit_SIZE_patchP_siglip_S`, with a tag of pretrained weights or without.
    fn parse(name: &'a str) -> Option<Self> {
        let architecture = name.split('.').next().unwrap_or_default().trim_end_matches("_in21k");
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (size, is_siglip) = match architecture.split('_').collect::<Vec<_>>()[..] {
            ["vit", size, patch, side] if patch.starts_with("patch") && is_number(side) => (size, false),
            ["vit", size, patch, "siglip", side] if patch.starts_with("patch") && is_number(side) => (size, true),
            _ => return None,
        };
        SIZES.iter().any(|(known, ..)| *known == size).then_some(Self { name: architecture, size, is_siglip })
    }

    fn activation(&self) -> Activation {
        match TANH_GELU.iter().any(|prefix| self.name.starts_with(prefix)) {
            true => Activation::TanhGelu,
            false => Activation::Gelu,
        }
    }

    /// The heads of the size if the tower has its width.
    fn heads(&self, field: &str, width: usize) -> Result<usize> {
        match SIZES.iter().find(|(size, named_width, _)| *size == self.size && *named_width == width) {
            Some((_, _, heads)) => Ok(*heads),
            None => Tensors::heads(field, width),
        }
    }
}

/// Reads `vision_cfg`; the sizes are those of the tensors.
pub(super) fn vision(section: &Section, tensors: &Tensors, embed_dim: usize) -> Result<VisionConfig> {
    let name: String = section.typed("timm_model_name", "the name of a model")?.unwrap_or_default();
    let Some(named) = Named::parse(&name) else {
        let expected =
            "a plain vision transformer of timm, such as vit_base_patch16_224 or vit_base_patch16_siglip_224";
        return Err(section.error("timm_model_name", &name, expected));
    };
    let [width, _, patch_size, _] = tensors.shape("visual.trunk.patch_embed.proj.weight")?;
    let [mlp_width, _] = tensors.shape("visual.trunk.blocks.0.mlp.fc1.weight")?;
    section.refuse_others(&[&VISION_FIELDS[..], &[NAME]].concat())?;
    let projection = projection(section, embed_dim)?;
    Ok(VisionConfig {
        image_size: section.square("image_size", 224)?,
        patch_size,
        width,
        layers: tensors.layers("visual.trunk.blocks."),
        heads: named.heads("vision_cfg.timm_model_name", width)?,
        mlp_width,
        activation: named.activation(),
        norm_eps: NORM_EPS,
        has_patch_bias: true,
        has_class_token: !named.is_siglip,
        has_ln_pre: false,
        pooling: pooling(section, &named, projection)?,
        projection,
    })
}

/// `timm_proj`: absent is linear; null and "" keep the network's own last layer, which has a bias.
fn projection(section: &Section, embed_dim: usize) -> Result<Projection> {
    let bias = section.boolean("timm_proj_bias", false)?;
    Ok(match section.raw("timm_proj") {
        None => Projection::Linear { bias },
        Some(Value::Null) => Projection::Linear { bias: true },
        Some(Value::String(kind)) => match kind.as_str() {
            "" => Projection::Linear { bias: true },
            "linear" => Projection::Linear { bias },
            "mlp" => Projection::Mlp { width: 2 * embed_dim, hidden_bias: true, bias },
            "none" => Projection::None,
            other => return Err(section.error("timm_proj", other, "linear, mlp or none")),
        },
        Some(other) => return Err(section.error("timm_proj", other, "linear, mlp or none")),
    })
}

/// `timm_pool`: absent is avg; null and "" keep the network's own. Where open_clip puts no layer of its own behind the
/// network, timm normalizes after the mean instead of before it.
fn pooling(section: &Section, named: &Named, projection: Projection) -> Result<VisionPooling> {
    let own = if named.is_siglip { "map" } else { "token" };
    let pool = match section.raw("timm_pool") {
        None => "avg",
        Some(Value::Null) => own,
        Some(Value::String(pool)) if pool.is_empty() => own,
        Some(Value::String(pool)) => pool.as_str(),
        Some(other) => return Err(section.error("timm_pool", other, "avg, token or map")),
    };
    let keeps_head = !matches!(section.raw("timm_proj"), None | Some(Value::String(_)))
        || matches!(section.raw("timm_proj"), Some(Value::String(kind)) if kind.is_empty());
    match pool {
        "token" if !named.is_siglip => Ok(VisionPooling::ClassToken),
        "map" if named.is_siglip => Ok(VisionPooling::Attention),
        "avg" if !named.is_siglip && (keeps_head || projection == Projection::None) => {
            Ok(VisionPooling::MeanThenNorm)
        }
        "avg" if !named.is_siglip => Ok(VisionPooling::NormThenMean),
        other => {
            let expected = if named.is_siglip { "map" } else { "avg or token" };
            Err(section.error("timm_pool", other, &format!("{expected} for {}", named.name)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_size_and_activation() {
        let named = |name| Named::parse(name).map(|named| (named.size, named.is_siglip, named.activation()));
        assert_eq!(named("vit_base_patch16_224"), Some(("base", false, Activation::Gelu)));
        assert_eq!(named("vit_large_patch16_384.augreg_in21k"), Some(("large", false, Activation::Gelu)));
        assert_eq!(named("vit_base_patch16_siglip_224.webli"), Some(("base", true, Activation::Gelu)));
        assert_eq!(named("vit_so400m_patch14_siglip_384"), Some(("so400m", true, Activation::Gelu)));
        assert_eq!(named("vit_so400m_patch16_siglip_256"), Some(("so400m", true, Activation::TanhGelu)));
        for other in
            ["resnet50", "vit_base_patch16_clip_224", "vit_base_patch14_dinov2", "vit_base_patch16_siglip_gap_224"]
        {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn heads_are_those_of_the_size_or_64_wide() {
        let heads = |name, width| Named::parse(name).unwrap().heads("x", width);
        assert_eq!(heads("vit_so400m_patch14_siglip_384", 1152).unwrap(), 16);
        assert_eq!(heads("vit_base_patch16_224", 128).unwrap(), 2);
        assert!(heads("vit_base_patch16_224", 100).is_err());
    }
}
