//! The engine's gradients beside those of candle's autograd, which knows nothing of the engine.

use crate::tiny::AT_ONCE;
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use dermake_models::init;
use dermake_objective::{Captions, Features, Objective, Variant};
use dermake_training::model::TrainedModel;
use dermake_training::parameters::LOGIT_SCALE;
use dermake_training::step::{Batch, loss_and_gradients};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, Weights};
use shared_model::{TextTower, VisionTower, unit_length, weighted_patch_sum};
use std::collections::BTreeMap;

const N_KINDS: usize = 6;

/// A small model and a batch of random pixels and captions.
pub struct Case {
    pub model: TrainedModel,
    pub pixel_values: Tensor,
    pub captions: Captions,
    pub input_ids: Vec<Vec<u32>>,
}

impl Case {
    pub fn new(is_quick: bool, image_size: usize, patch_size: usize, head_width: usize) -> Self {
        let json = serde_json::json!({
            "embed_dim": 24,
            "quick_gelu": is_quick,
            "vision_cfg": {"image_size": image_size, "patch_size": patch_size, "width": 2 * head_width, "layers": 2,
                "head_width": head_width},
            "text_cfg": {"context_length": 12, "vocab_size": 60, "width": 40, "heads": 2, "layers": 2},
        });
        let config = ClipConfig::from_open_clip_json(json.to_string().as_bytes()).unwrap();
        let model = TrainedModel::new(init::weights(&config, 3), &config, &Placement::default()).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        // Weights as drawn have biases of zero, which would hide their part.
        for (name, value) in model.parameters() {
            let noise = (0..value.elem_count()).map(|_| 0.1 * rng.sample::<f32, _>(StandardNormal)).collect();
            let noise = Tensor::from_vec::<_, f32>(noise, value.dims(), &Device::Cpu).unwrap();
            if name != LOGIT_SCALE {
                model.set_parameter(name, &(value + noise).unwrap()).unwrap();
            }
        }
        let n_samples = 5;
        let pixels = (0..n_samples * 3 * image_size * image_size).map(|_| rng.sample(StandardNormal)).collect();
        let pixel_values =
            Tensor::from_vec::<_, f32>(pixels, (n_samples, 3, image_size, image_size), &Device::Cpu).unwrap();
        let mut caption = || -> Vec<u32> {
            let n_words = rng.random_range(0..=9);
            let mut ids = vec![58];
            ids.extend((0..n_words).map(|_| rng.random_range(1..58)));
            ids.push(59);
            ids.resize(12, 0);
            ids
        };
        let ids: Vec<Vec<u32>> = (0..n_samples * N_KINDS).map(|_| caption()).collect();
        let mask = (0..n_samples * N_KINDS).map(|at| at % 7 != 5).collect();
        let (mut captions, input_ids) = Captions::distinct(&ids, mask, N_KINDS);
        captions.lineages = crate::tiny::lineages(n_samples);
        Self { model, pixel_values, captions, input_ids }
    }

    /// The gradients of candle's autograd, by key.
    fn reference(&self, objective: &Objective) -> BTreeMap<String, Tensor> {
        let parameters = self.model.parameters().iter();
        let leaves: BTreeMap<String, Var> = parameters
            .map(|(name, value)| (name.clone(), Var::from_tensor(&value.copy().unwrap()).unwrap()))
            .collect();
        let live = leaves.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone()));
        let weights = Weights::from_live(live);
        let (config, placement) = (&self.model.config, Placement::default());
        let vision = VisionTower::load(&weights, config, &placement).unwrap();
        let text = TextTower::load(&weights, config, &placement).unwrap();

        let raw = text.encode_observed(&self.input_ids, &mut |_, _| {}).unwrap();
        let text = unit_length(&raw).unwrap();
        let images = vision.encode(&self.pixel_values).unwrap();
        let local = objective.local_pairs(&self.captions).map(|pairs| {
            let rows: Vec<u32> = pairs.text_rows.iter().map(|&row| row as u32).collect();
            let own = text.index_select(&Tensor::new(rows, &Device::Cpu).unwrap(), 0).unwrap();
            let own = own.reshape((self.pixel_values.dim(0).unwrap(), pairs.n_queries, ())).unwrap();
            weighted_patch_sum(&images.patch_embeddings().unwrap(), &own, objective.sigma).unwrap()
        });
        let features = Features { image: images.image_features().unwrap(), text, local };
        let detached = Features {
            image: features.image.detach(),
            text: features.text.detach(),
            local: features.local.as_ref().map(Tensor::detach),
        };
        let scale = self.model.log_logit_scale().unwrap().exp();
        let loss = objective.loss(&detached, &self.captions, scale).unwrap();
        let pulled = |features: &Tensor, gradient: &Tensor| (features * gradient).unwrap().sum_all().unwrap();
        let mut total = (pulled(&features.image, &loss.image) + pulled(&features.text, &loss.text)).unwrap();
        if let (Some(features), Some(gradient)) = (&features.local, &loss.local) {
            total = (total + pulled(features, gradient)).unwrap();
        }
        let store: GradStore = total.backward().unwrap();
        let gradient = |(name, var): (&String, &Var)| Some((name.clone(), store.get(var)?.clone()));
        leaves.iter().filter_map(gradient).collect()
    }
}

fn norm(x: &Tensor) -> f32 {
    x.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt()
}

/// Within 1e-5 of the norm of each gradient; a gradient that is rounding alone, as that of the keys' bias, within 1e-6 of
/// the norm of all.
#[test]
fn the_engine_has_the_gradients_of_autograd() {
    // The second has a remainder that no patch covers.
    let shapes = [(true, 32, 16, 16), (false, 35, 8, 24), (true, 24, 8, 8)];
    for (is_quick, image_size, patch_size, head_width) in shapes {
        let case = Case::new(is_quick, image_size, patch_size, head_width);
        for variant in [Variant::Released, Variant::Paper, Variant::Omake, Variant::Clip] {
            let objective = Objective { sigma: 0.1, ..Objective::of(variant) };
            let batch = Batch { pixels: &case.pixel_values, captions: &case.captions, input_ids: &case.input_ids };
            let (_, gradients) = loss_and_gradients(&case.model, &objective, &batch, &AT_ONCE).unwrap();
            let reference = case.reference(&objective);
            assert_eq!(reference.len() + 1, case.model.parameters().len(), "all but the logit scale");
            let all = gradients.norm().unwrap() as f32;
            for (name, expected) in &reference {
                let difference = norm(&(gradients.get(name).unwrap() - expected).unwrap());
                let bound = (1e-5 * norm(expected)).max(1e-6 * all);
                let what = format!("{variant:?}, image size {image_size}, {name}");
                assert!(difference <= bound, "{what}: {difference:e} of {:e}", norm(expected));
            }
        }
    }
}
