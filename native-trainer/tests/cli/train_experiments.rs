//! `dermake train` with the keys of experiments: adapters, SigLIP's loss, another image size, early stopping, sweeps.

use crate::dermake;
use crate::train_run::{RECIPE, Run, data, own_data};
use std::collections::BTreeMap;
use std::fs;

/// A run that starts from the newest checkpoint of another one, with `more` in its recipe's head.
fn further(earlier: &Run, model: &str, more: &str, epochs: u32) -> Run {
    let run = Run::new(epochs, "1e-3");
    let rest = &RECIPE[RECIPE.find("[data]").unwrap()..];
    let rest = rest.replace("EPOCHS", &epochs.to_string()).replace("RATE", "1e-3");
    let from = earlier.checkpoint("last");
    fs::write(&run.recipe, format!("[model]\nfrom = {from:?}\n{model}\n{more}\n{rest}")).unwrap();
    run
}

fn weights(run: &Run) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(run.checkpoint("last").join("open_clip_model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    tensors.iter().map(|(name, view)| (name.to_string(), view.data().to_vec())).collect()
}

/// Whether a checkpoint classifies a photo.
fn classifies(run: &Run) {
    let mut classify = dermake();
    classify.args(["classify", "--labels", "nevus, psoriasis", "--model"]).arg(run.checkpoint("last"));
    classify.arg(data().join("zeroshot/images/00000.jpg")).assert().success();
}

#[test]
fn adapters_change_their_matrices_alone_and_go_on_after_a_kill() {
    let start = Run::new(1, "1e-3");
    start.finish();
    let lora = "[lora]\nrank = 2\nalpha = 4.0\nmatrices = [\"v\", \"c_fc\"]";
    let whole = further(&start, "", lora, 3);
    let log = whole.log();
    assert!(log.contains("M of adapters"), "{log}");
    let (before, after) = (weights(&start), weights(&whole));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, value) in &after {
        let is_adapted = name.ends_with("attn.in_proj_weight") || name.ends_with("mlp.c_fc.weight");
        assert_eq!(before[name] != *value, is_adapted, "{name}");
    }
    classifies(&whole);

    let killed = further(&start, "", lora, 3);
    let mut child = killed.start_until_saved();
    child.kill().unwrap();
    child.wait().unwrap();
    killed.finish();
    assert!(killed.tensors("last") == whole.tensors("last"), "weights, adapters or moments differ after a kill");

    // The adapters belong to the weights that they were trained on.
    let other = Run::new(1, "2e-3");
    other.finish();
    let file = "open_clip_model.safetensors";
    fs::copy(other.checkpoint("last").join(file), start.checkpoint("last").join(file)).unwrap();
    let output = dermake().args(whole.arguments()).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && log.contains("model.from has changed"), "{log}");
}

/// The loss scale is a part of the checkpoint, and of what a run reports.
#[test]
fn a_run_in_f16_scales_its_loss_and_goes_on_after_a_kill() {
    let run = || {
        let run = Run::new(3, "1e-3");
        run.change("[run]\n", "[run]\nprecision = \"f16\"\n");
        run
    };
    let state = |run: &Run| -> serde_json::Value {
        serde_json::from_slice(&fs::read(run.checkpoint("last").join("state.json")).unwrap()).unwrap()
    };
    let whole = run();
    let log = whole.log();
    let (at_end, skipped) = (state(&whole), log.matches("the gradients overflow in f16").count() as u64);
    let scale = &at_end["loss_scale"];
    assert_eq!(scale["skipped"], skipped, "{log}");
    assert_eq!(scale["factor"], 65_536.0 / f64::from(1 << skipped), "{log}");
    assert_eq!(at_end["optimizer_steps"].as_u64().unwrap() + skipped, at_end["step"].as_u64().unwrap());
    let last = whole.metrics().into_iter().rfind(|line| line["loss"].is_number()).unwrap();
    assert_eq!(
        (&last["loss_scale"], &last["skipped_steps"]),
        (&scale["factor"], &serde_json::json!(skipped as f64))
    );
    classifies(&whole);

    let killed = run();
    let mut child = killed.start_until_saved();
    child.kill().unwrap();
    child.wait().unwrap();
    killed.finish();
    assert!(killed.tensors("last") == whole.tensors("last"), "weights or moments differ after a kill");
    assert_eq!(state(&killed)["loss_scale"], *scale);

    // Others have no scale.
    let exact = Run::new(1, "1e-3");
    exact.finish();
    assert!(state(&exact).get("loss_scale").is_none());
    assert!(exact.metrics().iter().all(|line| line.get("loss_scale").is_none()));
}

