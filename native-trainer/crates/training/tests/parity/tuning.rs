//! The gradients of a classifier over the image tower beside those of candle's autograd, which knows nothing of the engine.

use crate::autograd::Case;
use candle_core::{D, Device, Tensor, Var};
use dermake_evaluation::{Head, TunableHead};
use dermake_training::tuning::{HeadBatch, loss_and_gradients};
use ndarray::{Array1, Array2};
use shared_model::VisionTower;
use shared_model::weights::{Placement, Weights};
use std::collections::BTreeMap;

const N_CLASSES: usize = 3;
const LABELS: [usize; 5] = [0, 2, 1, 2, 0];
const CLASS_WEIGHTS: [f64; N_CLASSES] = [1.0, 0.5, 2.5];

/// A head of `[E, C]` values, and the mean and deviation of features before it.
fn head(embed_dim: usize) -> (Array2<f64>, Array1<f64>, Array1<f64>, Array1<f64>) {
    let weight = Array2::from_shape_fn((embed_dim, N_CLASSES), |(row, class)| ((row * 5 + class * 3) as f64).sin());
    let mean = Array1::from_shape_fn(embed_dim, |at| 0.05 * (at as f64).cos());
    let deviation = Array1::from_shape_fn(embed_dim, |at| 0.2 + 0.1 * (at as f64 * 0.7).sin().abs());
    (weight, Array1::from(vec![0.1, -0.3, 0.2]), mean, deviation)
}

fn tensor(values: impl IntoIterator<Item = f64>, shape: &[usize]) -> Tensor {
    let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The loss and the gradients of the image tower by candle.
fn reference(case: &Case) -> (f32, BTreeMap<String, Tensor>) {
    let parameters = case.model.parameters().iter();
    let leaves: BTreeMap<String, Var> =
        parameters.map(|(name, value)| (name.clone(), Var::from_tensor(&value.copy().unwrap()).unwrap())).collect();
    let weights = Weights::from_live(leaves.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())));
    let config = &case.model.config;
    let vision = VisionTower::load(&weights, config, &Placement::default()).unwrap();
    let features = vision.encode(&case.pixel_values).unwrap().image_features().unwrap();
    let embed_dim = config.embed_dim;
    let (weight, bias, mean, deviation) = head(embed_dim);
    let x = features.broadcast_sub(&tensor(mean, &[embed_dim])).unwrap();
    let x = x.broadcast_div(&tensor(deviation, &[embed_dim])).unwrap();
    let logits = x.matmul(&tensor(weight.iter().copied(), &[embed_dim, N_CLASSES])).unwrap();
    let logits = logits.broadcast_add(&tensor(bias, &[N_CLASSES])).unwrap();
    let log_sum = logits.exp().unwrap().sum_keepdim(D::Minus1).unwrap().log().unwrap();
    let log_probabilities = logits.broadcast_sub(&log_sum).unwrap();
    let total: f64 = LABELS.iter().map(|&label| CLASS_WEIGHTS[label]).sum();
    let chosen = (0..LABELS.len()).flat_map(|row| {
        (0..N_CLASSES).map(move |class| match LABELS[row] == class {
            true => -CLASS_WEIGHTS[class] / total,
            false => 0.0,
        })
    });
    let loss = (log_probabilities * tensor(chosen, &[LABELS.len(), N_CLASSES])).unwrap().sum_all().unwrap();
    let store = loss.backward().unwrap();
    let of_tower = leaves.iter().filter(|(name, _)| name.starts_with("visual."));
    let gradients = of_tower.map(|(name, var)| (name.clone(), store.get(var).unwrap().clone())).collect();
    (loss.to_scalar().unwrap(), gradients)
}

fn norm(x: &Tensor) -> f32 {
    x.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt()
}

/// Within 1e-5 of the norm of each gradient, or 1e-6 of the norm of all, in whatever micro-batches.
#[test]
fn a_tower_below_a_head_has_the_gradients_of_autograd() {
    for (is_quick, image_size, patch_size, head_width) in [(true, 32, 16, 16), (false, 35, 8, 24)] {
        let case = Case::new(is_quick, image_size, patch_size, head_width);
        let (expected_loss, expected) = reference(&case);
        let (weight, bias, mean, deviation) = head(case.model.config.embed_dim);
        let head = TunableHead::new(mean, deviation, Head { weight, bias });
        let batch = HeadBatch { pixels: &case.pixel_values, labels: &LABELS, class_weights: &CLASS_WEIGHTS };
        for micro_batch in [1, 2, 5] {
            let (of_head, gradients) = loss_and_gradients(&case.model, &head, &batch, micro_batch, None).unwrap();
            assert!((of_head.loss - f64::from(expected_loss)).abs() < 1e-5, "{} {expected_loss}", of_head.loss);
            let all = gradients.norm().unwrap() as f32;
            assert!(all > 1e-3, "{all}");
            for (name, expected) in &expected {
                let difference = norm(&(gradients.get(name).unwrap() - expected).unwrap());
                let bound = (1e-5 * norm(expected)).max(1e-6 * all);
                assert!(difference <= bound, "{micro_batch} {name}: {difference:e} of {:e}", norm(expected));
            }
            for (name, _) in case.model.parameters().iter().filter(|(name, _)| !name.starts_with("visual.")) {
                assert_eq!(norm(&gradients.get(name).unwrap()), 0.0, "{name}");
            }
        }
    }
}
