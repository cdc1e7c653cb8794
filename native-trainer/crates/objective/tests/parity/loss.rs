//! The objective on given features: `loss/`.

use crate::fixtures;
use candle_core::{Tensor, Var};
use dermake_objective::{Captions, Features, Lineage, Loss, Objective, Variant};
use serde_json::Value;
use shared_model::weighted_patch_sum;
use std::collections::HashMap;

/// Largest difference over largest expected value, of losses and of gradients.
pub const LOSS: f64 = 2e-5;
pub const GRADIENT: f32 = 1e-4;

/// Captions of which no two are equal.
pub fn all_distinct(mask: Vec<bool>, n_kinds: usize) -> Captions {
    let positions: Vec<usize> = (0..mask.len()).collect();
    Captions::distinct(&positions, mask, n_kinds).0
}

struct Case<'a> {
    name: &'a str,
    json: &'a Value,
    tensors: &'a HashMap<String, Tensor>,
}

impl Case<'_> {
    fn input(&self, name: &str) -> &Tensor {
        self.tensor(&format!("in.{name}"))
    }

    fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.get(&format!("{}.{name}", self.name)).unwrap_or_else(|| panic!("{}.{name}", self.name))
    }

    fn captions(&self) -> Captions {
        let mask = self.input("caption_mask");
        let values: Vec<f32> = mask.flatten_all().unwrap().to_vec1().unwrap();
        all_distinct(values.iter().map(|&value| value == 1.0).collect(), mask.dim(1).unwrap())
    }

    fn logit_scale(&self) -> f64 {
        self.json["logit_scale"].as_f64().unwrap()
    }

    fn features(&self, local: Option<Tensor>) -> Features {
        Features { image: self.input("image_features").clone(), text: self.input("text_features").clone(), local }
    }

    /// Own sub-captions' rows, `[B, K, E]`.
    fn own_subcaptions(&self, text_features: &Tensor, captions: &Captions) -> Tensor {
        let width = text_features.dim(1).unwrap();
        let kinds = text_features.reshape((captions.n_samples(), captions.n_kinds, width)).unwrap();
        kinds.narrow(1, 3, captions.n_kinds - 3).unwrap().contiguous().unwrap()
    }
}