#[test]
fn omake_follows_the_ontology_and_goes_on_after_a_kill() {
    let omake = |epochs: u32| {
        let run = Run::new(epochs, "2e-3");
        run.change("variant = \"paper\"", "variant = \"omake\"\nontology = { decay_epochs = 3 }");
        run.change("[optimizer]", "[data.ontology_sampling]\nramp_epochs = 2\n[optimizer]");
        run
    };
    let whole = omake(4);
    let log = whole.log();
    assert!(log.contains("objective   omake") && log.contains("ontology    has the diagnoses of"), "{log}");
    let losses: Vec<f64> = whole.metrics().iter().filter_map(|line| line["loss"].as_f64()).collect();
    assert!(losses[losses.len() - 1] < 0.95 * losses[0], "{losses:?}");
    classifies(&whole);

    let killed = omake(4);
    let mut child = killed.start_until_saved();
    child.kill().unwrap();
    child.wait().unwrap();
    killed.finish();
    assert!(killed.tensors("last") == whole.tensors("last"), "weights or moments differ after a kill");
}

#[test]
fn an_ontology_without_the_tables_diagnoses_is_refused() {
    let set = own_data();
    let run = Run { data: set.path().to_path_buf(), ..Run::new(1, "1e-3") };
    run.change("variant = \"paper\"", "variant = \"omake\"");
    run.change("[data]", "[data]\nontology = \"tree.json\"");
    let refused = run.refusal();
    assert!(refused.contains("tree.json"), "{refused}");
    let tree = run.data.join("tree.json");
    fs::write(&tree, "{\"skin\": {\"zyxoma\": {}}}").unwrap();
    let refused = run.refusal();
    assert!(refused.contains("tree.json has none of the table's ontology captions"), "{refused}");
    fs::write(&tree, "{\"skin\": {\"nevus\": {}, \"melanoma\": {}}}").unwrap();
    run.finish();
    fs::write(&tree, "{\"skin\": {\"nevus\": {}}}").unwrap();
    let output = dermake().args(run.arguments()).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && log.contains("started with another ontology"), "{log}");
}

#[test]
fn siglip_learns_its_bias_and_what_it_leaves_is_a_model() {
    let run = Run::new(4, "2e-3");
    run.change("variant = \"paper\"", "variant = \"siglip\"");
    run.finish();
    let losses: Vec<f64> = run.metrics().iter().filter_map(|line| line["loss"].as_f64()).collect();
    assert!(losses[losses.len() - 1] < 0.95 * losses[0], "{losses:?}");
    let bias = weights(&run)["logit_bias"].clone();
    let bias = f32::from_le_bytes(bias.try_into().unwrap());
    assert!(bias != -10.0 && (bias + 10.0).abs() < 1.0, "{bias}");
    let config = fs::read_to_string(run.checkpoint("last").join("open_clip_config.json")).unwrap();
    assert!(config.contains("\"init_logit_bias\": -10"), "{config}");
    classifies(&run);
    // What was trained with a bias is trained further, with it and without.
    further(&run, "", "", 1).finish();
    let again = further(&run, "", "", 1);
    again.change("variant = \"paper\"", "variant = \"siglip\"");
    again.finish();
    assert_ne!(weights(&again)["logit_bias"], weights(&run)["logit_bias"]);
}

