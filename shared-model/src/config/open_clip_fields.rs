//! The fields that open_clip writes, with the values under which they change nothing that we compute.

use super::section::Inert;
use serde_json::Value;

pub(super) fn any(_: &Value) -> bool {
    true
}

fn zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

pub(super) const MODEL_FIELDS: [Inert; 11] = [
    ("embed_dim", any),
    ("quick_gelu", any),
    ("vision_cfg", any),
    ("text_cfg", any),
    ("custom_text", any), // only prefixes the text tower's keys with `text.`, which the loader accepts
    ("init_logit_scale", any), // the checkpoint has the value
    ("init_logit_bias", any),
    ("cast_dtype", any),
    ("output_dict", any),
    ("sigma", any), // a training threshold of MAKE
    ("preprocess_cfg", any),
];

pub(super) const VISION_FIELDS: [Inert; 20] = [
    ("image_size", any),
    ("layers", any),
    ("width", any),
    ("head_width", any),
    ("patch_size", any),
    ("mlp_ratio", any),
    ("sigma", any),
    ("patch_dropout", any), // training only
    ("timm_drop", any),
    ("timm_drop_path", any),
    ("timm_proj", any), // the `timm_*` fields mean something only beside `timm_model_name`
    ("timm_pool", any),
    ("timm_proj_bias", any),
    ("timm_model_pretrained", any),
    ("attn_pooler_queries", any), // only beside `attentional_pool`, which is refused
    ("attn_pooler_heads", any),
    ("output_tokens", any),
    ("pos_embed_type", |value| value == "learnable"),
    ("pool_type", |value| value == "tok"),
    ("input_patchnorm", zero),
];

pub(super) const TEXT_FIELDS: [Inert; 20] = [
    ("context_length", any),
    ("vocab_size", any),
    ("width", any),
    ("heads", any),
    ("layers", any),
    ("mlp_ratio", any),
    ("pad_id", zero),
    ("eos_id", any),
    ("output_tokens", any),
    ("pool_type", any),
    ("proj_bias", any),
    ("no_causal_mask", any),
    ("norm_kwargs", any),
    ("act_kwargs", any),
    ("proj_type", |value| value == "linear"),
    ("hf_model_pretrained", any), // the `hf_*` fields mean something only beside `hf_model_name`
    ("hf_proj_type", any),
    ("hf_pooler_type", any),
    ("hf_tokenizer_name", any), // which tokenizer it is, its files say
    ("tokenizer_kwargs", any),
];
