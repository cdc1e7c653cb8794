//! Gradients of the tiny model: `train/grads_*`, and what must not change them.

use crate::fixtures;
use crate::tiny::{AT_ONCE, Fixture, lineages, tiny_model, tiny_model_in, without_key_bias};
use candle_core::{DType, Device, Tensor};
use dermake_objective::{Captions, Objective, Variant};
use dermake_training::MicroBatches;
use dermake_training::model::TrainedModel;
use dermake_training::optimizer::{AdamW, AdamWConfig};
use dermake_training::step::{Batch, loss_and_gradients};
use shared_model::TextTower;
use shared_model::preprocess::{RgbImage8, pixel_values};
use shared_model::weights::{Placement, Weights};

#[test]
fn every_parameter_has_the_reference_gradient() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    for (variant, file) in [(Variant::Released, "grads_released"), (Variant::Paper, "grads_paper")] {
        let expected = fixtures::tensors(&format!("train/{file}.safetensors"));
        assert_eq!(expected.len(), model.parameters().len());
        let (_, gradients) = fixture.gradients(&model, variant, &AT_ONCE);
        for (name, expected) in &expected {
            let ours = gradients.get(name).unwrap();
            let (ours, expected) = (without_key_bias(name, &ours), without_key_bias(name, expected));
            fixtures::assert_relative(&format!("{file} {name}"), &ours, &expected, 1e-4);
        }
    }
}

