//! Dermake's part of `just bench-train`: times one optimizer step, or the objective alone, and can make the inputs.
//!
//! `inputs` and `features` write the inputs. `step` and `loss` read them, as the PyTorch part
//! (`benches/train/reference.py`) does, and print one line of JSON. Each measurement is a separate process, so that its
//! peak memory is its own. `RAYON_NUM_THREADS` sets the number of threads.

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use clap::{Args, Parser};
use dermake_device::{DeviceChoice, placement};
use dermake_models::init;
use dermake_objective::{Captions, Features, Loss, N_WHOLE_CAPTIONS, Objective, Variant};
use dermake_process::host;
use dermake_training::model::TrainedModel;
use dermake_training::optimizer::{AdamW, AdamWConfig};
use dermake_training::recipe::Recipe;
use dermake_training::step::{Batch, loss_and_gradients};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde_json::{Value, json};
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, Weights};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The program's own allocator, which `host::prepare` tunes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Captions N of a sample in MAKE's table: three whole ones and eight sub-captions.
const N_KINDS: usize = 11;

#[derive(Parser)]
enum Command {
    /// Write a model's first weights and one batch
    Inputs {
        #[command(flatten)]
        made: Made,
        /// The recipe whose model is built
        #[arg(long, default_value = "synth-demo")]
        recipe: String,
    },
    /// Write features for the objective alone: unit rows, 45 % of the captions masked and thus empty
    Features {
        #[command(flatten)]
        made: Made,
        #[arg(long, default_value_t = 512)]
        embed_dim: usize,
    },
    /// Time steps on what `inputs` wrote
    Step {
        #[command(flatten)]
        timed: Timed,
        /// The recipe whose micro-batches, precision and optimizer are used
        #[arg(long, default_value = "synth-demo")]
        recipe: String,
        #[arg(long, default_value = "released", value_parser = variant)]
        variant: Variant,
        #[arg(long, default_value = "cpu")]
        device: DeviceChoice,
    },
    /// Time the objective on what `features` wrote
    Loss {
        #[command(flatten)]
        timed: Timed,
    },
}

/// What inputs are made of.
#[derive(Args)]
struct Made {
    /// Folder to write to
    #[arg(long)]
    out: PathBuf,
    /// Samples B
    #[arg(long, default_value_t = 64)]
    batch: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Args)]
struct Timed {
    /// Folder to read from
    #[arg(long)]
    inputs: PathBuf,
    /// Repetitions that are timed, after one that is not
    #[arg(long, default_value_t = 3)]
    steps: usize,
}

fn main() -> Result<()> {
    host::prepare();
    match Command::parse() {
        Command::Inputs { made, recipe } => write_inputs(&made, &recipe),
        Command::Features { made, embed_dim } => write_features(&made, embed_dim),
        Command::Step { timed, recipe, variant, device } => time_steps(&timed, &recipe, variant, device),
        Command::Loss { timed } => time_loss(&timed),
    }
}

fn variant(text: &str) -> Result<Variant, String> {
    serde_json::from_value(json!(text)).map_err(|_| format!("expected released or paper, found {text}"))
}

/// The model that a recipe trains; for one that starts from OpenAI's checkpoint, which is not fetched, its architecture.
fn architecture(recipe: &Recipe) -> Result<ClipConfig> {
    Ok(match recipe.model.drawn_config()? {
        Some(config) => config,
        None => ClipConfig::named(recipe.model.architecture.as_deref().unwrap_or("ViT-B-16-quickgelu"))?,
    })
}

fn write_inputs(made: &Made, recipe: &str) -> Result<()> {
    fs::create_dir_all(&made.out).with_context(|| format!("cannot create {}", made.out.display()))?;
    let config = architecture(&Recipe::read(recipe)?)?;
    let model = TrainedModel::new(init::weights(&config, made.seed), &config, &Placement::default())?;
    let weights: HashMap<_, _> =
        model.parameters().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    save(&made.out, "weights", &weights)?;
    fs::write(made.out.join("config.json"), config.to_open_clip_json().to_string())?;

    let mut rng = ChaCha8Rng::seed_from_u64(made.seed);
    let side = config.preprocess.image_size;
    let pixels = (0..made.batch * 3 * side * side).map(|_| rng.sample(StandardNormal)).collect();
    // One to seven of eight sub-captions, four on average.
    let mask = caption_mask(made.batch, 1, &mut rng);
    let ids: Vec<i64> = mask.iter().flat_map(|&valid| caption_ids(valid == 1, &config, &mut rng)).collect();
    let length = config.text.context_length;
    fs::write(made.out.join("lengths.json"), lengths(&ids, length, made.batch).to_string())?;
    let batch = HashMap::from([
        ("pixel_values".into(), Tensor::from_vec::<_, f32>(pixels, (made.batch, 3, side, side), &Device::Cpu)?),
        ("input_ids".into(), Tensor::from_vec::<_, i64>(ids, (made.batch, N_KINDS, length), &Device::Cpu)?),
        ("caption_mask".into(), Tensor::from_vec(mask, (made.batch, N_KINDS), &Device::Cpu)?),
    ]);
    save(&made.out, "batch", &batch)
}

