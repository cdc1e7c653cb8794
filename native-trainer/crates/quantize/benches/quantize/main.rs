//! How near quantized features are to dense ones where weights are like trained ones:
//! `cargo run --release --locked --workspace --example bench_quantize`.
//!
//! The photos that are compared are other ones than those of the calibration. `--model` takes a checkpoint, such as one
//! of `benches/random_checkpoint.py`, also with a shape: `--model FOLDER --shapes trained`.

mod heavy_tailed;
mod noise;

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use clap::Parser;
use dermake_models::Checkpoint;
use dermake_process::host;
use dermake_quantize::{calibration_photos, calibration_texts, n_calibration_photos, pixel_values};
use heavy_tailed::Shape;
use shared_model::config::ClipConfig;
use shared_model::demo;
use shared_model::quantize::{self, QuantizedTower, Steps, WeightFormat, quantize_text, quantize_vision};
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use shared_model::weights::{Placement, Weights};
use shared_model::{TextTower, VisionTower};
use std::collections::HashMap;
use std::fmt::{Display, Formatter};
use std::path::PathBuf;
use std::time::Instant;

/// The program's own allocator, which `host::prepare` tunes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Drawn photos that are compared, beside the sample pictures.
const N_DRAWN: usize = 20;
/// Their seed, which no calibration has.
const DRAWN_SEED: u64 = 99;

#[derive(Parser)]
struct Options {
    /// `small` (4 blocks of width 512 a tower) or an architecture of `dermake init`
    #[arg(long, default_value = "small")]
    arch: String,
    /// A checkpoint of any family, as `dermake classify --model` takes it, in place of drawn weights
    #[arg(long, conflicts_with = "arch")]
    model: Option<String>,
    /// Seeds of the weights
    #[arg(long, value_delimiter = ',', default_value = "0")]
    seeds: Vec<u64>,
    /// trained, constant, gains, hidden, or random: as `dermake init` makes them, or as the checkpoint has them [default:
    /// trained, for a checkpoint random]
    #[arg(long, value_delimiter = ',')]
    shapes: Vec<String>,
    #[arg(long, value_delimiter = ',', default_value = "int8,int4")]
    formats: Vec<WeightFormat>,
    /// Steps of the quantizer, each measured: none, all, or those named, joined by +
    #[arg(long, value_delimiter = ',', default_value = "none,all")]
    steps: Vec<String>,
    /// How near the fitted weights stay to the dense ones, each measured
    #[arg(long, value_delimiter = ',', default_value = "1")]
    fit_dampings: Vec<f32>,
    /// Photos of the calibration [default: as many as `dermake quantize` draws]
    #[arg(long)]
    photos: Option<usize>,
    /// Photos that are compared beside the drawn ones
    #[arg(long)]
    compare: Vec<PathBuf>,
    /// Compares dense features of weights with normal noise, too: its deviation, relative to a row's root mean square
    #[arg(long, value_delimiter = ',')]
    noise: Vec<f32>,
    /// Prints each layer's error, too
    #[arg(long)]
    layers: bool,
    /// Prints the cosine of each picture, too
    #[arg(long)]
    each: bool,
    /// Leave the text tower out
    #[arg(long)]
    no_text: bool,
}

/// Draws of each noise.
const N_NOISES: u64 = 3;

/// What is compared and what is calibrated on.
struct Inputs {
    pixel_values: Tensor,
    input_ids: Vec<Vec<u32>>,
    calibration_pixels: Tensor,
    calibration_ids: Vec<Vec<u32>>,
}

fn main() -> Result<()> {
    host::prepare();
    let options = Options::parse();
    let checkpoint = options.model.as_deref().map(open).transpose()?;
    let (config, tokenizer) = match &checkpoint {
        Some(checkpoint) => (checkpoint.config.clone(), checkpoint.tokenizer()?),
        None => {
            let config = config(&options.arch)?;
            let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, config.text.context_length)?;
            (config, tokenizer)
        }
    };
    let inputs = inputs(&options, &config, &tokenizer)?;
    println!(
        "shape     seed  format  steps                   fit   image least  mean      text least  mean      alike    secs"
    );
    let usual = vec![if checkpoint.is_some() { "random" } else { "trained" }.to_string()];
    for name in if options.shapes.is_empty() { &usual } else { &options.shapes } {
        for &seed in &options.seeds {
            let plain = match &checkpoint {
                Some(checkpoint) => checkpoint.weights.clone(),
                None => dermake_models::init::weights(&config, seed),
            };
            let weights = match Shape::ALL.iter().find(|(known, _)| known == name) {
                Some((_, shape)) => heavy_tailed::weights(&plain, &config, seed, *shape),
                None if name == "random" => plain,
                None => bail!("expected a shape or random, found {name}"),
            };
            measure(&options, (name, seed), &config, &weights, &inputs)?;
        }
    }
    Ok(())
}

fn open(model: &str) -> Result<Checkpoint> {
    Checkpoint::open(&dermake_hub::resolve(model)?, None)
}

