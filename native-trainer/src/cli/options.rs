//! Options that several commands take.

use crate::classify::LabelOptions;
use crate::ranks::Launched;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use dermake_device::{DeviceChoice, Precision};
use dermake_models::demo_model;
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;
use shared_model::labels::LabelSet;

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

    /// Number format to compute in: f32, or bf16, which needs half the memory and is less exact. A quantized model keeps
    /// its own
    #[arg(long, ignore_case = true, default_value = "f32", value_parser = precision())]
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

/// Parses the name of a precision, in any case.
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

/// Parses `100`, `own` and `calibrated`.
pub fn scale() -> impl TypedValueParser<Value = Scale> {
    let names = [
        PossibleValue::new("100").help("100 times the cosine, as MAKE's evaluation does"),
        PossibleValue::new("own").help("The scale that the checkpoint learned, as in training"),
        PossibleValue::new("calibrated").help("What `dermake calibrate` has fitted; 100 for labels without it"),
    ];
    PossibleValuesParser::new(names).map(|name| match name.to_lowercase().as_str() {
        "own" => Scale::Own,
        "calibrated" => Scale::Calibrated,
        _ => Scale::Reference,
    })
}