/// 1 for a caption that is there, sample-major: the whole ones, and `fewest` to `fewest + 6` sub-captions.
fn caption_mask(n_samples: usize, fewest: usize, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut mask = Vec::with_capacity(n_samples * N_KINDS);
    for _ in 0..n_samples {
        let n_valid = N_WHOLE_CAPTIONS + rng.random_range(fewest..=fewest + 6);
        mask.extend((0..N_KINDS).map(|kind| u8::from(kind < n_valid)));
    }
    mask
}

/// A caption of 8 to 30 tokens with its two ends, or the empty one; padded with 0.
fn caption_ids(is_valid: bool, config: &ClipConfig, rng: &mut ChaCha8Rng) -> Vec<i64> {
    let (length, end) = (config.text.context_length, config.text.vocab_size as i64 - 1);
    let n_words = if is_valid { rng.random_range(6..=28).min(length - 2) } else { 0 };
    let mut ids = vec![end - 1];
    ids.extend((0..n_words).map(|_| rng.random_range(1..end - 1)));
    ids.push(end);
    ids.resize(length, 0);
    ids
}

/// What the work of a step follows from: tokens of the distinct captions, without padding.
fn lengths(ids: &[i64], context_length: usize, n_samples: usize) -> Value {
    let distinct: HashSet<_> = ids.chunks(context_length).collect();
    let of_each = distinct.iter().map(|ids| ids.iter().filter(|&&id| id != 0).count());
    let (tokens, squared) = of_each.fold((0, 0), |(sum, squares), n| (sum + n, squares + n * n));
    json!({"samples": n_samples, "tokens": tokens, "squared_lengths": squared})
}

/// Image, text and local features as of a batch whose captions all differ but for the empty ones.
fn write_features(made: &Made, embed_dim: usize) -> Result<()> {
    fs::create_dir_all(&made.out).with_context(|| format!("cannot create {}", made.out.display()))?;
    let mut rng = ChaCha8Rng::seed_from_u64(made.seed);
    let mask = caption_mask(made.batch, 0, &mut rng);
    let mut n_valid = 0;
    let rows: Vec<u32> = mask
        .iter()
        .map(|&valid| {
            n_valid += u32::from(valid);
            if valid == 1 { n_valid } else { 0 }
        })
        .collect();
    let mut unit_rows = |n_rows: usize| -> Result<Tensor> {
        let values: Vec<f32> = (0..n_rows * embed_dim).map(|_| rng.sample(StandardNormal)).collect();
        Ok(shared_model::unit_length(&Tensor::from_vec(values, (n_rows, embed_dim), &Device::Cpu)?)?)
    };
    let features = HashMap::from([
        ("image".to_string(), unit_rows(made.batch)?),
        ("text".into(), unit_rows(n_valid as usize + 1)?),
        ("local".into(), (unit_rows(made.batch)? * 1.5)?),
        ("rows".into(), Tensor::new(rows, &Device::Cpu)?.to_dtype(DType::I64)?),
        ("caption_mask".into(), Tensor::from_vec(mask, (made.batch, N_KINDS), &Device::Cpu)?),
    ]);
    save(&made.out, "features", &features)
}

fn save(out: &Path, name: &str, tensors: &HashMap<String, Tensor>) -> Result<()> {
    let path = out.join(format!("{name}.safetensors"));
    candle_core::safetensors::save(tensors, &path).with_context(|| format!("cannot write {}", path.display()))
}

fn load(folder: &Path, name: &str) -> Result<HashMap<String, Tensor>> {
    let path = folder.join(format!("{name}.safetensors"));
    candle_core::safetensors::load(&path, &Device::Cpu).with_context(|| format!("cannot read {}", path.display()))
}

