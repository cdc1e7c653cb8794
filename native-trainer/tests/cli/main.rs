//! The program as a stranger uses it: a fresh model, its quantized form, photos and what is none.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod archive;
mod calibrate;
mod card;
mod checkpoints;
mod classify;
mod color_model;
mod data;
mod environment;
mod eval;
mod eval_data;
mod eval_from;
mod eval_models;
mod eval_protocols;
#[cfg(unix)]
mod eval_ranks;
mod eval_synth;
mod eval_tables;
mod families;
mod families_hub;
mod family;
mod finetune;
mod finetune_again;
mod finetune_data;
#[path = "../../../shared-model/tests/support/fixture_folder.rs"]
mod fixture_folder;
mod inputs;
mod labels;
#[path = "../support/limited.rs"]
mod limited;
mod manuals;
mod map;
mod old_models;
mod open_clip;
mod own_captions;
mod own_data;
mod own_tables;
mod pictures;
mod prepare;
mod prepare_again;
mod prepare_images;
mod prepare_llm;
mod published_predictions;
mod quantize;
#[cfg(unix)]
mod rank_faults;
#[cfg(unix)]
mod rank_processes;
#[cfg(unix)]
mod ranks_equal_one;
mod rounding;
mod search;
mod serve;
#[cfg(unix)]
mod serve_process;
mod shared_folder;
#[cfg(unix)]
#[path = "../support/signals.rs"]
mod signals;
mod site;
#[path = "../../crates/hub/tests/standin_hub/mod.rs"]
#[allow(dead_code, reason = "its faults are for the hub's own tests")]
mod standin_hub;
mod storage;
mod streams;
mod train;
mod train_experiments;
#[cfg(unix)]
mod train_ranks;
mod train_refusals;
mod train_resume;
mod train_run;
#[cfg(unix)]
mod train_signals;
#[cfg(unix)]
mod tutorials;
mod verify;
mod wgpu;

use assert_cmd::Command;
use serde_json::Value;
use shared_folder::shared_folder;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Two real-size models, made once: the smallest architecture keeps the tests quick.
struct Models {
    dense: PathBuf,
    quantized: PathBuf,
    /// What `quantize` printed.
    report: String,
}

fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(|| {
        let folder = shared_folder("models");
        let (dense, quantized) = (folder.join("hub/ada/untrained"), folder.join("quantized"));
        dermake().args(["init", "--arch", "ViT-B-32", "--seed", "3", "--out"]).arg(&dense).assert().success();
        let output = dermake()
            .args(["quantize", "--format", "int8", "--calibrate", "none", "--model"])
            .arg(&dense)
            .arg("--out")
            .arg(&quantized)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report = String::from_utf8(output.stdout).unwrap();
        Models { dense, quantized, report }
    })
}

fn dermake() -> Command {
    let mut command = Command::from_std(limited::dermake());
    command.timeout(limited::TIME_LIMIT);
    command
}

/// A script whose parameters are the program and the arguments that follow.
#[cfg(unix)]
fn script(script: &str) -> Command {
    let mut command = Command::from_std(limited::without_settings(std::process::Command::new("bash")));
    command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_dermake")]).timeout(limited::TIME_LIMIT);
    command
}

fn sample(index: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../shared-model/data/samples/sample-{index}.jpg"))
}

/// One JSON object a line of stdout.
fn json_lines(stdout: &[u8]) -> Vec<Value> {
    std::str::from_utf8(stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn labels_of(answer: &Value) -> Vec<&str> {
    answer["predictions"].as_array().unwrap().iter().map(|p| p["label"].as_str().unwrap()).collect()
}

fn probabilities_of(answer: &Value) -> Vec<f64> {
    answer["predictions"].as_array().unwrap().iter().map(|p| p["probability"].as_f64().unwrap()).collect()
}
