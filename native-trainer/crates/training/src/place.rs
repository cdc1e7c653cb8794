//! Where in the model a parameter is: locked parts and layer-wise learning rates go by it.

use shared_model::config::ClipConfig;

/// One of the two encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tower {
    Image,
    Text,
}

/// The part of a tower, from its inputs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What turns pixels or token ids into the input of the first block.
    Embeddings,
    Block(usize),
    /// The last layer norm and the projection.
    Head,
}

/// The place of a parameter by its open_clip key; none for the logit scale, which is in neither tower.
pub fn place(name: &str) -> Option<(Tower, Depth)> {
    let (tower, name) = match name.strip_prefix("visual.") {
        Some(name) => (Tower::Image, name),
        None => (Tower::Text, name),
    };
    let block = |rest: &str| rest.split('.').next()?.parse().ok();
    let depth = match name.strip_prefix("transformer.resblocks.") {
        Some(rest) => Depth::Block(block(rest)?),
        None if ["ln_post", "proj", "ln_final", "text_projection"].iter().any(|head| name.starts_with(head)) => {
            Depth::Head
        }
        None if name.starts_with("logit_") => return None,
        None => Depth::Embeddings,
    };
    Some((tower, depth))
}

/// Blocks of a tower.
pub fn n_blocks(config: &ClipConfig, tower: Tower) -> usize {
    match tower {
        Tower::Image => config.vision.layers,
        Tower::Text => config.text.layers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::parameters;

    #[test]
    fn every_parameter_has_its_place() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let embeddings = [
            "visual.class_embedding",
            "visual.positional_embedding",
            "visual.conv1.weight",
            "visual.ln_pre.weight",
            "visual.ln_pre.bias",
            "positional_embedding",
            "token_embedding.weight",
        ];
        let heads = [
            "visual.ln_post.weight",
            "visual.ln_post.bias",
            "visual.proj",
            "ln_final.weight",
            "ln_final.bias",
            "text_projection",
        ];
        for parameter in parameters(&config) {
            let name = parameter.name.as_str();
            let tower = if name.starts_with("visual.") { Tower::Image } else { Tower::Text };
            let expected = match name {
                "logit_scale" => None,
                _ if embeddings.contains(&name) => Some((tower, Depth::Embeddings)),
                _ if heads.contains(&name) => Some((tower, Depth::Head)),
                _ => {
                    let block = name.split('.').find_map(|word| word.parse().ok()).unwrap();
                    Some((tower, Depth::Block(block)))
                }
            };
            assert_eq!(place(name), expected, "{name}");
        }
    }
}
