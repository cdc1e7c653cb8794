//! Options that several commands take.

use crate::classify::LabelOptions;
use crate::ranks::Launched;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use dermake_device::{DeviceChoice, Precision};
use dermake_evaluation::OwnColumns;
use dermake_features::default_cache;
use dermake_models::demo_model;
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;
use shared_model::labels::LabelSet;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ModelArguments {
    /// The model: demo (inside the program, trained on drawn pictures), hf-hub:owner/name, a folder with a config and
    /// weights of open_clip or transformers, a folder from `dermake quantize`, or a weights file (safetensors,
    /// PyTorch's, or the index of several files)
    #[arg(long, env = "DERMAKE_MODEL", default_value = demo_model::NAME)]
    model: String,

    #[command(flatten)]
    loading: LoadingArguments,
}

/// How a model is loaded.
#[derive(Clone, Debug, Args)]
pub struct LoadingArguments {
    /// The kind of model in a weights file that has no open_clip_config.json beside it: ViT-B-32, ViT-B-16, ViT-L-14 or ViT-L-14-336,
    /// each also with -quickgelu
    #[arg(long)]
    arch: Option<String>,

    /// Where to compute: cpu, cuda (an NVIDIA GPU; cuda:1 is the second one), or wgpu (a GPU of any maker, by Vulkan, Metal
    /// or DirectX 12; int8 models only)
    #[arg(long, env = "DERMAKE_DEVICE", default_value = "cpu")]
    device: DeviceChoice,

    /// Number format to compute in: f32, or bf16 or f16, which need half the memory and are less exact. A quantized model
    /// keeps its own
    #[arg(long, default_value = "f32", value_parser = precision())]
    dtype: Precision,
}

impl From<ModelArguments> for ModelOptions {
    fn from(ModelArguments { model, loading }: ModelArguments) -> Self {
        loading.options(model)
    }
}

impl ModelArguments {
    /// The options of this rank, whose GPU is that of its place.
    pub fn on(self, launched: &Launched) -> ModelOptions {
        self.loading.on(launched).options(self.model)
    }
}

impl LoadingArguments {
    /// The same on the GPU of this rank.
    pub fn on(self, launched: &Launched) -> Self {
        Self { device: launched.device(self.device), ..self }
    }

    /// The options of a model of this name.
    pub fn options(self, model: String) -> ModelOptions {
        let Self { arch, device, dtype } = self;
        ModelOptions { model, arch, device, dtype }
    }
}

/// Parses the name of a precision.
pub fn precision() -> impl TypedValueParser<Value = Precision> {
    PossibleValuesParser::new(Precision::NAMES).try_map(|name| name.parse::<Precision>())
}

#[derive(Debug, Args)]
pub struct LabelArguments {
    /// Labels to rank: pad (6 labels), f17k (114), snu (134), sd128 (128), a file (a JSON list, or one label per line),
    /// `-` for such a file from standard input, or the labels themselves, separated by commas
    #[arg(long, default_value = LabelSet::DEFAULT)]
    labels: String,

    /// A sentence with {} in place of the label; may be repeated [default: MAKE's eight skin templates]
    #[arg(long = "template", value_name = "SENTENCE")]
    templates: Vec<String>,
}

impl From<LabelArguments> for LabelOptions {
    fn from(LabelArguments { labels, templates }: LabelArguments) -> Self {
        Self { labels, templates }
    }
}

/// Parses a scale.
pub fn scale() -> impl TypedValueParser<Value = Scale> {
    PossibleValuesParser::new(Scale::ALL.map(described)).try_map(|name| name.parse::<Scale>())
}

/// How people write [`Scale::Reference`] where only concepts have a scale.
pub const CONCEPT_SCALE: &str = "98.9";

/// Parses a scale of concepts, for which there is no calibration. As for labels, `100` is the reference's, too.
pub fn concept_scale() -> impl TypedValueParser<Value = Scale> {
    let reference = PossibleValue::new(CONCEPT_SCALE)
        .alias(Scale::Reference.name())
        .help("exp(4.5944), about 98.9, times the cosine, as MAKE's concept annotation does");
    PossibleValuesParser::new([reference, described(Scale::Own)]).try_map(|name| match name.as_str() {
        CONCEPT_SCALE => Ok(Scale::Reference),
        name => name.parse::<Scale>(),
    })
}

fn described(scale: Scale) -> PossibleValue {
    PossibleValue::new(scale.name()).help(match scale {
        Scale::Reference => "100 times the cosine, as MAKE's evaluation does; 98.9 for concepts",
        Scale::Own => "The scale that the checkpoint learned, as in training",
        Scale::Calibrated => "What `dermake calibrate` has fitted; 100 for labels without it",
    })
}

/// How a table of one's own names its images and labels.
#[derive(Debug, Args)]
pub struct ColumnArguments {
    /// Column of your table with the image's file name [default: a usual name, such as filename or image]
    #[arg(long, value_name = "COLUMN")]
    image_column: Option<String>,

    /// Column of your table with the label: a class name, or its number from 0 [default: a usual name, such as label]
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,

    /// The classes of your data to choose from, in the order of their numbers: names separated by commas, a file with one
    /// name per line, or pad, f17k, snu or sd128 [default: the labels that occur]
    #[arg(long, value_name = "LABELS")]
    labels: Option<String>,

    /// Folder where the image names of your table start [default: the table's folder, images beside it, or the folder above]
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
}

impl ColumnArguments {
    /// What is said of the columns, with nothing of captions and parts.
    pub fn columns(&self) -> OwnColumns<'_> {
        OwnColumns {
            image: self.image_column.as_deref(),
            label: self.label_column.as_deref(),
            classes: self.labels.as_deref(),
            images: self.images.as_deref(),
            ..OwnColumns::default()
        }
    }
}

/// Where features are kept.
#[derive(Debug, Args)]
pub struct CacheArguments {
    /// Folder of the feature cache [env: DERMAKE_FEATURES] [default: dermake/features in the user's cache]
    // The variable is not clap's, to which it would be in conflict with --no-cache.
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,

    /// Compute every feature again, and store none
    #[arg(long)]
    no_cache: bool,
}

impl CacheArguments {
    /// The folder; `None` for no cache.
    pub fn folder(self) -> Option<PathBuf> {
        if self.no_cache { None } else { self.cache.or_else(default_cache) }
    }
}
