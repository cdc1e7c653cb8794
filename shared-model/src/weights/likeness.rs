//! What a checkpoint looks like when it is not the model that its config describes.

use super::keys;
use crate::config::{ClipConfig, Parameter};
use crate::error::MismatchReport;
use std::collections::BTreeMap;

/// A part of a key, and the family of models whose keys have it, of those that cannot be loaded.
const FAMILIES: [(&str, &str); 14] = [
    ("lora_A.", "a LoRA adapter, which has to be merged into its model first"),
    ("first_stage_model.", "a Stable Diffusion checkpoint"),
    ("visual_encoder.", "a BLIP or ALBEF model"),
    ("text_decoder.", "an open_clip CoCa model"),
    ("visual.attnpool.", "a CLIP model with a ResNet image tower"),
    ("visual.layer1.", "a CLIP model with a ResNet image tower"),
    ("visual.attn_pool.", "an open_clip model with attentional pooling"),
    ("image_encoder.", "a model whose image tower is called image_encoder"),
    ("embeddings.mask_token", "a transformers DINOv2 model"),
    ("blocks.0.attn.qkv.weight", "a timm vision transformer or DINO model, without a text tower"),
    ("encoder.layer.0.attention", "a transformers BERT or ViT model"),
    ("layer1.0.conv1.weight", "a ResNet"),
    ("classifier.weight", "an image classifier"),
    ("fc.weight", "an image classifier"),
];

/// The same of those that can, beside a config that describes another model.
const LOADABLE: [(&str, &str); 7] = [
    ("vision_model.head.probe", "a transformers SiglipModel"),
    ("text_model.encoder.layers", "a transformers CLIPModel"),
    ("vision_model.encoder.layers", "a transformers CLIPModel"),
    ("visual.trunk.attn_pool.", "an open_clip SigLIP model"),
    ("visual.trunk.", "an open_clip model with a timm image tower"),
    ("visual.blocks.", "an open_clip model with PanDerm's image tower"),
    ("transformer.embeddings.", "an open_clip model with a BERT text tower"),
];

/// Shapes by name.
pub(super) type Shapes<'a> = BTreeMap<&'a str, Vec<usize>>;

/// One sentence for the report: another family, another size, or a prefix that all unexpected keys share.
pub(super) fn describe(shapes: &Shapes<'_>, report: &MismatchReport) -> Option<String> {
    // A family's keys are foreign ones: a model of ours with one key too many is none of another family.
    let is_foreign = !report.missing.is_empty();
    let names = || shapes.keys().copied();
    if let (true, Some(part)) = (is_foreign, names().find_map(keys::not_a_model)) {
        return Some(format!(
            "these are the values that an optimizer keeps for each parameter (`{part}`), not a model; name the model's \
             own file"
        ));
    }
    if let (true, [first, second, ..]) = (is_foreign, &keys::best_prefixes(names())[..]) {
        return Some(format!(
            "the file has several models, under `{first}` and `{second}`; save the one that is meant alone"
        ));
    }
    let of_report = |families: &'static [(&str, &str)]| {
        families.iter().find(|(part, _)| report.unexpected.iter().any(|name| name.contains(part)))
    };
    if let (true, Some((_, family))) = (is_foreign, of_report(&FAMILIES)) {
        return Some(format!("this looks like {family}, which is not supported"));
    }
    if let (true, Some((_, family))) = (is_foreign, of_report(&LOADABLE)) {
        return Some(format!(
            "this looks like {family}, which its config does not describe; keep its own config beside it"
        ));
    }
    if let Some(size) = named_size(shapes) {
        return Some(format!("these are the shapes of {size}, another size than the config's"));
    }
    if is_foreign && shapes.contains_key("conv1.weight") && shapes.contains_key("class_embedding") {
        return Some("this looks like the image tower alone (its keys lack `visual.`)".into());
    }
    let prefix = shared_prefix(&report.unexpected)?;
    is_foreign.then(|| format!("all unexpected keys begin with `{prefix}`"))
}

/// The architecture that has these shapes.
fn named_size(shapes: &Shapes<'_>) -> Option<&'static str> {
    let has = |Parameter { name, shape }: &Parameter| shapes.get(name.as_str()) == Some(shape);
    let told_by = ["visual.conv1.weight", "visual.positional_embedding", "text_projection"];
    ClipConfig::ARCHITECTURES.into_iter().find(|name| {
        let Ok(config) = ClipConfig::named(name) else { return false };
        let all = config.vision_parameters().into_iter().chain(config.text_parameters());
        all.filter(|parameter| told_by.contains(&parameter.name.as_str())).all(|parameter| has(&parameter))
    })
}

/// What all names begin with, up to a dot.
fn shared_prefix(names: &[String]) -> Option<&str> {
    let (first, others) = names.split_first()?;
    let dots = first.match_indices('.').map(|(at, _)| &first[..=at]);
    let shared = dots.take_while(|prefix| others.iter().all(|name| name.starts_with(prefix))).last();
    shared.filter(|_| !others.is_empty())
}
