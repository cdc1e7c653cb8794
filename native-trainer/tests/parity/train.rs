//! Gradients and optimizer steps of the tiny model: `train/`.

use crate::fixtures;
use candle_core::{D, DType, Device, Tensor};
use native_trainer::objective::{Captions, Loss, Objective, Variant};
use native_trainer::train::model::{Gradients, TrainedModel};
use native_trainer::train::optimizer::{AdamW, AdamWConfig, is_decayed};
use native_trainer::train::schedule::{Schedule, Shape};
use native_trainer::train::step::{Batch, MicroBatches, loss_and_gradients};
use serde_json::Value;
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, Weights};

/// Everything in one piece.
const AT_ONCE: MicroBatches =
    MicroBatches { images: 1000, tokens: 1_000_000, keep_activations: true, recompute_blocks: false };

struct Fixture {
    json: Value,
    pixel_values: Tensor,
    captions: Captions,
    input_ids: Vec<Vec<u32>>,
}

impl Fixture {
    fn read() -> Self {
        let mut batch = fixtures::tensors("train/batch.safetensors");
        let texts = batch.remove("texts").unwrap();
        let n_kinds = texts.dim(1).unwrap();
        let ids: Vec<Vec<u32>> = texts.flatten_to(1).unwrap().to_dtype(DType::U32).unwrap().to_vec2().unwrap();
        let mask: Vec<f32> = batch["caption_mask"].flatten_all().unwrap().to_vec1().unwrap();
        let mask = mask.into_iter().map(|value| value == 1.0).collect();
        let (captions, input_ids) = Captions::distinct(&ids, mask, n_kinds);
        Self {
            json: fixtures::json("train/train.json"),
            pixel_values: batch.remove("images").unwrap(),
            captions,
            input_ids,
        }
    }

    fn batch(&self) -> Batch<'_> {
        Batch { pixel_values: &self.pixel_values, captions: &self.captions, input_ids: &self.input_ids }
    }

    fn objective(&self, variant: Variant) -> Objective {
        Objective {
            variant,
            lambda_m: self.json["lambda_m"].as_f64().unwrap(),
            lambda_s: self.json["lambda_s"].as_f64().unwrap(),
            sigma: self.json["sigma"].as_f64().unwrap(),
            diagnosis_weights: self.json["use_disease_specific_weight"].as_bool().unwrap(),
            masked_captions_are_negatives: true,
        }
    }

    fn gradients(&self, model: &TrainedModel, variant: Variant, micro: &MicroBatches) -> (Loss, Gradients) {
        loss_and_gradients(model, &self.objective(variant), &self.batch(), micro).unwrap()
    }
}

/// The tiny model of `model_tiny/`.
fn tiny_model() -> TrainedModel {
    tiny_model_in(DType::F32)
}

fn tiny_model_in(dtype: DType) -> TrainedModel {
    let c = &fixtures::json("model_tiny/info.json")["config"];
    let json = serde_json::json!({
        "embed_dim": c["embed_dim"],
        "quick_gelu": fixtures::json("train/train.json")["quick_gelu"],
        "vision_cfg": {"image_size": c["image_size"], "patch_size": c["patch"], "width": c["v_width"],
            "layers": c["v_layers"], "head_width": c["v_head_width"], "mlp_ratio": c["mlp_ratio"]},
        "text_cfg": {"context_length": c["ctx"], "vocab_size": c["vocab"], "width": c["t_width"],
            "heads": c["t_heads"], "layers": c["t_layers"], "mlp_ratio": c["mlp_ratio"]},
    });
    let config = ClipConfig::from_open_clip_json(json.to_string().as_bytes()).unwrap();
    let weights = std::fs::read(fixtures::path("model_tiny/weights.safetensors")).unwrap();
    let placement = Placement { dtype, ..Placement::default() };
    TrainedModel::new(Weights::from_safetensors(weights.into()).unwrap(), &config, &placement).unwrap()
}

/// Without the key third of every `in_proj_bias`, whose true gradient is zero: what stands there is rounding.
fn without_key_bias(name: &str, tensor: &Tensor) -> Tensor {
    if !name.ends_with("in_proj_bias") {
        return tensor.clone();
    }
    let width = tensor.dim(0).unwrap() / 3;
    Tensor::cat(&[tensor.narrow(0, 0, width).unwrap(), tensor.narrow(0, 2 * width, width).unwrap()], 0).unwrap()
}