fn config(arch: &str) -> Result<ClipConfig> {
    const SMALL: &[u8] = br#"{"embed_dim": 512,
        "vision_cfg": {"image_size": 224, "patch_size": 16, "width": 512, "layers": 4},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "layers": 4, "heads": 8}}"#;
    Ok(match arch {
        "small" => ClipConfig::from_open_clip_json(SMALL)?,
        name => ClipConfig::named(name)?,
    })
}

fn inputs(options: &Options, config: &ClipConfig, tokenizer: &Tokenizer) -> Result<Inputs> {
    let n_photos = options.photos.unwrap_or_else(|| n_calibration_photos(config));
    let mut photos: Vec<Vec<u8>> = demo::SAMPLES.iter().map(|(_, bytes)| bytes.to_vec()).collect();
    photos.extend(dermake_synth::photos(N_DRAWN, config.preprocess.image_size as u32, DRAWN_SEED)?);
    for path in &options.compare {
        photos.push(std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let texts =
        ["a photo of a melanoma", "basal cell carcinoma", "psoriasis vulgaris on the elbow of a child", "x"];
    Ok(Inputs {
        pixel_values: pixel_values(&photos, &config.preprocess)?,
        input_ids: tokenizer.encode_batch(&texts)?,
        calibration_pixels: pixel_values(&calibration_photos(n_photos, config)?, &config.preprocess)?,
        calibration_ids: calibration_texts(tokenizer, &config.text)?,
    })
}

fn measure(
    options: &Options,
    (shape, seed): (&str, u64),
    config: &ClipConfig,
    weights: &Weights,
    inputs: &Inputs,
) -> Result<()> {
    let cpu = Placement::default();
    let images = VisionTower::load(weights, config, &cpu)?.image_features(&inputs.pixel_values)?;
    let texts = TextTower::load(weights, config, &cpu)?.text_features(&inputs.input_ids)?;
    let alike = images.narrow(0, 0, 1)?.broadcast_mul(&images)?.sum(1)?.min(0)?.to_scalar::<f32>()?;
    for &relative in &options.noise {
        for noise_seed in 0..N_NOISES {
            let noisy = noise::add(weights, config, relative, noise_seed)?;
            let found_images = VisionTower::load(&noisy, config, &cpu)?.image_features(&inputs.pixel_values)?;
            let found_texts = TextTower::load(&noisy, config, &cpu)?.text_features(&inputs.input_ids)?;
            let (image, text) = (Cosines::of(&images, &found_images)?, Cosines::of(&texts, &found_texts)?);
            println!("{shape:<9} {seed:>4}  noise   {relative:<29} {image}  {text}");
        }
    }
    for &format in &options.formats {
        for (step_names, &fit_damping) in
            options.steps.iter().flat_map(|names| options.fit_dampings.iter().map(move |damping| (names, damping)))
        {
            let steps: Steps = step_names.parse().map_err(anyhow::Error::msg)?;
            let how = quantize::Options { format, steps, fit_damping };
            let start = Instant::now();
            let vision = quantize_vision(weights, config, &inputs.calibration_pixels, how, &mut |_, _| ())?;
            let vision_tower = VisionTower::load(&read(&vision)?, config, &cpu)?;
            let image_cosines = Cosines::of(&images, &vision_tower.image_features(&inputs.pixel_values)?)?;
            print_layers(options, &vision);
            if options.each {
                println!("  {}", image_cosines.each());
            }
            let mut text_cosines = None;
            if !options.no_text {
                let text = quantize_text(weights, config, &inputs.calibration_ids, how, &mut |_, _| ())?;
                print_layers(options, &text);
                let text = TextTower::load(&read(&text)?, config, &cpu)?;
                text_cosines = Some(Cosines::of(&texts, &text.text_features(&inputs.input_ids)?)?);
            }
            let text = text_cosines.map_or("n/a                 ".to_string(), |cosines| cosines.to_string());
            println!(
                "{shape:<9} {seed:>4}  {:<6}  {step_names:<23} {fit_damping:<5} {image_cosines}  {text}  {alike:.4}  \
                 {:>6.1}",
                format.name(),
                start.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}

fn print_layers(options: &Options, tower: &QuantizedTower) {
    if options.layers {
        for tensor in &tower.report {
            if let Some(error) = tensor.output_error {
                println!("  {:<50} weight {:.5} output {error:.5}", tensor.name, tensor.relative_error);
            }
        }
    }
}

fn read(tower: &QuantizedTower) -> Result<Weights> {
    Ok(Weights::from_safetensors(tower.to_safetensors(HashMap::new())?.into())?)
}

/// The least and the mean cosine of features.
struct Cosines {
    least: f32,
    mean: f32,
    all: Vec<f32>,
}

impl Cosines {
    fn each(&self) -> String {
        self.all.iter().map(|cosine| format!("{cosine:.6}")).collect::<Vec<_>>().join("  ")
    }

    /// Of rows of unit length.
    fn of(a: &Tensor, b: &Tensor) -> Result<Self> {
        let cosines = (a * b)?.sum(1)?.to_device(&Device::Cpu)?.to_vec1::<f32>()?;
        let least = cosines.iter().copied().fold(f32::INFINITY, f32::min);
        Ok(Self { least, mean: cosines.iter().sum::<f32>() / cosines.len() as f32, all: cosines })
    }
}

impl Display for Cosines {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.6}  {:.6}", self.least, self.mean)
    }
}
