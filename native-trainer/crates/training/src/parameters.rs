//! The parameters of a model, by open_clip's keys.

use shared_model::config::{ClipConfig, Parameter};

/// open_clip's key of the log parameter.
pub const LOGIT_SCALE: &str = "logit_scale";

/// open_clip's key of what is added to all logits.
pub const LOGIT_BIAS: &str = "logit_bias";

/// Every parameter of a model.
pub fn parameters(config: &ClipConfig) -> Vec<Parameter> {
    config.vision_parameters().into_iter().chain(config.text_parameters()).collect()
}

/// Values of all parameters.
pub(super) fn n_values(config: &ClipConfig) -> u64 {
    parameters(config).iter().map(|parameter| parameter.shape.iter().product::<usize>() as u64).sum()
}

/// The reference's exclusion rule: no decay for parameters of rank below 2, or with one of these words in the name.
pub fn is_decayed(name: &str, rank: usize) -> bool {
    rank >= 2 && !["bn", "ln", "bias", LOGIT_SCALE].iter().any(|word| name.contains(word))
}