#[test]
fn every_parameter_has_the_reference_gradient() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    for (variant, file) in [(Variant::Released, "grads_released"), (Variant::Paper, "grads_paper")] {
        let expected = fixtures::tensors(&format!("train/{file}.safetensors"));
        assert_eq!(expected.len(), model.parameters().len());
        let (_, gradients) = fixture.gradients(&model, variant, &AT_ONCE);
        for (name, expected) in &expected {
            let ours = gradients.0.get(name).unwrap_or_else(|| panic!("{name} has no gradient"));
            let (ours, expected) = (without_key_bias(name, ours), without_key_bias(name, expected));
            fixtures::assert_relative(&format!("{file} {name}"), &ours, &expected, 1e-4);
        }
    }
}

/// Along each parameter's gradient g the loss must grow by |g|^2, which needs no reference at all. Without weights,
/// through which no gradient is meant to flow.
#[test]
fn gradients_agree_with_finite_differences() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    for variant in [Variant::Released, Variant::Paper, Variant::Clip] {
        let objective = Objective { diagnosis_weights: false, ..fixture.objective(variant) };
        let run = || loss_and_gradients(&model, &objective, &fixture.batch(), &AT_ONCE).unwrap();
        let (_, gradients) = run();
        for (name, parameter) in model.parameters() {
            let gradient = &gradients.0[name];
            let squared: f32 = gradient.sqr().unwrap().sum_all().unwrap().to_scalar().unwrap();
            let norm = f64::from(squared).sqrt();
            let start = parameter.as_tensor().copy().unwrap();
            let step = 1e-3 / norm;
            let loss_at = |factor: f64| {
                parameter.set(&(&start + (gradient * factor).unwrap()).unwrap()).unwrap();
                run().0.total()
            };
            let slope = (loss_at(step) - loss_at(-step)) / (2.0 * step * norm);
            parameter.set(&start).unwrap();
            assert!((slope - norm).abs() < 0.02 * norm + 2e-3, "{variant:?} {name}: slope {slope}, norm {norm}");
        }
    }
}

/// Every way of cutting a batch of 12 gives the gradients of the whole batch at once.
#[test]
fn micro_batches_change_nothing() {
    let model = tiny_model();
    let six = Fixture::read();
    // Twelve samples: the six, and the six with other pixels and the captions of other samples.
    let mirrored = six.pixel_values.flip(&[3]).unwrap();
    let n_kinds = six.captions.n_kinds;
    let ids: Vec<Vec<u32>> = six.captions.rows.iter().map(|&row| six.input_ids[row].clone()).collect();
    let (mut more_ids, mut more_mask) = (ids.clone(), six.captions.mask.clone());
    more_ids.rotate_left(2 * n_kinds);
    more_mask.rotate_left(2 * n_kinds);
    let mask = [six.captions.mask.clone(), more_mask].concat();
    let all_ids = [ids, more_ids].concat();
    let (captions, input_ids) = Captions::distinct(&all_ids, mask.clone(), n_kinds);
    let pixel_values = Tensor::cat(&[&six.pixel_values, &mirrored], 0).unwrap();
    let twelve = Fixture { json: six.json, pixel_values, captions, input_ids };
    let every_caption = Fixture {
        json: twelve.json.clone(),
        pixel_values: twelve.pixel_values.clone(),
        captions: Captions::all_distinct(mask, n_kinds),
        input_ids: all_ids,
    };
    assert!(twelve.captions.n_rows < every_caption.captions.n_rows);
    let pieces = MicroBatches { images: 5, tokens: 400, keep_activations: false, recompute_blocks: false };
    for variant in [Variant::Released, Variant::Paper, Variant::Clip] {
        let (loss, whole) = every_caption.gradients(&model, variant, &AT_ONCE);
        let ways = [
            ("distinct captions", AT_ONCE),
            ("pieces", pieces.clone()),
            ("kept pieces", MicroBatches { keep_activations: true, ..pieces.clone() }),
            ("recomputed blocks", MicroBatches { recompute_blocks: true, ..pieces.clone() }),
        ];
        for (way, micro) in ways {
            let (cut_loss, cut) = twelve.gradients(&model, variant, &micro);
            assert!((cut_loss.total() - loss.total()).abs() < 1e-6 * loss.total(), "{variant:?} {way}");
            assert_eq!(whole.0.len(), cut.0.len());
            let norm = whole.norm().unwrap() as f32;
            for (name, expected) in &whole.0 {
                let difference = (&cut.0[name] - expected).unwrap().abs().unwrap().flatten_all().unwrap();
                let largest: f32 = difference.max(0).unwrap().to_scalar().unwrap();
                assert!(
                    largest <= 1e-6 * norm,
                    "{variant:?} {way} {name}: {largest:e} of a gradient of norm {norm}"
                );
            }
        }
    }
}

