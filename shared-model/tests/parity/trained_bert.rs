//! A trained BERT as a text tower, at the tolerance of `fixtures/towers/README.md`.
//!
//! Its weights are not in this repository but in a package of Python, which `case.json` names. The test runs where
//! `python3` finds the package, and says otherwise that it was skipped.

use crate::fixtures;
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_model::TextTower;
use shared_model::config::{ClipConfig, ConfigFiles};
use shared_model::weights::{Placement, StoredTensor, Weights};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const TOLERANCE: f32 = 1e-5;

/// A buffer of old checkpoints, which is no parameter.
const POSITION_IDS: &str = "embeddings.position_ids";

/// The layer that only one kind of pooling has.
const POOLER: &str = "pooler.";

#[test]
fn a_trained_bert_has_the_outputs_of_the_reference() {
    let case = fixtures::json("towers/bert_real/case.json");
    let Some(path) = find(case["weights_file"].as_str().unwrap()) else {
        // Not by a macro, whose output would be held back.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "skipped: python3 does not find the package {}", case["package"]).unwrap();
        return;
    };
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(format!("{:x}", Sha256::digest(&bytes)), case["weights_sha256"], "{}", path.display());
    let mut file = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
    file.remove(POSITION_IDS);
    let io = fixtures::tensors("towers/bert_real/io.safetensors");
    let ids: Vec<Vec<u32>> = io["input_ids"].to_dtype(DType::U32).unwrap().to_vec2().unwrap();
    let tower = |pooler: &str| tower(&file, &case["config"], pooler, ids[0].len());

    for (pooler, output) in
        [("mean_pooler", "mean_pooled"), ("cls_last_hidden_state_pooler", "cls"), ("cls_pooler", "tanh_pooler")]
    {
        let pooled = tower(pooler).raw_text_features(&ids).unwrap();
        fixtures::assert_close(output, &pooled, &io[output], TOLERANCE);
    }
    let mean = tower("mean_pooler");
    let unit = mean.text_features(&ids).unwrap();
    fixtures::assert_close("mean_pooled_unit", &unit, &io["mean_pooled_unit"], TOLERANCE);

    // The first tokens of the first text.
    let last = format!("block{}", case["config"]["num_hidden_layers"].as_u64().unwrap() - 1);
    let mut hidden = None;
    let observe = &mut |stage: &str, x: &Tensor| {
        if stage == last {
            hidden = Some(x.clone());
        }
    };
    mean.encode_observed(&ids, observe).unwrap();
    let n_tokens = io["hidden_rows"].dims()[1];
    let hidden = hidden.unwrap().narrow(1, 0, n_tokens).unwrap();
    fixtures::assert_close("hidden_rows", &hidden, &io["hidden_rows"], TOLERANCE);
}

/// The path of a file `PACKAGE/PATH` of a package that `python3` finds.
fn find(file: &str) -> Option<PathBuf> {
    const FOLDER: &str = "import importlib.util as util, sys
spec = util.find_spec(sys.argv[1])
print(spec.submodule_search_locations[0] if spec else '')";
    let (package, path) = file.split_once('/')?;
    let output = Command::new("python3").args(["-c", FOLDER, package]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(folder.trim_end()).join(path)).filter(|path| output.status.success() && path.is_file())
}

/// The text tower of an open_clip model, which has also the smallest vision tower.
fn tower(file: &HashMap<String, Tensor>, bert: &Value, pooler: &str, context_length: usize) -> TextTower {
    let keeps = |name: &str| pooler == "cls_pooler" || !name.starts_with(POOLER);
    let text = file.iter().filter(|(name, _)| keeps(name));
    let mut tensors: BTreeMap<String, Tensor> =
        text.map(|(name, tensor)| (format!("transformer.{name}"), tensor.clone())).collect();
    let config = json!({
        "embed_dim": bert["hidden_size"],
        "vision_cfg": {"image_size": 8, "patch_size": 8, "width": 8, "layers": 1, "head_width": 8},
        "text_cfg": {
            "context_length": context_length,
            "hf_model_name": "a/bert",
            "hf_tokenizer_name": "a/bert",
            "hf_pooler_type": pooler,
            "hf_proj_type": null,
        },
    });
    let (config, bert) = (config.to_string(), bert.to_string());
    let files = ConfigFiles { config: config.as_bytes(), text: Some(bert.as_bytes()), preprocessor: None };
    let config = ClipConfig::from_files(&files, stored(&tensors).shapes()).unwrap();
    for parameter in config.vision_parameters() {
        tensors.insert(parameter.name, Tensor::zeros(parameter.shape, DType::F32, &Device::Cpu).unwrap());
    }
    tensors.insert("logit_scale".into(), Tensor::zeros((), DType::F32, &Device::Cpu).unwrap());
    let weights = stored(&tensors).for_model(&config).unwrap();
    TextTower::load(&weights, &config, &Placement::default()).unwrap()
}

fn stored(tensors: &BTreeMap<String, Tensor>) -> Weights {
    let stored = |(name, tensor): (&String, &Tensor)| (name.clone(), StoredTensor::from_tensor(tensor).unwrap());
    Weights::from_stored(tensors.iter().map(stored))
}
