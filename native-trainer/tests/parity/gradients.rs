//! Gradients of the tiny model: `train/grads_*`, and what must not change them.

use crate::fixtures;
use crate::tiny::{AT_ONCE, Fixture, tiny_model, tiny_model_in, without_key_bias};
use candle_core::{DType, Tensor};
use native_trainer::objective::{Captions, Objective, Variant};
use native_trainer::train::optimizer::{AdamW, AdamWConfig};
use native_trainer::train::step::{MicroBatches, loss_and_gradients};

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
            // A patch at the threshold may count in one precision and not in the other.
            assert!(cosine > 0.99, "{variant:?}: gradients at cosine {cosine}");
        }
    }
}

/// What is computed with after an update is what the parameters say, in f16.
#[test]
fn an_update_reaches_the_half_precision_copies() {
    let (fixture, half) = (Fixture::read(), tiny_model_in(DType::F16));
    let mut optimizer = AdamW::new(
        AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, clip_norm: None },
        half.parameters(),
    )
    .unwrap();
    let (before, mut gradients) = fixture.gradients(&half, Variant::Paper, &AT_ONCE);
    optimizer.step(half.parameters(), &mut gradients, 1e-3).unwrap();
    half.clamp_logit_scale().unwrap();
    let (after, _) = fixture.gradients(&half, Variant::Paper, &AT_ONCE);
    assert_ne!(after.total(), before.total(), "the copies are as they were");

    let fresh = tiny_model_in(DType::F16);
    for (name, parameter) in half.parameters() {
        fresh.parameters()[name].set(parameter).unwrap();
    }
    fresh.refresh().unwrap();
    let (expected, _) = fixture.gradients(&fresh, Variant::Paper, &AT_ONCE);
    assert_eq!(after.total(), expected.total());
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
