//! Every parameter of a model: open_clip's key and shape, in state-dict order.

use super::ClipConfig;

/// A parameter's open_clip key and its shape as PyTorch stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<usize>,
}

impl ClipConfig {
    /// Parameters of the vision tower, all under `visual.`.
    pub fn vision_parameters(&self) -> Vec<Parameter> {
        let vision = &self.vision;
        let (width, patch) = (vision.width, vision.patch_size);
        let mut list = ParameterList::default();
        list.add("visual.class_embedding", &[width]);
        list.add("visual.positional_embedding", &[vision.n_patches() + 1, width]);
        list.add("visual.proj", &[width, self.embed_dim]);
        list.add("visual.conv1.weight", &[width, 3, patch, patch]);
        list.layer_norm("visual.ln_pre", width);
        list.blocks("visual.transformer.resblocks", vision.layers, width, vision.mlp_width);
        list.layer_norm("visual.ln_post", width);
        list.0
    }

    /// Parameters of the text tower, and `logit_scale`.
    pub fn text_parameters(&self) -> Vec<Parameter> {
        let text = &self.text;
        let mut list = ParameterList::default();
        list.add("positional_embedding", &[text.context_length, text.width]);
        list.add("text_projection", &[text.width, self.embed_dim]);
        list.add("logit_scale", &[]);
        list.blocks("transformer.resblocks", text.layers, text.width, text.mlp_width);
        list.add("token_embedding.weight", &[text.vocab_size, text.width]);
        list.layer_norm("ln_final", text.width);
        list.0
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

    fn blocks(&mut self, prefix: &str, layers: usize, width: usize, mlp_width: usize) {
        for layer in 0..layers {
            let block = format!("{prefix}.{layer}");
            self.layer_norm(&format!("{block}.ln_1"), width);
            self.add(&format!("{block}.attn.in_proj_weight"), &[3 * width, width]);
            self.add(&format!("{block}.attn.in_proj_bias"), &[3 * width]);
            self.add(&format!("{block}.attn.out_proj.weight"), &[width, width]);
            self.add(&format!("{block}.attn.out_proj.bias"), &[width]);
            self.layer_norm(&format!("{block}.ln_2"), width);
            self.add(&format!("{block}.mlp.c_fc.weight"), &[mlp_width, width]);
            self.add(&format!("{block}.mlp.c_fc.bias"), &[mlp_width]);
            self.add(&format!("{block}.mlp.c_proj.weight"), &[width, mlp_width]);
            self.add(&format!("{block}.mlp.c_proj.bias"), &[width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vit_b_16_has_the_published_number_of_parameters() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let all: Vec<_> = config.vision_parameters().into_iter().chain(config.text_parameters()).collect();
        let n_elements: usize = all.iter().map(|p| p.shape.iter().product::<usize>()).sum();
        assert_eq!((all.len(), n_elements), (302, 149_620_737));
    }
}
