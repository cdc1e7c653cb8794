//! O-MAKE's soft targets beside `loss/omake.py`, which forms every target in f64.

use crate::fixtures;
use crate::loss::{GRADIENT, LOSS, all_distinct};
use candle_core::Tensor;
use dermake_objective::{Captions, Features, Lineage, Objective, OntologyTargets, Variant};
use serde_json::Value;
use std::collections::HashMap;

struct Fixture {
    json: Value,
    scales: Value,
    inputs: HashMap<String, Tensor>,
    expected: HashMap<String, Tensor>,
}

/// A case and a run of it.
struct Run<'a> {
    fixture: &'a Fixture,
    case: &'a str,
    name: &'a str,
    expected: &'a Value,
    objective: Objective,
}

impl Fixture {
    fn read() -> Self {
        Self {
            json: fixtures::json("loss/omake.json"),
            scales: fixtures::json("loss/loss.json"),
            inputs: fixtures::tensors("loss/loss.safetensors"),
            expected: fixtures::tensors("loss/omake.safetensors"),
        }
    }

    fn for_every_run(&self, test: impl Fn(&Run<'_>)) {
        let mut n_runs = 0;
        for (case, runs) in self.json["cases"].as_object().unwrap() {
            for (name, expected) in runs.as_object().unwrap() {
                test(&Run { fixture: self, case, name, expected, objective: objective(name, expected) });
                n_runs += 1;
            }
        }
        assert_eq!(n_runs, 18);
    }

    fn lineages(&self, n_samples: usize) -> Vec<Lineage> {
        let lineages = self.json["lineages"].as_array().unwrap().iter().take(n_samples);
        let nodes = |lineage: &Value| -> Vec<u32> {
            lineage.as_array().unwrap().iter().map(|node| node.as_u64().unwrap() as u32).collect()
        };
        lineages.map(|lineage| Lineage::new(&nodes(lineage))).collect()
    }
}

fn objective(run: &str, settings: &Value) -> Objective {
    let variant = if run.starts_with("omake") { Variant::Omake } else { Variant::Released };
    let number = |name: &str| settings[name].as_f64().unwrap();
    Objective {
        diagnosis_weights: settings["weights"].as_bool().unwrap(),
        masked_captions_are_negatives: settings["masked_negatives"].as_bool().unwrap(),
        ontology: Some(OntologyTargets {
            temperature: number("temperature"),
            beta: number("beta"),
            decay_epochs: None,
        }),
        ..Objective::of(variant)
    }
}

impl Run<'_> {
    fn what(&self) -> String {
        format!("{} {}", self.case, self.name)
    }

    fn input(&self, name: &str) -> &Tensor {
        &self.fixture.inputs[&format!("{}.{name}", self.case)]
    }

    fn captions(&self) -> Captions {
        let mask = self.input("in.caption_mask");
        let values: Vec<f32> = mask.flatten_all().unwrap().to_vec1().unwrap();
        let captions = all_distinct(values.iter().map(|&value| value == 1.0).collect(), mask.dim(1).unwrap());
        Captions { lineages: self.fixture.lineages(captions.n_samples()), ..captions }
    }

    fn features(&self) -> Features {
        let local = match self.objective.variant {
            Variant::Released => self.input("in.weighted_patch_embeddings_sum").unsqueeze(1).unwrap(),
            _ => self.input("paper.local_features").clone(),
        };
        let (image, text) = (self.input("in.image_features").clone(), self.input("in.text_features").clone());
        Features { image, text, local: Some(local) }
    }

    fn logit_scale(&self) -> f64 {
        self.fixture.scales["cases"][self.case]["logit_scale"].as_f64().unwrap()
    }
}

#[test]
fn soft_targets() {
    Fixture::read().for_every_run(|run| {
        let what = run.what();
        let loss = run.objective.loss(&run.features(), &run.captions(), run.logit_scale()).unwrap();
        let numbers = [("mkcl_scaled", loss.mkcl), ("slra_scaled", loss.slra), ("total", loss.total())];
        for (name, ours) in numbers {
            let expected = run.expected[name].as_f64().unwrap();
            assert!((ours - expected).abs() <= LOSS * expected, "{what} {name}: {ours}, expected {expected}");
        }
        let scale = run.expected["grad_logit_scale"].as_f64().unwrap();
        assert!((loss.logit_scale - scale).abs() <= 1e-4 * scale.abs().max(1e-2), "{what}: {}", loss.logit_scale);
        let gradient = |name: &str| &run.fixture.expected[&format!("{}.{}.grad.{name}", run.case, run.name)];
        fixtures::assert_relative(&what, &loss.image, gradient("image"), GRADIENT);
        fixtures::assert_relative(&what, &loss.text, gradient("text"), GRADIENT);
        let local = loss.local.unwrap();
        fixtures::assert_relative(
            &what,
            &local.reshape(gradient("local").dims()).unwrap(),
            gradient("local"),
            GRADIENT,
        );
    });
}

/// Without a share that follows the ontology, the terms are those without an ontology, but for the weights of captions
/// beside images.
#[test]
fn beta_of_0_is_one_hot() {
    Fixture::read().for_every_run(|run| {
        let one_hot = |variant: Variant, ontology: Option<OntologyTargets>| {
            let objective = Objective { variant, ontology, diagnosis_weights: false, ..run.objective.clone() };
            objective.loss(&run.features(), &run.captions(), run.logit_scale()).unwrap()
        };
        let (variant, plain) = match run.objective.variant {
            Variant::Omake => (Variant::Omake, Variant::Paper),
            variant => (variant, variant),
        };
        let ours = one_hot(variant, Some(OntologyTargets { beta: 0.0, ..OntologyTargets::default() }));
        let expected = one_hot(plain, None);
        assert!((ours.total() - expected.total()).abs() < 1e-6 * expected.total(), "{}", run.what());
        fixtures::assert_relative(&run.what(), &ours.image, &expected.image, 1e-6);
        fixtures::assert_relative(&run.what(), &ours.text, &expected.text, 1e-6);
    });
}
