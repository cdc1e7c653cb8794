//! Every parameter of a model: its key and shape, in state-dict order.
//!
//! Keys are open_clip's, whichever library wrote the checkpoint; what open_clip's own towers do not have is named
//! alike.

use super::{ClipConfig, NormOrder, Projection, TextPooling, VisionPooling};

/// A parameter's key and its shape as PyTorch stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The key.
    pub name: String,
    /// The sides.
    pub shape: Vec<usize>,
}

impl ClipConfig {
    /// Parameters of the vision tower, all under `visual.`.
    pub fn vision_parameters(&self) -> Vec<Parameter> {
        let vision = &self.vision;
        let (width, patch) = (vision.width, vision.patch_size);
        let mut list = ParameterList::default();
        if vision.has_class_token {
            list.add("visual.class_embedding", &[width]);
        }
        list.add("visual.positional_embedding", &[vision.n_tokens(), width]);
        list.projection("visual.proj", vision.projection, width, self.embed_dim);
        list.add("visual.conv1.weight", &[width, 3, patch, patch]);
        if vision.has_patch_bias {
            list.add("visual.conv1.bias", &[width]);
        }
        if vision.has_ln_pre {
            list.layer_norm("visual.ln_pre", width);
        }
        list.blocks("visual.transformer.resblocks", vision.layers, width, vision.mlp_width);
        list.layer_norm("visual.ln_post", width);
        if vision.pooling == VisionPooling::Attention {
            list.attention_pool("visual.attn_pool", width, vision.mlp_width);
        }
        list.0
    }

    /// Parameters of the text tower, and `logit_scale` with its bias.
    pub fn text_parameters(&self) -> Vec<Parameter> {
        let text = &self.text;
        let width = text.width;
        let mut list = ParameterList::default();
        list.add("positional_embedding", &[text.n_positions(), width]);
        list.projection("text_projection", text.projection, width, self.embed_dim);
        list.add("logit_scale", &[]);
        if self.has_logit_bias {
            list.add("logit_bias", &[]);
        }
        if let Some(token_types) = text.token_types {
            list.add("token_type_embedding", &[token_types, width]);
        }
        if text.norm_order == NormOrder::Post {
            list.layer_norm("ln_pre", width);
        }
        list.blocks("transformer.resblocks", text.layers, width, text.mlp_width);
        list.add("token_embedding.weight", &[text.vocab_size, width]);
        if text.norm_order == NormOrder::Pre {
            list.layer_norm("ln_final", width);
        }
        if text.pooling == TextPooling::PooledFirstToken {
            list.linear("pooler", width, width);
        }
        list.0
    }

    /// Parameters of both towers.
    pub fn parameters(&self) -> Vec<Parameter> {
        [self.vision_parameters(), self.text_parameters()].concat()
    }
}

#[derive(Default)]
struct ParameterList(Vec<Parameter>);

impl ParameterList {
    fn add(&mut self, name: &str, shape: &[usize]) {
        self.0.push(Parameter { name: name.into(), shape: shape.to_vec() });
    }

    fn layer_norm(&mut self, prefix: &str, width: usize) {
        self.add(&format!("{prefix}.weight"), &[width]);
        self.add(&format!("{prefix}.bias"), &[width]);
    }

    fn linear(&mut self, prefix: &str, n_in: usize, n_out: usize) {
        self.add(&format!("{prefix}.weight"), &[n_out, n_in]);
        self.add(&format!("{prefix}.bias"), &[n_out]);
    }

    fn blocks(&mut self, prefix: &str, layers: usize, width: usize, mlp_width: usize) {
        for layer in 0..layers {
            let block = format!("{prefix}.{layer}");
            self.layer_norm(&format!("{block}.ln_1"), width);
            self.add(&format!("{block}.attn.in_proj_weight"), &[3 * width, width]);
            self.add(&format!("{block}.attn.in_proj_bias"), &[3 * width]);
            self.linear(&format!("{block}.attn.out_proj"), width, width);
            self.layer_norm(&format!("{block}.ln_2"), width);
            self.mlp(&format!("{block}.mlp"), width, mlp_width);
        }
    }

    fn mlp(&mut self, prefix: &str, width: usize, mlp_width: usize) {
        self.linear(&format!("{prefix}.c_fc"), width, mlp_width);
        self.linear(&format!("{prefix}.c_proj"), mlp_width, width);
    }

    fn attention_pool(&mut self, prefix: &str, width: usize, mlp_width: usize) {
        self.add(&format!("{prefix}.query"), &[width]);
        self.linear(&format!("{prefix}.attn.q"), width, width);
        self.linear(&format!("{prefix}.attn.kv"), width, 2 * width);
        self.linear(&format!("{prefix}.attn.out_proj"), width, width);
        self.layer_norm(&format!("{prefix}.ln"), width);
        self.mlp(&format!("{prefix}.mlp"), width, mlp_width);
    }

    /// A linear one is `[in, out]`, as open_clip's `proj`; the layers of an MLP are `[out, in]`.
    fn projection(&mut self, prefix: &str, projection: Projection, n_in: usize, n_out: usize) {
        match projection {
            Projection::None => {}
            Projection::Linear { bias } => {
                self.add(prefix, &[n_in, n_out]);
                if bias {
                    self.add(&format!("{prefix}_bias"), &[n_out]);
                }
            }
            Projection::Mlp { width, hidden_bias, bias } => {
                self.add(&format!("{prefix}.c_fc.weight"), &[width, n_in]);
                if hidden_bias {
                    self.add(&format!("{prefix}.c_fc.bias"), &[width]);
                }
                self.add(&format!("{prefix}.c_proj.weight"), &[n_out, width]);
                if bias {
                    self.add(&format!("{prefix}.c_proj.bias"), &[n_out]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vit_b_16_has_the_published_number_of_parameters() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let all = config.parameters();
        let n_elements: usize = all.iter().map(|p| p.shape.iter().product::<usize>()).sum();
        assert_eq!((all.len(), n_elements), (302, 149_620_737));
    }
}
