//! BERT as a text tower of open_clip (`hf_model_name`).

use super::open_clip_fields::{TEXT_FIELDS, any};
use super::section::{Inert, Section, parse};
use super::tensors::Tensors;
use super::{Activation, NormOrder, Projection, TextConfig, TextPooling, Visibility};
use crate::Result;
use serde_json::Value;

const NAME: Inert = ("hf_model_name", any);

/// Reads `text_cfg` and the `config.json` of the model it names; without that, sizes are those of the tensors.
pub(super) fn text(section: &Section, tensors: &Tensors, embed_dim: usize) -> Result<TextConfig> {
    let [vocab_size, width] = tensors.shape("transformer.embeddings.word_embeddings.weight")?;
    let [positions, _] = tensors.shape("transformer.embeddings.position_embeddings.weight")?;
    let [token_types, _] = tensors.shape("transformer.embeddings.token_type_embeddings.weight")?;
    let [mlp_width, _] = tensors.shape("transformer.encoder.layer.0.intermediate.dense.weight")?;
    let layers = tensors.layers("transformer.encoder.layer.");
    section.refuse_others(&[&TEXT_FIELDS[..], &[NAME]].concat())?;
    let described = tensors.text_config.map(parse).transpose()?;
    let described = described.as_ref().map(|json| Section::new("text config", json)).transpose()?;
    let (heads, activation, norm_eps, padding) = match described {
        Some(bert) => {
            check_kind(&bert)?;
            let sizes = [
                ("hidden_size", width),
                ("vocab_size", vocab_size),
                ("max_position_embeddings", positions),
                ("num_hidden_layers", layers),
                ("intermediate_size", mlp_width),
            ];
            for (field, in_tensors) in sizes {
                let size = bert.size(field, in_tensors)?;
                if size != in_tensors {
                    return Err(bert.error(
                        field,
                        size,
                        &format!("{in_tensors}, as the checkpoint's tensors have"),
                    ));
                }
            }
            let heads = bert.required_size("num_attention_heads")?;
            let norm_eps = bert.typed("layer_norm_eps", "a number")?.unwrap_or(BERT_NORM_EPS);
            let padding = bert.typed("pad_token_id", "a token id")?.unwrap_or(0);
            (heads, activation(&bert, "hidden_act", Activation::Gelu)?, norm_eps, padding)
        }
        None => (Tensors::heads("text_cfg.hf_model_name", width)?, Activation::Gelu, BERT_NORM_EPS, 0),
    };
    Ok(TextConfig {
        context_length: section.size("context_length", 77)?,
        positions: Some(positions),
        vocab_size,
        width,
        layers,
        heads,
        mlp_width,
        activation,
        norm_eps,
        norm_order: NormOrder::Post,
        visibility: Visibility::AllBut { padding },
        token_types: Some(token_types),
        pooling: pooling(section)?,
        projection: projection(section, width, embed_dim)?,
    })
}

const BERT_NORM_EPS: f32 = 1e-12;

fn check_kind(bert: &Section) -> Result<()> {
    let kind: Option<String> = bert.typed("model_type", "the name of an architecture")?;
    if let Some(other) = kind.filter(|kind| kind != "bert") {
        return Err(bert.error("model_type", other, "bert"));
    }
    let positions: Option<String> = bert.typed("position_embedding_type", "a name")?;
    if let Some(other) = positions.filter(|kind| kind != "absolute") {
        return Err(bert.error("position_embedding_type", other, "absolute"));
    }
    Ok(())
}

/// An activation by transformers' name.
pub(super) fn activation(section: &Section, field: &str, default: Activation) -> Result<Activation> {
    let name: Option<String> = section.typed(field, "the name of an activation")?;
    match name.as_deref() {
        None => Ok(default),
        Some("quick_gelu") => Ok(Activation::QuickGelu),
        Some("gelu") => Ok(Activation::Gelu),
        Some("gelu_pytorch_tanh") => Ok(Activation::TanhGelu),
        Some(other) => Err(section.error(field, other, "quick_gelu, gelu or gelu_pytorch_tanh")),
    }
}

/// `hf_pooler_type`: absent is the mean.
fn pooling(section: &Section) -> Result<TextPooling> {
    let name: Option<String> = section.typed("hf_pooler_type", "the name of a pooler")?;
    match name.as_deref() {
        None | Some("mean_pooler") => Ok(TextPooling::Mean),
        Some("cls_pooler") => Ok(TextPooling::PooledFirstToken),
        Some("cls_last_hidden_state_pooler") => Ok(TextPooling::FirstToken),
        Some(other) => {
            let expected = "mean_pooler, cls_pooler or cls_last_hidden_state_pooler";
            Err(section.error("hf_pooler_type", other, expected))
        }
    }
}

/// `hf_proj_type`: absent is an MLP, null is none. No layer has a bias.
fn projection(section: &Section, width: usize, embed_dim: usize) -> Result<Projection> {
    let mlp = Projection::Mlp { width: (width + embed_dim) / 2, hidden_bias: false, bias: false };
    match section.raw("hf_proj_type") {
        None => Ok(mlp),
        Some(Value::Null) => Ok(Projection::None),
        Some(Value::String(kind)) if kind == "mlp" => Ok(mlp),
        Some(Value::String(kind)) if kind == "linear" => Ok(Projection::Linear { bias: false }),
        Some(other) => Err(section.error("hf_proj_type", other, "linear, mlp or null")),
    }
}
