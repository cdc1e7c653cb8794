//! f16 beside `f16.json`, which `f16.py` made with PyTorch's autocast and `GradScaler`, and beside f32.
//!
//! `DERMAKE_FIXTURES` does not matter to the comparisons with PyTorch: the numbers belong to the fixtures of this repository.

use crate::experiments::{OneCaption, assert_summary, own_config, tiny_weights};
use crate::tiny::{AT_ONCE, Fixture, tiny_model, tiny_model_in, without_key_bias};
use candle_core::{DType, Tensor};
use dermake_collectives::{Tcp, even_share};
use dermake_objective::{Objective, Variant};
use dermake_training::loss_scale::{LossScale, follow};
use dermake_training::model::{Gradients, TrainedModel};
use dermake_training::optimizer::{AdamW, AdamWConfig};
use dermake_training::step::{Batch, loss_and_gradients_over};
use dermake_training::{MicroBatches, Ranks};
use serde_json::{Value, json};
use shared_model::weights::Placement;
use std::rc::Rc;

fn expected() -> Value {
    serde_json::from_str(include_str!("f16.json")).unwrap()
}

fn scale(factor: f64, steps_since_change: u64) -> LossScale {
    let state =
        json!({"factor": factor, "steps_since_change": steps_since_change, "skipped_in_a_row": 0, "skipped": 0});
    serde_json::from_value(state).unwrap()
}

fn model() -> TrainedModel {
    let f16 = Placement { dtype: DType::F16, ..Placement::default() };
    TrainedModel::new(tiny_weights(), &own_config(), &f16).unwrap()
}

/// The norm of the difference in that of `expected`.
fn difference(found: &Gradients, expected: &Gradients) -> f64 {
    let norm = |x: &Tensor| f64::from(x.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()).sqrt();
    norm(&(found.flat() - expected.flat()).unwrap()) / norm(expected.flat())
}

#[test]
fn the_scale_is_that_of_pytorch_after_any_steps() {
    let mut scale: LossScale = scale(65_536.0, 0);
    for part in expected()["schedule"].as_array().unwrap() {
        for _ in 0..part[1].as_u64().unwrap() {
            scale.follow(part[0].as_bool().unwrap());
        }
        assert_eq!(f64::from(scale.factor()), part[2].as_f64().unwrap(), "after {part}");
    }
}

#[test]
fn gradients_are_those_of_pytorch() {
    let (expected, batch) = (expected(), OneCaption::read());
    let objective = Objective::of(Variant::Clip);
    let scale = scale(1024.0, 0);
    let (_, gradients) =
        loss_and_gradients_over(&Ranks::alone(), &model(), &objective, &batch.batch(), &AT_ONCE, Some(&scale))
            .unwrap();
    for (key, expected) in expected["gradients"].as_object().unwrap() {
        let gradient = without_key_bias(key, &gradients.get(key).unwrap());
        assert_summary(&format!("gradient of {key}"), &gradient, expected, 1e-2);
    }
}

/// The run skips the same steps, has the same scale after each, and ends near PyTorch's parameters.
#[test]
fn a_run_skips_the_steps_that_pytorch_skips() {
    let (expected, batch, model) = (expected(), OneCaption::read(), model());
    let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-2, weight_decay: 0.1, clip_norm: None };
    let mut optimizer = AdamW::new(config, model.layout.clone(), model.device()).unwrap();
    let mut steps = expected["run"]["steps"].as_array().unwrap().iter();
    for part in expected["parts"].as_array().unwrap() {
        let mut scale = scale(part[0].as_f64().unwrap(), part[1].as_u64().unwrap());
        for step in 0..part[2].as_u64().unwrap() {
            let expected = steps.next().unwrap();
            let (loss, gradients) = loss_and_gradients_over(
                &Ranks::alone(),
                &model,
                &Objective::of(Variant::Clip),
                &batch.batch(),
                &AT_ONCE,
                Some(&scale),
            )
            .unwrap();
            let (loss, expected_loss) = (loss.total(), expected[0].as_f64().unwrap());
            assert!(
                (loss - expected_loss).abs() <= 5e-3 * expected_loss,
                "step {step} of {part}: {loss}, {expected}"
            );
            let updated = optimizer.step(model.flat_parameters(), &gradients, 1e-3);
            if follow(Some(&mut scale), updated).unwrap().is_some() {
                model.follow_update().unwrap();
            }
            assert_eq!(f64::from(scale.factor()), expected[1].as_f64().unwrap(), "step {step} of {part}");
        }
    }
    assert!(steps.next().is_none());
    for (key, expected) in expected["run"]["final"].as_object().unwrap() {
        assert_summary(key, &without_key_bias(key, &model.parameters()[key]), expected, 2e-3);
    }
}