/// Half precision computes with copies of the f32 parameters; f16 stands for bf16, which the CPU cannot multiply. Its
/// operations are the composed ones, as on a GPU.
#[test]
fn half_precision_follows_full_precision() {
    let (fixture, full, half) = (Fixture::read(), tiny_model(), tiny_model_in(DType::F16));
    for variant in [Variant::Released, Variant::Paper] {
        let (expected_loss, expected) = fixture.gradients(&full, variant, &AT_ONCE);
        let recomputed = MicroBatches { recompute_blocks: true, images: 4, ..AT_ONCE };
        for micro in [AT_ONCE, recomputed] {
            let (loss, gradients) = fixture.gradients(&half, variant, &micro);
            assert!((loss.total() - expected_loss.total()).abs() < 1e-2 * expected_loss.total());
            let (mut dot, mut norms) = (0.0, (0.0, 0.0));
            for (name, expected) in &expected.0 {
                let ours = &gradients.0[name];
                assert_eq!(ours.dtype(), DType::F32);
                let sum = |a: &Tensor, b: &Tensor| {
                    f64::from((a * b).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap())
                };
                dot += sum(ours, expected);
                norms = (norms.0 + sum(ours, ours), norms.1 + sum(expected, expected));
            }
            let cosine = dot / (norms.0 * norms.1).sqrt();
            assert!(cosine > 0.999, "{variant:?}: gradients at cosine {cosine}");
        }
    }
    // An update reaches the copies.
    let mut optimizer = AdamW::new(
        AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, clip_norm: None },
        half.parameters(),
    )
    .unwrap();
    let (before, mut gradients) = fixture.gradients(&half, Variant::Paper, &AT_ONCE);
    optimizer.step(half.parameters(), &mut gradients, 1e-3).unwrap();
    half.clamp_logit_scale().unwrap();
    let (after, _) = fixture.gradients(&half, Variant::Paper, &AT_ONCE);
    assert!(after.total() < before.total(), "{} and {}", after.total(), before.total());
}

/// Attention is causal: what stands behind the end token cannot change a text's feature.
#[test]
fn padding_is_inert() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    let tower = &model.plain.text;
    let whole = tower.encode_observed(&fixture.input_ids, &mut |_, _| {}).unwrap();
    for (row, ids) in fixture.input_ids.iter().enumerate() {
        let cut = shared_model::cut_behind_last_eot(std::slice::from_ref(ids));
        let alone = tower.encode_observed(&cut, &mut |_, _| {}).unwrap().squeeze(0).unwrap();
        fixtures::assert_relative(&format!("text {row}"), &alone, &whole.get(row).unwrap(), 2e-6);
        let mut scribbled = ids.clone();
        scribbled[cut[0].len()..].fill(7);
        let scribbled = tower.encode_observed(&[scribbled], &mut |_, _| {}).unwrap().squeeze(0).unwrap();
        fixtures::assert_relative(&format!("text {row}"), &scribbled, &alone, 2e-6);
    }
}

struct Run {
    steps: u64,
    warmup_steps: u64,
    clip_norm: Option<f64>,
    log_logit_scale: Option<f64>,
}

/// Runs the fixture's optimizer, comparing each step's losses; returns the model afterwards.
fn run(fixture: &Fixture, variant: Variant, run: &Run, expected: &Value) -> TrainedModel {
    let model = tiny_model();
    if let Some(value) = run.log_logit_scale {
        model.parameters()["logit_scale"].set(&Tensor::new(value as f32, &Device::Cpu).unwrap()).unwrap();
    }
    let settings = &fixture.json["optimiser"];
    let number = |key: &str| settings[key].as_f64().unwrap();
    let config = AdamWConfig {
        beta1: number("beta1"),
        beta2: number("beta2"),
        eps: number("eps"),
        weight_decay: number("weight_decay"),
        clip_norm: run.clip_norm,
    };
    let schedule = Schedule { learning_rate: number("lr"), warmup_steps: run.warmup_steps, shape: Shape::Cosine };
    let mut optimizer = AdamW::new(config, model.parameters()).unwrap();
    let steps = expected["steps"].as_array().unwrap();
    assert_eq!(steps.len() as u64, run.steps);
    for (step, expected) in steps.iter().enumerate() {
        let log_scale = model.log_logit_scale().unwrap();
        let (loss, mut gradients) = fixture.gradients(&model, variant, &AT_ONCE);
        let learning_rate = schedule.at(step as u64, run.steps);
        optimizer.step(model.parameters(), &mut gradients, learning_rate).unwrap();
        model.clamp_logit_scale().unwrap();
        for (name, ours) in [
            ("mkcl_scaled", loss.mkcl),
            ("slra_scaled", loss.slra),
            ("loss", loss.total()),
            ("lr", learning_rate),
            ("logit_scale_param", log_scale),
        ] {
            let expected = expected[name].as_f64().unwrap();
            assert!((ours - expected).abs() <= 1e-4 * expected.abs(), "step {step} {name}: {ours}, {expected}");
        }
    }
    model
}

