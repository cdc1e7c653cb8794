//! Optimizer steps of the tiny model and the schedules: `train/final_*`, `lr_tables.json`.

use crate::fixtures;
use crate::tiny::{AT_ONCE, Fixture, tiny_model, without_key_bias};
use candle_core::{D, Device, Tensor};
use dermake_objective::Variant;
use dermake_training::model::TrainedModel;
use dermake_training::optimizer::{AdamW, AdamWConfig};
use dermake_training::parameters::is_decayed;
use dermake_training::schedule::{Schedule, Shape};
use serde_json::Value;

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
        model.set_parameter("logit_scale", &Tensor::new(value as f32, &Device::Cpu).unwrap()).unwrap();
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
    let schedule = Schedule {
        learning_rate: number("lr"),
        warmup_steps: run.warmup_steps,
        shape: Shape::Cosine,
        layer_decay: 1.0,
    };
    let mut optimizer = AdamW::new(config, model.layout.clone(), model.device()).unwrap();
    let steps = expected["steps"].as_array().unwrap();
    assert_eq!(steps.len() as u64, run.steps);
    for (step, expected) in steps.iter().enumerate() {
        let log_scale = model.log_logit_scale().unwrap();
        let (loss, gradients) = fixture.gradients(&model, variant, &AT_ONCE);
        let learning_rate = schedule.at(step as u64, run.steps);
        optimizer.step(model.flat_parameters(), &gradients, learning_rate).unwrap();
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
            let ours = without_key_bias(key, &model.parameters()[key]);
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
            let parameter = &model.parameters()[key];
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
        let schedule = Schedule {
            learning_rate: number("base_lr"),
            warmup_steps: number("warmup") as u64,
            shape,
            layer_decay: 1.0,
        };
        let rates = table["steps"].as_array().unwrap().iter().zip(table["lr"].as_array().unwrap());
        for (step, expected) in rates {
            let ours = schedule.at(step.as_u64().unwrap(), number("total") as u64);
            let expected = expected.as_f64().unwrap();
            assert!((ours - expected).abs() <= 1e-12 * expected.abs(), "step {step}: {ours}, expected {expected}");
        }
    }
}