/// Factors of the scale after each of some steps, which begin with one at which gradients overflow.
fn factors(ranks: &Ranks) -> Vec<f32> {
    let (batch, model) = (OneCaption::read(), model());
    let own = even_share(batch.captions.n_samples(), ranks.rank(), ranks.size());
    let pixels = batch.pixel_values.narrow(0, own.start, own.len()).unwrap();
    let batch = Batch { pixels: &pixels, captions: &batch.captions, input_ids: &batch.input_ids };
    let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-2, weight_decay: 0.1, clip_norm: None };
    let mut optimizer = AdamW::new(config, model.layout.clone(), model.device()).unwrap();
    let mut scale = scale(2f64.powi(24), 0);
    let step = |_| {
        let (_, gradients) =
            loss_and_gradients_over(ranks, &model, &Objective::of(Variant::Clip), &batch, &AT_ONCE, Some(&scale))
                .unwrap();
        let updated = optimizer.step(model.flat_parameters(), &gradients, 1e-3);
        if follow(Some(&mut scale), updated).unwrap().is_some() {
            model.follow_update().unwrap();
        }
        scale.factor()
    };
    (0..12).map(step).collect()
}

/// Whether a step is skipped is decided on the sum of all ranks' gradients.
#[test]
fn ranks_skip_the_steps_that_one_skips() {
    let of_one = factors(&Ranks::alone());
    assert!(of_one[0] == 2f32.powi(23) && of_one[10] == of_one[11], "{of_one:?}");
    let threads = Tcp::in_threads(2).unwrap().into_iter();
    let threads = threads.map(|tcp| std::thread::spawn(move || factors(&Ranks::new(Rc::new(tcp), 2))));
    for thread in threads.collect::<Vec<_>>() {
        assert_eq!(thread.join().unwrap(), of_one);
    }
}

/// A loss that is small, as that of one image in a large batch, has gradients that f16 cannot hold without a scale.
#[test]
fn small_gradients_need_the_scale() {
    let (fixture, full, half) = (Fixture::read(), tiny_model(), tiny_model_in(DType::F16));
    for variant in [Variant::Released, Variant::Paper] {
        // Without a threshold: a patch near it may count in one precision and not in the other.
        let whole = Objective { sigma: -1.0, ..fixture.objective(variant) };
        let small = Objective { lambda_m: 1e-5 * whole.lambda_m, lambda_s: 1e-5 * whole.lambda_s, ..whole };
        let gradients = |model: &TrainedModel, micro: &MicroBatches, scale: Option<&LossScale>| {
            loss_and_gradients_over(&Ranks::alone(), model, &small, &fixture.batch(), micro, scale).unwrap().1
        };
        let expected = gradients(&full, &AT_ONCE, None);
        let scale = scale(65_536.0, 0);
        let pieces = MicroBatches { images: 4, activation_memory_gib: Some(0.0), ..AT_ONCE };
        for micro in [AT_ONCE, pieces] {
            let error = difference(&gradients(&half, &micro, Some(&scale)), &expected);
            assert!(error > 1e-5 && error < 2e-2, "{variant:?}: {error} with a scale");
        }
        let error = difference(&gradients(&half, &AT_ONCE, None), &expected);
        assert!(error > 0.1, "{variant:?}: {error} without a scale");
    }
}

/// The scale multiplies what the towers go back from and nothing else: in f32, where nothing overflows, the gradients have
/// the same bits with it, of whichever objective and in whichever micro-batches.
#[test]
fn a_scale_changes_no_bit_in_f32() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    for variant in [Variant::Released, Variant::Paper, Variant::Clip] {
        let objective = fixture.objective(variant);
        for micro in [AT_ONCE, MicroBatches { images: 4, activation_memory_gib: Some(0.0), ..AT_ONCE }] {
            let bits = |scale: Option<&LossScale>| -> Vec<u32> {
                let (loss, gradients) =
                    loss_and_gradients_over(&Ranks::alone(), &model, &objective, &fixture.batch(), &micro, scale)
                        .unwrap();
                assert!(loss.total() > 0.0);
                gradients.flat().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
            };
            assert!(bits(None) == bits(Some(&scale(65_536.0, 0))), "{variant:?}");
        }
    }
}

/// Values that overflow reach the norm, in every micro-batch; nothing is changed then.
#[test]
fn an_overflow_changes_nothing() {
    let (fixture, model) = (Fixture::read(), tiny_model_in(DType::F16));
    let before: Vec<f32> = model.flat_parameters().to_vec1().unwrap();
    let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, clip_norm: Some(1.0) };
    let mut optimizer = AdamW::new(config, model.layout.clone(), model.device()).unwrap();
    let mut scale = scale(2f64.powi(40), 5);
    let pieces = MicroBatches { images: 4, activation_memory_gib: Some(0.0), ..AT_ONCE };
    for (n, micro) in (1..).zip([AT_ONCE, pieces]) {
        let objective = fixture.objective(Variant::Paper);
        let (loss, gradients) =
            loss_and_gradients_over(&Ranks::alone(), &model, &objective, &fixture.batch(), &micro, Some(&scale))
                .unwrap();
        assert!(loss.total().is_finite());
        let updated = optimizer.step(model.flat_parameters(), &gradients, 1e-3);
        assert_eq!(follow(Some(&mut scale), updated).unwrap(), None);
        assert_eq!((scale.skipped(), f64::from(scale.factor())), (n, 2f64.powi(40 - n as i32)));
    }
    assert_eq!(optimizer.steps(), 0);
    assert_eq!(model.flat_parameters().to_vec1::<f32>().unwrap(), before);
}