/// Along each parameter's gradient g the loss must grow by |g|^2, which needs no reference at all. Without weights,
/// through which no gradient is meant to flow.
#[test]
fn gradients_agree_with_finite_differences() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    for variant in [Variant::Released, Variant::Paper, Variant::Omake, Variant::Clip] {
        let objective = Objective { diagnosis_weights: false, ..fixture.objective(variant) };
        let run = || loss_and_gradients(&model, &objective, &fixture.batch(), &AT_ONCE).unwrap();
        let (_, gradients) = run();
        for (name, parameter) in model.parameters() {
            let gradient = gradients.get(name).unwrap();
            let squared: f32 = gradient.sqr().unwrap().sum_all().unwrap().to_scalar().unwrap();
            let norm = f64::from(squared).sqrt();
            let start = parameter.copy().unwrap();
            let step = 1e-3 / norm;
            let loss_at = |factor: f64| {
                model.set_parameter(name, &(&start + (&gradient * factor).unwrap()).unwrap()).unwrap();
                run().0.total()
            };
            let slope = (loss_at(step) - loss_at(-step)) / (2.0 * step * norm);
            model.set_parameter(name, &start).unwrap();
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
    let (mut captions, input_ids) = Captions::distinct(&all_ids, mask.clone(), n_kinds);
    captions.lineages = lineages(12);
    let pixel_values = Tensor::cat(&[&six.pixel_values, &mirrored], 0).unwrap();
    let twelve = Fixture { json: six.json, pixel_values, captions, input_ids };
    let every_caption = Fixture {
        json: twelve.json.clone(),
        pixel_values: twelve.pixel_values.clone(),
        captions: Captions {
            lineages: lineages(12),
            ..Captions::distinct(&(0..mask.len()).collect::<Vec<_>>(), mask, n_kinds).0
        },
        input_ids: all_ids,
    };
    assert!(twelve.captions.n_rows < every_caption.captions.n_rows);
    let pieces = MicroBatches { images: 5, tokens: 400, activation_memory_gib: Some(1.0) };
    // A micro-batch of 5 images keeps some 0.0005 GiB.
    let keeping = |gib: f64| MicroBatches { activation_memory_gib: Some(gib), ..pieces.clone() };
    for variant in [Variant::Released, Variant::Paper, Variant::Omake, Variant::Clip] {
        let (loss, whole) = every_caption.gradients(&model, variant, &AT_ONCE);
        let norm = whole.norm().unwrap() as f32;
        for (way, micro) in [("distinct captions", &AT_ONCE), ("pieces", &pieces)] {
            let (cut_loss, cut) = twelve.gradients(&model, variant, micro);
            assert!((cut_loss.total() - loss.total()).abs() < 1e-6 * loss.total(), "{variant:?} {way}");
            for name in model.parameters().keys() {
                let (cut, expected) = (cut.get(name).unwrap(), whole.get(name).unwrap());
                let largest: f32 = max_of((cut - expected).unwrap().abs().unwrap());
                assert!(
                    largest <= 1e-6 * norm,
                    "{variant:?} {way} {name}: {largest:e} of a gradient of norm {norm}"
                );
            }
        }
        // What is computed again gives the same bytes.
        let (kept_loss, kept) = twelve.gradients(&model, variant, &pieces);
        for gib in [0.002, 0.001, 0.0] {
            let (loss, again) = twelve.gradients(&model, variant, &keeping(gib));
            assert_eq!(loss.total(), kept_loss.total(), "{variant:?} with {gib} GiB");
            assert_eq!(bits(again.flat()), bits(kept.flat()), "{variant:?} with {gib} GiB");
        }
    }
}

fn max_of(x: Tensor) -> f32 {
    x.flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
}

fn bits(x: &Tensor) -> Vec<u32> {
    x.to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

/// bf16 on the CPU is f32 that is rounded where a GPU stores bf16.
#[test]
fn half_precision_follows_full_precision() {
    let (fixture, full, half) = (Fixture::read(), tiny_model(), tiny_model_in(DType::BF16));
    for variant in [Variant::Released, Variant::Paper] {
        // Without a threshold: a patch near it may count in one precision and not in the other.
        let objective = Objective { sigma: -1.0, ..fixture.objective(variant) };
        let run = |model: &TrainedModel, micro: &MicroBatches| {
            loss_and_gradients(model, &objective, &fixture.batch(), micro).unwrap()
        };
        let (expected_loss, expected) = run(&full, &AT_ONCE);
        let again = MicroBatches { images: 4, activation_memory_gib: Some(0.0), ..AT_ONCE };
        for micro in [AT_ONCE, again] {
            let (loss, gradients) = run(&half, &micro);
            assert!((loss.total() - expected_loss.total()).abs() < 1e-2 * expected_loss.total());
            let sum =
                |a: &Tensor, b: &Tensor| f64::from((a * b).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
            let (ours, expected) = (gradients.flat(), expected.flat());
            let cosine = sum(ours, expected) / (sum(ours, ours) * sum(expected, expected)).sqrt();
            assert!(cosine > 0.995 && cosine < 0.999_999_9, "{variant:?}: gradients at cosine {cosine}");
        }
    }
}

/// What is computed with after an update is what the parameters say, in bf16.
#[test]
fn an_update_reaches_the_half_precision_copies() {
    let (fixture, half) = (Fixture::read(), tiny_model_in(DType::BF16));
    let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, clip_norm: None };
    let mut optimizer = AdamW::new(config, half.layout.clone(), half.device()).unwrap();
    let (before, gradients) = fixture.gradients(&half, Variant::Paper, &AT_ONCE);
    optimizer.step(half.flat_parameters(), &gradients, 1e-3).unwrap();
    half.clamp_logit_scale().unwrap();
    let (after, _) = fixture.gradients(&half, Variant::Paper, &AT_ONCE);
    assert_ne!(after.total(), before.total(), "the copies are as they were");

    let fresh = tiny_model_in(DType::BF16);
    for (name, parameter) in half.parameters() {
        fresh.set_parameter(name, parameter).unwrap();
    }
    fresh.refresh().unwrap();
    let (expected, _) = fixture.gradients(&fresh, Variant::Paper, &AT_ONCE);
    assert_eq!(after.total(), expected.total());
}

/// Bytes of a batch are normalized as inference does it.
#[test]
fn bytes_of_pixels_are_what_their_normalized_values_are() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    let (n_images, side) = (fixture.pixel_values.dim(0).unwrap(), model.config.preprocess.image_size);
    let bytes: Vec<u8> = (0..n_images * 3 * side * side).map(|at| (at * 37 % 256) as u8).collect();
    let pixels = Tensor::from_vec(bytes.clone(), (n_images, 3, side, side), &Device::Cpu).unwrap();
    let preprocess = &model.config.preprocess;
    let values = bytes.chunks(3 * side * side).flat_map(|planes| {
        let interleaved =
            (0..side * side).flat_map(|at| [0, 1, 2].map(|channel| planes[channel * side * side + at]));
        let image = RgbImage8::new(side as u32, side as u32, interleaved.collect()).unwrap();
        assert_eq!(image.to_planes(), planes);
        pixel_values(&image, preprocess)
    });
    let values = Tensor::from_vec(values.collect(), (n_images, 3, side, side), &Device::Cpu).unwrap();
    let objective = fixture.objective(Variant::Paper);
    let gradients = |pixels: &Tensor| {
        let batch = Batch { pixels, captions: &fixture.captions, input_ids: &fixture.input_ids };
        bits(loss_and_gradients(&model, &objective, &batch, &AT_ONCE).unwrap().1.flat())
    };
    assert_eq!(gradients(&pixels), gradients(&values));
}

/// Attention is causal: tokens after the end token cannot change a text's feature.
#[test]
fn padding_is_inert() {
    let (fixture, model) = (Fixture::read(), tiny_model());
    let live = model.parameters().iter().map(|(name, value)| (name.clone(), value.clone()));
    let tower = &TextTower::load(&Weights::from_live(live), &model.config, &Placement::default()).unwrap();
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