fn for_every_case(test: impl Fn(&Case<'_>)) {
    let (json, tensors) = (fixtures::json("loss/loss.json"), fixtures::tensors("loss/loss.safetensors"));
    let cases = json["cases"].as_object().unwrap();
    assert!(!cases.is_empty());
    for (name, json) in cases {
        test(&Case { name, json, tensors: &tensors });
    }
}

fn for_every_run(variant: Variant, test: impl Fn(&Case<'_>, &str, &Value, &Objective)) {
    let prefix = if variant == Variant::Released { "released" } else { "paper" };
    for_every_case(|case| {
        for (run, expected) in case.json["runs"].as_object().unwrap() {
            let Some(settings) = run.strip_prefix(&format!("{prefix}.")) else { continue };
            let objective = objective(variant, settings);
            if expected["error"].is_string() {
                // The reference raises where there are no sub-captions to weigh; ours counts every caption fully.
                assert!(case.captions().n_kinds <= 3 && objective.diagnosis_weights, "{}.{run}", case.name);
                continue;
            }
            test(case, run, expected, &objective);
        }
    });
}

/// `w1_lm1.0_ls0.7`
fn objective(variant: Variant, settings: &str) -> Objective {
    let parts: Vec<&str> = settings.split('_').collect();
    let [weights, lambda_m, lambda_s] = parts[..] else { panic!("run {settings}") };
    Objective {
        variant,
        lambda_m: lambda_m[2..].parse().unwrap(),
        lambda_s: lambda_s[2..].parse().unwrap(),
        sigma: 0.0,
        diagnosis_weights: weights == "w1",
        masked_captions_are_negatives: true,
        ontology: None,
    }
}

fn assert_number(what: &str, ours: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((ours - expected).abs() <= LOSS * expected.abs().max(1e-3), "{what}: {ours}, expected {expected}");
}

fn assert_losses(what: &str, ours: &Loss, expected: &Value) {
    assert_number(&format!("{what} mkcl"), ours.mkcl, &expected["mkcl_scaled"]);
    assert_number(&format!("{what} slra"), ours.slra, &expected["slra_scaled"]);
    assert_number(&format!("{what} total"), ours.total(), &expected["total"]);
    let gradient = expected["grad_logit_scale"].as_f64().unwrap();
    let difference = (ours.logit_scale - gradient).abs();
    assert!(difference <= 1e-4 * gradient.abs().max(1e-2), "{what}: scale {} and {gradient}", ours.logit_scale);
}

fn assert_weights(case: &Case<'_>, run: &str, ours: &[f32], captions: &Captions) {
    let expected: Vec<f32> = case.tensor(&format!("{run}.weight")).flatten_all().unwrap().to_vec1().unwrap();
    for (position, (&ours, &expected)) in ours.iter().zip(&expected).enumerate() {
        assert!(ours.is_finite());
        if captions.mask[position] {
            assert!((ours - expected).abs() < 1e-5, "{} {run} weight {position}: {ours}, {expected}", case.name);
        }
    }
}

#[test]
fn released() {
    for_every_run(Variant::Released, |case, run, expected, objective| {
        let what = format!("{}.{run}", case.name);
        let captions = case.captions();
        let local = case.input("weighted_patch_embeddings_sum").unsqueeze(1).unwrap();
        let features = case.features(Some(local));
        let loss = objective.loss(&features, &captions, case.logit_scale()).unwrap();
        assert_losses(&what, &loss, expected);
        if objective.diagnosis_weights {
            assert_weights(case, run, &objective.caption_weights(&features, &captions).unwrap(), &captions);
        }
        let gradient = |name: &str| case.tensor(&format!("{run}.grad.{name}"));
        fixtures::assert_relative(&what, &loss.image, gradient("image_features"), GRADIENT);
        fixtures::assert_relative(&what, &loss.text, gradient("text_features"), GRADIENT);
        if let Some(local) = loss.local {
            let local = local.squeeze(1).unwrap();
            fixtures::assert_relative(&what, &local, gradient("weighted_patch_embeddings_sum"), GRADIENT);
        }
    });
}

#[test]
fn paper() {
    for_every_run(Variant::Paper, |case, run, expected, objective| {
        let what = format!("{}.{run}", case.name);
        let captions = case.captions();
        let has_subcaptions = captions.n_kinds > 3;
        let local = has_subcaptions.then(|| case.tensor("paper.local_features").clone());
        let features = case.features(local);
        let loss = objective.loss(&features, &captions, case.logit_scale()).unwrap();
        assert_losses(&what, &loss, expected);
        assert_weights(case, run, &objective.caption_weights(&features, &captions).unwrap(), &captions);
        let leaf = |name: &str| case.tensor(&format!("{run}.leaf.grad.{name}"));
        fixtures::assert_relative(&what, &loss.image, leaf("image_features"), GRADIENT);
        fixtures::assert_relative(&what, &loss.text, leaf("text_features"), GRADIENT);
        let Some(local) = &loss.local else { return };
        fixtures::assert_relative(&what, local, leaf("local_features"), GRADIENT);

        // End to end: the local features' gradient flows on to patches and texts.
        let patches = Var::from_tensor(case.input("patch_embeddings")).unwrap();
        let own = Var::from_tensor(&case.own_subcaptions(&features.text, &captions)).unwrap();
        let summed = weighted_patch_sum(&patches, &own, objective.sigma).unwrap();
        let pulled = (summed * local).unwrap().sum_all().unwrap().backward().unwrap();
        let e2e = |name: &str| case.tensor(&format!("{run}.e2e.grad.{name}"));
        fixtures::assert_relative(&what, pulled.get(&patches).unwrap(), e2e("patch_embeddings"), GRADIENT);
        let own_gradient = pulled.get(&own).unwrap().pad_with_zeros(1, 3, 0).unwrap().flatten_to(1).unwrap();
        let text = (&loss.text + own_gradient).unwrap();
        fixtures::assert_relative(&what, &text, e2e("text_features"), GRADIENT);
    });
}

#[test]
fn local_features() {
    for_every_case(|case| {
        let captions = case.captions();
        if captions.n_kinds <= 3 {
            return;
        }
        let own = case.own_subcaptions(case.input("text_features"), &captions);
        for (sigma, name) in [(0.0, "paper.local_features"), (0.3, "paper.local_features_sigma0.3")] {
            let ours = weighted_patch_sum(case.input("patch_embeddings"), &own, sigma).unwrap();
            fixtures::assert_relative(&format!("{} {name}", case.name), &ours, case.tensor(name), 2e-5);
        }
    });
}

#[test]
fn edge_cases() {
    let json = fixtures::json("loss/loss.json");
    let tensors = fixtures::tensors("loss/loss.safetensors");
    let case = |name| Case { name, json: &json, tensors: &tensors };
    let objective = |diagnosis_weights| Objective {
        variant: Variant::Released,
        lambda_m: 1.0,
        lambda_s: 0.7,
        sigma: 0.0,
        diagnosis_weights,
        masked_captions_are_negatives: true,
        ontology: None,
    };
    let edge = |name: &str| &json["edge"][name];

    // One caption a sample: the plain contrastive loss, of both variants.
    let single = case("edge_b5_n1");
    let features = single.features(None);
    let captions = all_distinct(vec![true; features.image.dim(0).unwrap()], 1);
    for variant in [Variant::Released, Variant::Clip] {
        let objective = Objective { variant, ..objective(false) };
        let loss = objective.loss(&features, &captions, 20.0).unwrap();
        assert_number("N = 1", loss.total(), &edge("N=1, weights off (single positive branch)")["total"]);
    }

    let many = case("edge_b5_n11");
    let n_kinds = many.features(None).text.dim(0).unwrap() / captions.n_samples();
    let local = Some(many.input("weighted_patch_embeddings_sum").unsqueeze(1).unwrap());
    let features = many.features(local);
    let all = |is_valid| all_distinct(vec![is_valid; n_kinds * captions.n_samples()], n_kinds);
    let loss = objective(true).loss(&features, &all(true), 20.0).unwrap();
    assert_number("all valid", loss.total(), &edge("N=11, all valid, weights on")["total"]);
    // The reference's loss of nothing is NaN with zero gradients; ours is zero with zero gradients.
    let nothing = objective(true).loss(&features, &all(false), 20.0).unwrap();
    assert_eq!((nothing.total(), nothing.logit_scale), (0.0, 0.0));
    assert_eq!(nothing.text.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap(), 0.0);
}

/// A batch in which captions repeat gives the same loss, and gradients summed over the repetitions, as one in which
/// every position has a row of its own.
#[test]
fn distinct_captions_count_with_their_multiplicity() {
    for variant in [Variant::Released, Variant::Paper, Variant::Omake, Variant::Clip] {
        for_every_case(|case| {
            let lineages: Vec<Lineage> =
                (0..12).map(|sample| Lineage::new(&[0, sample % 4][..sample as usize % 3])).collect();
            let mut whole = case.captions();
            whole.lineages = lineages[..whole.n_samples()].to_vec();
            let (n_samples, n_kinds) = (whole.n_samples(), whole.n_kinds);
            // Masked captions are one text; the last kind repeats the first where it is valid.
            let names: Vec<usize> = (0..whole.rows.len())
                .map(|position| match (whole.mask[position], position % n_kinds) {
                    (false, _) => usize::MAX,
                    (true, kind) if kind == n_kinds - 1 => position - kind,
                    _ => position,
                })
                .collect();
            let (mut distinct, kept) = Captions::distinct(&names, whole.mask.clone(), n_kinds);
            distinct.lineages.clone_from(&whole.lineages);
            assert!(distinct.n_rows < whole.n_rows || whole.mask.iter().all(|&valid| valid) && n_kinds == 1);
            let text = case.input("text_features");
            let source: Vec<u32> =
                kept.iter().map(|&name| if name == usize::MAX { 0 } else { name as u32 }).collect();
            let rows = |rows: Vec<u32>| Tensor::new(rows, text.device()).unwrap();
            let few = text.index_select(&rows(source), 0).unwrap();
            let spread: Vec<u32> = distinct.rows.iter().map(|&row| row as u32).collect();
            let many = few.index_select(&rows(spread.clone()), 0).unwrap();

            let objective = Objective { variant, ..objective(Variant::Paper, "w1_lm1.0_ls0.7") };
            let patches = case.input("patch_embeddings");
            let run = |captions: &Captions, text: &Tensor| {
                let local = objective.local_pairs(captions).map(|pairs| {
                    let own: Vec<u32> = pairs.text_rows.iter().map(|&row| row as u32).collect();
                    let own = text.index_select(&rows(own), 0).unwrap();
                    let own = own.reshape((n_samples, pairs.n_queries, ())).unwrap();
                    weighted_patch_sum(patches, &own, 0.0).unwrap()
                });
                let features = Features { image: case.input("image_features").clone(), text: text.clone(), local };
                objective.loss(&features, captions, case.logit_scale()).unwrap()
            };
            let (ours, expected) = (run(&distinct, &few), run(&whole, &many));
            assert!((ours.total() - expected.total()).abs() < 1e-5 * expected.total().abs(), "{}", case.name);
            assert!((ours.logit_scale - expected.logit_scale).abs() < 1e-5);
            fixtures::assert_relative(case.name, &ours.image, &expected.image, 1e-5);
            let gathered = few.zeros_like().unwrap().index_add(&rows(spread), &expected.text, 0).unwrap();
            fixtures::assert_relative(case.name, &ours.text, &gathered, 1e-5);
        });
    }
}