#[test]
fn six_steps_land_on_the_reference_weights() {
    let fixture = Fixture::read();
    let settings = &fixture.json["optimiser"];
    let six = Run {
        steps: settings["total_steps"].as_u64().unwrap(),
        warmup_steps: settings["warmup"].as_u64().unwrap(),
        clip_norm: None,
        log_logit_scale: None,
    };
    for (variant, name) in [(Variant::Released, "released"), (Variant::Paper, "paper")] {
        let model = run(&fixture, variant, &six, &fixture.json["runs"][name]);
        let expected = fixtures::tensors(&format!("train/final_{name}.safetensors"));
        assert_eq!(expected.len(), model.parameters().len());
        for (key, expected) in &expected {
            let ours = without_key_bias(key, model.parameters()[key].as_tensor());
            let expected = without_key_bias(key, expected);
            let difference = (ours - expected).unwrap().abs().unwrap().flatten_all().unwrap();
            let max: f32 = difference.max(0).unwrap().to_scalar().unwrap();
            let mean: f32 = difference.mean(D::Minus1).unwrap().to_scalar().unwrap();
            assert!(max < 1e-3 && mean < 1e-5, "{name} {key}: max {max:e}, mean {mean:e}");
        }
    }
}

#[test]
fn clipping_and_the_clamp_follow_the_reference() {
    let fixture = Fixture::read();
    let runs = &fixture.json["runs"];
    for name in ["released_clip1", "released_logit_scale_clamped"] {
        let arguments = &runs[name]["arguments"];
        let plain = &fixture.json["optimiser"]["warmup"];
        let settings = Run {
            steps: arguments["steps"].as_u64().unwrap(),
            warmup_steps: arguments.get("warmup").unwrap_or(plain).as_u64().unwrap(),
            clip_norm: arguments["clip"].as_f64(),
            log_logit_scale: arguments["logit_scale"].as_f64(),
        };
        let model = run(&fixture, Variant::Released, &settings, &runs[name]);
        let expected = runs[name]["final_logit_scale_param"].as_f64().unwrap();
        assert!((model.log_logit_scale().unwrap() - expected).abs() < 1e-5 * expected, "{name}");
        for (key, expected) in runs[name]["final_parameter_l2_norms"].as_object().unwrap() {
            if key.ends_with("in_proj_bias") {
                continue; // a third of it is rounding
            }
            let parameter = model.parameters()[key].as_tensor();
            let norm = f64::from(parameter.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()).sqrt();
            let expected = expected.as_f64().unwrap();
            assert!((norm - expected).abs() < 1e-4 * expected, "{name} {key}: {norm}, expected {expected}");
        }
    }
}

#[test]
fn decay_follows_the_reference_rule() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    for (list, decays) in [("decay", true), ("no_decay", false)] {
        for name in fixture.json[list].as_array().unwrap() {
            let name = name.as_str().unwrap();
            assert_eq!(is_decayed(name, model.parameters()[name].rank()), decays, "{name}");
        }
    }
}

#[test]
fn learning_rates_follow_the_reference_tables() {
    let json = fixtures::json("train/lr_tables.json");
    let tables = json["tables"].as_array().unwrap();
    assert!(!tables.is_empty());
    for table in tables {
        let number = |key: &str| table[key].as_f64().unwrap();
        let shape = match table["kind"].as_str().unwrap() {
            "cosine" => Shape::Cosine,
            "const" => Shape::Constant,
            "const-cooldown" => Shape::ConstantCooldown {
                steps: number("cooldown_steps") as u64,
                power: number("power"),
                end: number("end_lr"),
            },
            kind => panic!("schedule {kind}"),
        };
        let schedule = Schedule { learning_rate: number("base_lr"), warmup_steps: number("warmup") as u64, shape };
        let rates = table["steps"].as_array().unwrap().iter().zip(table["lr"].as_array().unwrap());
        for (step, expected) in rates {
            let ours = schedule.at(step.as_u64().unwrap(), number("total") as u64);
            let expected = expected.as_f64().unwrap();
            assert!((ours - expected).abs() <= 1e-12 * expected.abs(), "step {step}: {ours}, expected {expected}");
        }
    }
}
