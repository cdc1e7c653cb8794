//! The tiny model of `model_tiny/` on the batch of `train/`.

use crate::fixtures;
use candle_core::{DType, Tensor};
use dermake_objective::{Captions, Lineage, Loss, Objective, Variant};
use dermake_training::MicroBatches;
use dermake_training::lock::Lock;
use dermake_training::model::{Gradients, TrainedModel};
use dermake_training::step::{Batch, loss_and_gradients};
use serde_json::Value;
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, Weights};

/// Everything in one piece.
pub const AT_ONCE: MicroBatches =
    MicroBatches { images: 1000, tokens: 1_000_000, activation_memory_gib: Some(1.0) };

pub struct Fixture {
    pub json: Value,
    pub pixel_values: Tensor,
    pub captions: Captions,
    pub input_ids: Vec<Vec<u32>>,
}

/// Places of diagnoses, some of them related and some unknown.
pub fn lineages(n_samples: usize) -> Vec<Lineage> {
    let of = |sample: usize| Lineage::new([&[0, 1][..], &[0, 2], &[], &[0, 1], &[3]][sample % 5]);
    (0..n_samples).map(of).collect()
}

impl Fixture {
    pub fn read() -> Self {
        let mut batch = fixtures::tensors("train/batch.safetensors");
        let texts = batch.remove("texts").unwrap();
        let n_kinds = texts.dim(1).unwrap();
        let ids: Vec<Vec<u32>> = texts.flatten_to(1).unwrap().to_dtype(DType::U32).unwrap().to_vec2().unwrap();
        let mask: Vec<f32> = batch["caption_mask"].flatten_all().unwrap().to_vec1().unwrap();
        let mask = mask.into_iter().map(|value| value == 1.0).collect();
        let (mut captions, input_ids) = Captions::distinct(&ids, mask, n_kinds);
        captions.lineages = lineages(captions.n_samples());
        Self {
            json: fixtures::json("train/train.json"),
            pixel_values: batch.remove("images").unwrap(),
            captions,
            input_ids,
        }
    }

    pub fn batch(&self) -> Batch<'_> {
        Batch { pixels: &self.pixel_values, captions: &self.captions, input_ids: &self.input_ids }
    }

    pub fn objective(&self, variant: Variant) -> Objective {
        Objective {
            variant,
            lambda_m: self.json["lambda_m"].as_f64().unwrap(),
            lambda_s: self.json["lambda_s"].as_f64().unwrap(),
            sigma: self.json["sigma"].as_f64().unwrap(),
            diagnosis_weights: self.json["use_disease_specific_weight"].as_bool().unwrap(),
            masked_captions_are_negatives: true,
            ontology: None,
        }
    }

    pub fn gradients(&self, model: &TrainedModel, variant: Variant, micro: &MicroBatches) -> (Loss, Gradients) {
        loss_and_gradients(model, &self.objective(variant), &self.batch(), micro).unwrap()
    }
}

/// The tiny model of `model_tiny/`.
pub fn tiny_model() -> TrainedModel {
    tiny_model_in(DType::F32)
}

pub fn tiny_model_in(dtype: DType) -> TrainedModel {
    tiny(&Placement { dtype, ..Placement::default() }, &Lock::default())
}

/// The model with a locked part.
pub fn tiny_model_with(lock: &Lock) -> TrainedModel {
    tiny(&Placement::default(), lock)
}

fn tiny(placement: &Placement, lock: &Lock) -> TrainedModel {
    let is_quick = fixtures::json("train/train.json")["quick_gelu"].as_bool().unwrap();
    let config = tiny_config(&fixtures::json("model_tiny/info.json"), is_quick);
    let weights = std::fs::read(fixtures::path("model_tiny/weights.safetensors")).unwrap();
    TrainedModel::with_lock(Weights::from_safetensors(weights.into()).unwrap(), &config, placement, lock).unwrap()
}

/// The architecture that `info.json` describes.
pub fn tiny_config(info: &Value, is_quick: bool) -> ClipConfig {
    let c = &info["config"];
    let json = serde_json::json!({
        "embed_dim": c["embed_dim"],
        "quick_gelu": is_quick,
        "vision_cfg": {"image_size": c["image_size"], "patch_size": c["patch"], "width": c["v_width"],
            "layers": c["v_layers"], "head_width": c["v_head_width"], "mlp_ratio": c["mlp_ratio"]},
        "text_cfg": {"context_length": c["ctx"], "vocab_size": c["vocab"], "width": c["t_width"],
            "heads": c["t_heads"], "layers": c["t_layers"], "mlp_ratio": c["mlp_ratio"]},
    });
    ClipConfig::from_open_clip_json(json.to_string().as_bytes()).unwrap()
}

/// Without the key third of every `in_proj_bias`, whose true gradient is zero: its values are rounding errors.
pub fn without_key_bias(name: &str, tensor: &Tensor) -> Tensor {
    if !name.ends_with("in_proj_bias") {
        return tensor.clone();
    }
    let width = tensor.dim(0).unwrap() / 3;
    Tensor::cat(&[tensor.narrow(0, 0, width).unwrap(), tensor.narrow(0, 2 * width, width).unwrap()], 0).unwrap()
}