#[test]
fn a_checkpoint_is_trained_on_at_another_image_size() {
    let start = Run::new(1, "1e-3");
    start.finish();
    let larger = further(&start, "image_size = 48", "[lock]\nimage = true", 1);
    larger.finish();
    let config = fs::read(larger.checkpoint("last").join("open_clip_config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["model_cfg"]["vision_cfg"]["image_size"], 48);
    // 9 patches and the class token, of 32 values.
    assert_eq!(weights(&larger)["visual.positional_embedding"].len(), 10 * 32 * 4);
    assert_eq!(weights(&larger)["visual.proj"], weights(&start)["visual.proj"], "the tower is locked");
    classifies(&larger);
    let refused = |model: &str, lock: &str, expected: &str| {
        let said = further(&start, model, lock, 1).refusal();
        assert!(said.contains(expected), "{said}");
    };
    refused("image_size = 8", "", "in model.image_size");
    refused("", "[lock]\nimage_blocks = 2", "lock.image_blocks is 2, but the image tower has 1 blocks");
    refused("", "[lora]\nrank = 2\n[lock]\nimage = true\ntext_blocks = 1", "every block is locked");
    let own = Run::new(1, "1e-3");
    own.change("[model.model_cfg]", "[model]\nimage_size = 48\n[model.model_cfg]");
    assert!(own.refusal().contains("the size belongs into model_cfg.vision_cfg"));
}

#[test]
fn the_demo_model_is_trained_further() {
    let run = Run::new(1, "1e-5");
    let rest = &RECIPE[RECIPE.find("[data]").unwrap()..];
    let rest = rest.replace("EPOCHS", "1").replace("RATE", "1e-5");
    let more = "[lock]\nimage_blocks = 5\ntext = true";
    fs::write(&run.recipe, format!("[model]\nfrom = \"demo\"\n{more}\n{rest}")).unwrap();
    let log = run.log();
    assert!(log.contains("of them trained"), "{log}");
    classifies(&run);
    // It has learned before: better than one of the eight and more classes by chance.
    let metrics = run.metrics();
    let accuracy = metrics.iter().find_map(|line| line["zero_shot_top1_synth"].as_f64()).unwrap();
    assert!(accuracy > 0.3, "{accuracy}");
}

#[test]
fn a_run_that_no_longer_improves_ends_early_and_goes_on_with_more_patience() {
    let run = Run::new(4, "1e-3");
    run.change("tokens = 512", "tokens = 512\n[run.early_stopping]\npatience = 1\nmin_improvement = 50.0");
    let log = run.log();
    assert!(log.contains("stopped early: validation_loss has not improved on"), "{log}");
    let n_evaluated = || run.metrics().iter().filter(|line| line["validation_loss"].is_f64()).count();
    assert_eq!(n_evaluated(), 2);
    assert!(run.log().contains("this run was stopped early"));
    run.change("patience = 1", "patience = 2");
    run.finish();
    assert_eq!(n_evaluated(), 3);
    run.change("\n[run.early_stopping]\npatience = 2\nmin_improvement = 50.0", "");
    run.finish();
    assert_eq!(n_evaluated(), 4);
    let wrong = Run::new(1, "1e-3");
    wrong.change("tokens = 512", "tokens = 512\n[run.early_stopping]\npatience = 1\nmetric = \"auroc\"");
    let said = wrong.refusal();
    assert!(said.contains("metric is \"auroc\", expected validation_loss or zero_shot_top1_synth"), "{said}");
}

#[test]
fn a_sweep_runs_all_combinations_and_goes_on() {
    let run = Run::new(1, "1e-3");
    let sweep = || {
        let mut command = dermake();
        command.args(run.arguments()).args(["--set", "optimizer.weight_decay=0.2"]);
        command.args(["--sweep", "run.seed=1,2", "--sweep", "schedule.learning_rate=1e-3,1e30"]);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, log) = sweep();
    assert!(code == Some(1) && log.contains("run 4 of 4"), "{log}");
    let table = fs::read_to_string(run.out().join("sweep.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("run,run.seed,schedule.learning_rate,last_loss,best_validation_loss,"), "{table}");
    assert_eq!(lines.len(), 5);
    assert!(lines[1].starts_with("run.seed=1_schedule.learning_rate=1e-3,1,1e-3,"), "{table}");
    assert!(lines[1].ends_with(',') && lines[2].contains("at step"), "the second learning rate diverges: {table}");
    let page = fs::read_to_string(run.out().join("sweep.html")).unwrap();
    assert!(page.contains("Sweep of 4 runs") && page.contains("<svg"), "{page}");
    let plan = run.out().join("run.seed=2_schedule.learning_rate=1e-3/plan.toml");
    let plan = fs::read_to_string(plan).unwrap();
    assert!(plan.contains("\nseed = 2\n") && plan.contains("\nweight_decay = 0.2\n"), "{plan}");
    assert_eq!(sweep().1.matches("this run is finished").count(), 2);

    for (arguments, expected) in [
        (["--set", "run.sed=1"], "unknown field `sed`"),
        (["--set", "run.seed"], "expected KEY=VALUE"),
        (["--sweep", "run.seed=1,1"], "has 1 twice"),
        (["--set=run.seed=3", "--sweep=run.seed=1,2"], "run.seed has a value in --set and several in --sweep"),
        (["--set=run.seed=3", "--set=run.seed=4"], "run.seed has two values in --set"),
    ] {
        let output = dermake().args(run.arguments()).args(arguments).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && log.contains(expected), "{log}");
    }
}
