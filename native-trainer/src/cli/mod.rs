//! The command line: what may be typed, and which function it calls.

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use image::ImageFormat;
use native_trainer::classify::{ClassifyOutput, classify};
use native_trainer::data::TableOptions;
use native_trainer::data::check::{self, CheckOptions};
use native_trainer::device::DeviceChoice;
use native_trainer::options::{LabelOptions, ModelOptions};
use native_trainer::server::{ServeConfig, serve};
use native_trainer::synth::{SynthOptions, contact_sheet, synth};
use native_trainer::train::{Ending, RunPlaces, train};
use native_trainer::{init, quantize};
use shared_model::preprocess::Orientation;
use shared_model::quantize::WeightFormat;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

/// Zero-shot dermatology: name what is on a skin photo without having been trained on the labels.
///
/// Research software, not a medical device. Results go to stdout, the log to stderr (DERMAKE_LOG sets its level).
/// Exit code 0: all done; 1: some inputs failed, the others were answered; 2: nothing could be done.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Classify(Classify),
    Quantize(Quantize),
    Init(Init),
    Train(Train),
    Synth(Synth),
    #[command(subcommand)]
    Data(Data),
    Serve(Serve),
}

/// Name what is on one or more photos
///
/// Ranks the labels by the cosine between the photo's feature and the label's, as MAKE's zero-shot evaluation does.
/// Photos may be JPEG, PNG, WebP, GIF (first frame), BMP or TIFF; EXIF orientation is applied.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake classify photo.jpg
  dermake classify photo.jpg --model hf-hub:xieji-x/MAKE
  dermake classify *.png --labels f17k --top-k 3 --json
  dermake classify photo.jpg --labels \"acne, rosacea, psoriasis\" --template \"a photo of {}\"")]
struct Classify {
    /// Photos to look at
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,

    #[command(flatten)]
    model: ModelOptions,

    #[command(flatten)]
    labels: LabelOptions,

    /// How many labels to show, likeliest first
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,

    /// One JSON object a line: image, predictions (label, probability, logit), model, millis
    #[arg(long)]
    json: bool,

    /// Leave pixels as they are stored, as benchmark runs do, whatever the EXIF orientation says
    #[arg(long)]
    ignore_exif: bool,
}

/// Make the browser's files from a checkpoint: quantised towers, label classifiers, a manifest
///
/// Writes vision.safetensors, text.safetensors, classifiers.safetensors, the tokenizer and manifest.json, and prints
/// what quantisation did: size and error a tensor, and the cosine of the sample images' features to the dense model's.
#[derive(Debug, Args)]
struct Quantize {
    #[command(flatten)]
    model: ModelOptions,

    /// q8_0 or q4_0 (GGML blocks), or int8 (one scale an output channel, the fastest in the browser)
    #[arg(long, default_value = "int8")]
    format: WeightFormat,

    /// A new folder for the result
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Photos to compare the features on [default: the project's sample images]
    #[arg(long = "sample", value_name = "IMAGE")]
    samples: Vec<PathBuf>,
}

/// Make a fresh, randomly initialised checkpoint in open_clip's layout
#[derive(Debug, Args)]
struct Init {
    /// ViT-B-32, ViT-B-16, ViT-L-14 or ViT-L-14-336, each also with -quickgelu
    #[arg(long, default_value = "ViT-B-16")]
    arch: String,

    /// The same seed gives the same file
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// A new folder for the result
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Pretrain a model as a recipe says
///
/// Prints what it will do before the first step. RUN gets checkpoints (last, best) that open_clip and every other
/// command load as they are, metrics.jsonl, TensorBoard's files and curves.svg. Killed at any moment, the same command
/// goes on from the last complete checkpoint; Ctrl-C saves and leaves.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake synth --images 2000 --out data/synth
  dermake train smoke --data data/synth --out runs/smoke
  dermake train my-recipe.toml --data /data/make --out runs/make --device cuda")]
struct Train {
    /// pretrain-vit-b-16, synth-demo, smoke, or a TOML file
    #[arg(value_name = "RECIPE")]
    recipe: String,

    /// The folder that the recipe's tables lie in
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// The run's folder, new or that of a run to go on with
    #[arg(long, value_name = "RUN")]
    out: PathBuf,

    /// Where to compute: cpu, cuda or cuda:N
    #[arg(long, env = "DERMAKE_DEVICE", default_value = "cpu")]
    device: DeviceChoice,
}

/// Draw a dermatology set for training, evaluation and demonstration
///
/// Fourteen conditions on six skin tones with captions, and held-out sets in the layout of the zero-shot, concept and
/// retrieval benchmarks. The pictures are drawn: nothing learned from them is fit for diagnosis.
#[derive(Debug, Args)]
struct Synth {
    /// Pictures to train on; the held-out sets come on top
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    images: u32,

