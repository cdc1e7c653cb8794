//! Ranked labels, and classifiers of several label sets.

use super::*;
use crate::config::ClipConfig;
use crate::tokenizer::CLIP_MERGES_GZ;
use crate::weights::{Placement, Weights};

#[test]
fn predictions_are_ranked_and_ties_keep_the_label_order() {
    let names = ["a", "b", "c"].map(String::from);
    let weights = Tensor::new(&[[0.1f32, 0.6, 0.1], [0.0, 0.0, 0.0]], &Device::Cpu).unwrap();
    let classifier = Classifier::from_weights(&names, weights).unwrap();
    let features = Tensor::new(&[[1f32, 0.0]], &Device::Cpu).unwrap();
    let ranked = classifier.classify(&features, 5).unwrap().remove(0);
    assert_eq!(ranked.iter().map(|p| p.label.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
    assert!((ranked.iter().map(|p| p.probability).sum::<f32>() - 1.0).abs() < 1e-6);
    assert!((ranked[0].logit - 60.0).abs() < 1e-4);
    assert_eq!(classifier.classify(&features, 1).unwrap()[0].len(), 1);
    assert!(Classifier::from_weights(&names[..2], classifier.weights().clone()).is_err());
}

#[test]
fn a_label_of_several_sets_is_encoded_once() {
    let json = br#"{"embed_dim": 16,
        "vision_cfg": {"image_size": 32, "patch_size": 16, "width": 32, "layers": 1, "head_width": 16},
        "text_cfg": {"width": 16, "heads": 2, "layers": 2}}"#;
    let config = ClipConfig::from_open_clip_json(json).unwrap();
    let mut state = 1u64;
    let mut draw = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let tensors = config.text_parameters().into_iter().map(|parameter| {
        let values: Vec<f32> = (0..parameter.shape.iter().product()).map(|_| draw()).collect();
        (parameter.name, Tensor::from_vec(values, parameter.shape, &Device::Cpu).unwrap())
    });
    let text = TextTower::build(&Weights::from_live(tensors), &config, &Placement::default()).unwrap();
    let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, config.text.context_length).unwrap();
    let sets = [["acne", "keloid"], ["a long name of vitiligo", "acne"]]
        .map(|names| LabelSet::from_class_names(names.map(String::from).to_vec()).unwrap());
    let templates = Templates::skin();
    let mut counts = Vec::new();
    let mut count = |done, all| counts.push((done, all));
    let together = Classifier::build_all(&text, &tokenizer, &sets, &templates, &mut count).unwrap();
    let n_prompts = 3 * templates.as_slice().len();
    assert_eq!(counts.last(), Some(&(n_prompts, n_prompts)));
    for (set, found) in sets.iter().zip(together) {
        let sets = std::slice::from_ref(set);
        let alone = Classifier::build_all(&text, &tokenizer, sets, &templates, &mut |_, _| {}).unwrap();
        assert_eq!(found.class_names, set.class_names);
        let difference = (found.weights() - alone[0].weights()).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() < 1e-6, "{:?}", set.class_names);
    }
}
