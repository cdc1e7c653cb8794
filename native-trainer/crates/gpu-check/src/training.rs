//! A short run of `dermake train` on drawn pictures, with the loader.

use super::report::Wrong;
use anyhow::{Context, Result, ensure};
use dermake_device::DeviceChoice;
use dermake_synth::{Extras, SynthOptions, synth};
use dermake_training::sinks::metrics;
use dermake_training::{Ending, Ranks, RunPlaces, train};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Size of the run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub n_pictures: usize,
    pub batch_size: usize,
    pub n_steps: usize,
    /// ViT-B/16, or the smoke recipe's small model.
    pub is_full_size: bool,
}

/// Draws pictures and trains on them; the loss must fall.
///
/// # Errors
/// When the run fails or its loss does not fall.
pub fn check(device: DeviceChoice, folder: &Path, run: Run) -> Result<Value> {
    let data = folder.join("drawn");
    let extras = Extras::default();
    synth(&SynthOptions { n_images: run.n_pictures, seed: 1, image_size: 256, out: data.clone(), extras })?;
    let recipe = folder.join("recipe.toml");
    fs::write(&recipe, recipe_text(run))?;
    let recipe = recipe.to_str().context("the temporary folder's name is text")?;
    let out = folder.join("run");
    let ending = train(recipe, &[], &RunPlaces { data: &data, out: &out, device }, &Ranks::alone())?;
    ensure!(ending != Ending::Interrupted, "the run was interrupted");
    let records = metrics::read(&out.join("metrics.jsonl"))?;
    let scalars = |name: &str| -> Vec<f64> { records.iter().filter_map(|record| record.scalar(name)).collect() };
    let (losses, speeds, waits) = (scalars("loss"), scalars("samples_per_sec"), scalars("waiting_share"));
    let (Some(first), Some(last)) = (losses.first(), losses.last()) else {
        anyhow::bail!("the run logged no loss");
    };
    let evaluated = ["validation_loss", "zero_shot_top1_synth"].map(|name| scalars(name).last().copied());
    let [Some(validation_loss), Some(accuracy)] = evaluated else {
        anyhow::bail!("the evaluation after an epoch failed; the log above says why")
    };
    let later = speeds.len() / 3;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let figures = json!({
        "steps": losses.len(), "samples": run.batch_size, "first_loss": first, "last_loss": last,
        "samples_per_sec": mean(&speeds[later..]), "waiting_share": mean(&waits[later..]),
        "validation_loss": validation_loss, "zero_shot_top1": accuracy,
    });
    if last < first {
        return Ok(figures);
    }
    let why = format!("the loss was {first:.4} at first and {last:.4} in the end, expected it to fall");
    Err(Wrong { why, figures }.into())
}

fn recipe_text(run: Run) -> String {
    let epochs = (run.n_steps * run.batch_size).div_ceil(run.n_pictures / run.batch_size * run.batch_size);
    let model = if run.is_full_size {
        "architecture = \"ViT-B-16-quickgelu\""
    } else {
        "model_cfg = { embed_dim = 64, quick_gelu = true, vision_cfg = { image_size = 64, patch_size = 16, width = 64, \
         layers = 2, head_width = 32 }, text_cfg = { width = 64, heads = 2, layers = 2 } }"
    };
    let precision = if run.is_full_size { "bf16" } else { "f32" };
    format!(
        "[model]\n{model}\n\n[data]\ntrain = \"train.csv\"\nvalidation = \"val.csv\"\n\n[[data.zero_shot]]\n\
         name = \"synth\"\ntable = \"zeroshot/test.csv\"\nclasses = \"classes.json\"\n\n[objective]\nvariant = \"paper\"\n\n\
         [optimizer]\n\
         weight_decay = 0.1\n\n[schedule]\nlearning_rate = 3e-4\nwarmup_steps = 4\n\n[run]\nepochs = {epochs}\n\
         batch_size = {}\nprecision = \"{precision}\"\n\n[run.micro_batches]\nimages = 128\ntokens = 16384\n",
        run.batch_size
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_learns() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run { n_pictures: 64, batch_size: 16, n_steps: 12, is_full_size: false };
        let figures = check(DeviceChoice::Cpu, folder.path(), run).unwrap();
        assert_eq!(figures["steps"], 12);
        assert!(figures["last_loss"].as_f64() < figures["first_loss"].as_f64(), "{figures}");
    }
}