    /// The same seed draws the same pictures
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Short side of a picture in pixels
    #[arg(long, default_value_t = SynthOptions::DEFAULT_IMAGE_SIZE, value_parser = clap::value_parser!(u32).range(64..=1024))]
    image_size: u32,

    /// A new folder for the set
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Instead of a set, one PNG with twelve pictures of each condition over the six skin tones
    #[arg(long, conflicts_with = "images")]
    contact_sheet: bool,
}

/// Look at training data
#[derive(Debug, Subcommand)]
enum Data {
    Check(Check),
}

/// Find everything that is wrong with a training table before a run does
///
/// Reads the table as training would, decodes every image and counts the tokens of every caption. Prints each problem
/// with its row, line and column, then figures of the table. Exit code 0: training would use every row; 1: it would
/// skip some, or could not use the table; 2: the file cannot be opened.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  dermake data check pretrain.csv --root images --json")]
struct Check {
    /// A CSV file with captions and masks, as MAKE's
    #[arg(value_name = "FILE")]
    table: PathBuf,

    /// Folder from which image names count [default: the table's own]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Context length of the model that captions must fit, start and end included
    #[arg(long, value_name = "TOKENS", default_value_t = 77)]
    model_context: usize,

    /// Column of the image's file name
    #[arg(long, value_name = "COLUMN", default_value = "filename")]
    image_column: String,

    /// Column of the caption
    #[arg(long, value_name = "COLUMN", default_value = "truncated_caption")]
    caption_column: String,

    /// Sub-captions of each row that training would use
    #[arg(long, value_name = "N", default_value_t = 8)]
    subcaptions: usize,

    /// One JSON object with problems and figures
    #[arg(long)]
    json: bool,
}

/// Serve the page and quantised models
#[derive(Debug, Args)]
struct Serve {
    /// The built page
    #[arg(long, env = "DERMAKE_APP", default_value = "web/dist", value_name = "DIR")]
    app: PathBuf,

    /// A folder from `dermake quantize`; may be repeated, the first is the page's default
    #[arg(long = "models", env = "DERMAKE_MODELS", required = true, value_delimiter = ',', value_name = "DIR")]
    models: Vec<PathBuf>,

    /// Address to listen on
    #[arg(long, env = "DERMAKE_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// Port to listen on; 0 takes any free one
    #[arg(long, env = "DERMAKE_PORT", default_value_t = 8080)]
    port: u16,
}

impl Cli {
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Classify(args) => {
                let orientation = if args.ignore_exif { Orientation::AsStored } else { Orientation::FromExif };
                let output = ClassifyOutput { top_k: args.top_k as usize, as_json: args.json, orientation };
                let all_read = classify(&args.images, &args.model, &args.labels, &output)?;
                return Ok(ExitCode::from(u8::from(!all_read)));
            }
            Command::Quantize(args) => quantize::quantize(&args.model, args.format, &args.samples, &args.out)?,
            Command::Init(args) => init::init(&args.arch, args.seed, &args.out)?,
            Command::Train(args) => {
                native_trainer::train::host::prepare();
                let places = RunPlaces { data: &args.data, out: &args.out, device: args.device };
                return Ok(match train(&args.recipe, &places)? {
                    Ending::Finished => ExitCode::SUCCESS,
                    Ending::Interrupted => ExitCode::from(130),
                });
            }
            Command::Synth(args) if args.contact_sheet => {
                let sheet = contact_sheet(args.seed, 12, args.image_size / 2);
                sheet.save_with_format(&args.out, ImageFormat::Png)?;
            }
            Command::Synth(args) => synth(&SynthOptions {
                n_images: args.images as usize,
                seed: args.seed,
                image_size: args.image_size,
                out: args.out,
            })?,
            Command::Data(Data::Check(args)) => {
                let table = TableOptions {
                    image_column: args.image_column,
                    caption_column: args.caption_column,
                    n_subcaptions: args.subcaptions,
                };
                let options = CheckOptions { table, image_root: args.root, context_length: args.model_context };
                let is_usable = check::run(&args.table, &options, args.json)?;
                return Ok(ExitCode::from(u8::from(!is_usable)));
            }
            Command::Serve(args) => {
                let address = SocketAddr::new(args.host, args.port);
                let config = ServeConfig { app: args.app, models: args.models, address };
                tokio::runtime::Runtime::new()?.block_on(serve(config))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A way on, where one is known.
pub fn hint(err: &anyhow::Error) -> Option<&'static str> {
    let text = format!("{err:#}");
    if text.contains("web/dist") {
        return Some("`just web` builds the page");
    }
    if text.contains("hf-hub:") {
        return Some("`dermake init --out DIR` makes an untrained model to try things with");
    }
    None
}