fn time_steps(timed: &Timed, recipe: &str, variant: Variant, device: DeviceChoice) -> Result<()> {
    let recipe = Recipe::read(recipe)?;
    let placement = placement(device, recipe.run.precision)?;
    let config = ClipConfig::from_open_clip_json(&fs::read(timed.inputs.join("config.json"))?)?;
    let weights = fs::read(timed.inputs.join("weights.safetensors"))?;
    let model = TrainedModel::new(Weights::from_safetensors(weights.into())?, &config, &placement)?;
    // The reference's constants, even if the recipe has others.
    let objective = Objective { variant, lambda_m: 1.0, lambda_s: 0.7, sigma: 0.0, ..recipe.objective };
    let mut optimizer =
        AdamW::new(AdamWConfig { clip_norm: None, ..recipe.optimizer }, model.layout.clone(), model.device())?;
    let batch = load(&timed.inputs, "batch")?;
    let pixel_values = batch["pixel_values"].to_device(model.device())?;
    let ids: Vec<Vec<u32>> = batch["input_ids"].flatten_to(1)?.to_dtype(DType::U32)?.to_vec2()?;
    let mask = bools(&batch["caption_mask"])?;
    drop(batch);

    let mut n_distinct = 0;
    let step = || -> Result<Loss> {
        let (captions, input_ids) = Captions::distinct(&ids, mask.clone(), N_KINDS);
        let batch = Batch { pixels: &pixel_values, captions: &captions, input_ids: &input_ids };
        let (loss, gradients) = loss_and_gradients(&model, &objective, &batch, &recipe.run.micro_batches)?;
        optimizer.step(model.flat_parameters(), &gradients, 1e-4)?;
        model.clamp_logit_scale()?;
        model.device().synchronize()?;
        n_distinct = captions.n_rows;
        Ok(loss)
    };
    let mut measured = measure(timed.steps, step)?;
    measured["micro_batches"] = serde_json::to_value(&recipe.run.micro_batches)?;
    measured["distinct_captions"] = json!(n_distinct);
    println!("{measured}");
    Ok(())
}

fn time_loss(timed: &Timed) -> Result<()> {
    let mut inputs = load(&timed.inputs, "features")?;
    let mut take = |name: &str| inputs.remove(name).with_context(|| format!("the features have no {name}"));
    let rows = take("rows")?.to_vec1::<i64>()?.into_iter().map(|row| row as usize).collect();
    let mask = bools(&take("caption_mask")?)?;
    let features =
        Features { image: take("image")?, text: take("text")?, local: Some(take("local")?.unsqueeze(1)?) };
    let captions = Captions { n_kinds: N_KINDS, rows, mask, n_rows: features.text.dim(0)?, lineages: Vec::new() };
    let objective = Objective {
        variant: Variant::Released,
        lambda_m: 1.0,
        lambda_s: 0.7,
        sigma: 0.0,
        diagnosis_weights: true,
        masked_captions_are_negatives: true,
        ontology: None,
    };
    let mut measured = measure(timed.steps, || objective.loss(&features, &captions, 1.0 / 0.07))?;
    measured["distinct_captions"] = json!(captions.n_rows);
    println!("{measured}");
    Ok(())
}

fn bools(mask: &Tensor) -> Result<Vec<bool>> {
    Ok(mask.flatten_all()?.to_vec1::<u8>()?.into_iter().map(|value| value == 1).collect())
}

/// Runs `step` once to warm up and `n` times against the clock.
fn measure(n: usize, mut step: impl FnMut() -> Result<Loss>) -> Result<Value> {
    let start_mib = status_mib("VmRSS")?;
    let terms = |loss: &Loss| json!({"mkcl": loss.mkcl, "slra": loss.slra, "total": loss.total()});
    let mut loss = step()?;
    let first_loss = terms(&loss);
    let mut millis = Vec::with_capacity(n);
    for _ in 0..n {
        let started = Instant::now();
        loss = step()?;
        millis.push(1e3 * started.elapsed().as_secs_f64());
    }
    Ok(json!({
        "millis": millis,
        "start_mib": start_mib,
        "peak_mib": status_mib("VmHWM")?,
        "threads": rayon::current_num_threads(),
        "first_loss": first_loss,
        "last_loss": terms(&loss),
    }))
}

/// A field of `/proc/self/status` in MiB; none where the system has no such file.
fn status_mib(field: &str) -> Result<Option<f64>> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return Ok(None) };
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib =
        line.and_then(|line| line.trim().strip_suffix("kB")).context("an unknown form of /proc/self/status")?;
    Ok(Some(kib.trim().parse::<f64>()? / 1024.0))
}
