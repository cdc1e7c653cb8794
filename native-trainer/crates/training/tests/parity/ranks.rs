//! Several ranks beside one: the same losses and the same parameters.

use crate::autograd::Case;
use crate::tiny::without_key_bias;
use candle_core::Tensor;
use dermake_collectives::{Tcp, even_share};
use dermake_objective::{Objective, Variant};
use dermake_training::optimizer::{AdamW, AdamWConfig};
use dermake_training::step::{Batch, loss_and_gradients_over};
use dermake_training::traffic::StepSizes;
use dermake_training::{MicroBatches, Ranks};
use shared_model::text_length;
use std::collections::BTreeMap;
use std::rc::Rc;

const N_STEPS: usize = 5;

/// Losses of five steps, and the parameters after them.
struct Trained {
    losses: Vec<f64>,
    parameters: BTreeMap<String, Tensor>,
}

fn train(ranks: &Ranks, objective: &Objective) -> Trained {
    let case = Case::new(true, 32, 16, 16);
    let model = &case.model;
    let micro = MicroBatches { images: 2, tokens: 40, activation_memory_gib: Some(0.0) };
    let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, clip_norm: Some(1.0) };
    let mut optimizer = AdamW::new(config, model.layout.clone(), model.device()).unwrap();
    let own = even_share(case.captions.n_samples(), ranks.rank(), ranks.size());
    let pixels = case.pixel_values.narrow(0, own.start, own.len()).unwrap();
    let batch = Batch { pixels: &pixels, captions: &case.captions, input_ids: &case.input_ids };
    let lengths: Vec<usize> = case.input_ids.iter().map(|ids| text_length(ids)).collect();
    let sizes = StepSizes {
        n_images: case.captions.n_samples(),
        text_lengths: &lengths,
        embed_dim: model.config.embed_dim,
        n_values: model.layout.n_trained(),
    };
    let traffic = sizes.traffic(ranks.size())[ranks.rank()];
    let step = |_| {
        let sent = ranks.sent_bytes();
        let (loss, gradients) = loss_and_gradients_over(ranks, model, objective, &batch, &micro, None).unwrap();
        assert_eq!(ranks.sent_bytes() - sent, traffic.total(), "the cost model");
        optimizer.step(model.flat_parameters(), &gradients, 1e-3).unwrap();
        model.clamp_logit_scale().unwrap();
        loss.total()
    };
    Trained { losses: (0..N_STEPS).map(step).collect(), parameters: model.parameters().clone() }
}

/// The same on so many ranks, which are threads.
fn train_on(size: usize, objective: &Objective) -> Vec<Trained> {
    let threads = Tcp::in_threads(size).unwrap().into_iter().map(|tcp| {
        let objective = objective.clone();
        std::thread::spawn(move || train(&Ranks::new(Rc::new(tcp), size), &objective))
    });
    let threads: Vec<_> = threads.collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

fn difference(name: &str, left: &Tensor, right: &Tensor) -> f32 {
    let difference = (without_key_bias(name, left) - without_key_bias(name, right)).unwrap();
    difference.flatten_all().unwrap().abs().unwrap().max(0).unwrap().to_scalar().unwrap()
}

/// Five images on four ranks, so that parts differ in length; captions of different lengths, some of them twice.
#[test]
fn ranks_train_the_model_of_one() {
    for variant in [Variant::Released, Variant::Paper, Variant::Omake, Variant::Clip] {
        let objective = Objective::of(variant);
        let alone = train(&Ranks::alone(), &objective);
        for size in [2, 4] {
            let ranks = train_on(size, &objective);
            for trained in &ranks {
                for (step, (loss, expected)) in trained.losses.iter().zip(&alone.losses).enumerate() {
                    let what = format!("{variant:?}, {size} ranks, step {step}");
                    assert!((loss - expected).abs() < 1e-6 * expected.abs().max(1.0), "{what}: {loss}, {expected}");
                }
                for (name, value) in &trained.parameters {
                    let difference = difference(name, value, &alone.parameters[name]);
                    assert!(difference < 1e-5, "{variant:?}, {size} ranks, {name}: {difference:e}");
                    let first = ranks[0].parameters[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
                    let own = value.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                    assert_eq!(own, first, "{name} is not the same on all ranks");
                }
            }
        }
    }
}

#[test]
fn a_rank_with_another_part_of_the_images_is_refused() {
    let case = Case::new(true, 32, 16, 16);
    let tcp = Tcp::in_threads(2).unwrap();
    let ranks = Ranks::new(Rc::new(tcp.into_iter().next().unwrap()), 2);
    let batch = Batch { pixels: &case.pixel_values, captions: &case.captions, input_ids: &case.input_ids };
    let micro = crate::tiny::AT_ONCE;
    let refused = loss_and_gradients_over(&ranks, &case.model, &Objective::of(Variant::Clip), &batch, &micro, None);
    assert!(refused.err().unwrap().to_string().contains("rank 0 has 5 images of the batch, expected 2"));
    ranks.abort(&anyhow::anyhow!("over"));
}
