//! Options that several commands share, and what they resolve to.

use crate::demo_model;
use crate::device::{DeviceChoice, Precision};
use crate::labels;
use anyhow::Result;
use shared_model::labels::{LabelSet, Templates};

#[derive(Debug, clap::Args)]
pub struct ModelOptions {
    /// The model: demo (inside the program, trained on drawn pictures), hf-hub:owner/name, a folder with
    /// open_clip_config.json and weights, a folder with manifest.json (from `dermake quantize`), or one weights file
    /// (safetensors or PyTorch's, or the index of several)
    #[arg(long, env = "DERMAKE_MODEL", default_value = demo_model::NAME)]
    pub model: String,

    /// Architecture of a weights file without open_clip_config.json: ViT-B-32, ViT-B-16, ViT-L-14, ViT-L-14-336,
    /// each also with -quickgelu
    #[arg(long)]
    pub arch: Option<String>,

    /// Where to compute: cpu, cuda or cuda:N
    #[arg(long, env = "DERMAKE_DEVICE", default_value = "cpu")]
    pub device: DeviceChoice,

    /// Precision of dense weights; quantised ones keep theirs
    #[arg(long, value_enum, ignore_case = true, default_value_t = Precision::F32)]
    pub dtype: Precision,
}

#[derive(Debug, clap::Args)]
pub struct LabelOptions {
    /// The labels to choose from: pad (6), f17k (114), snu (134), sd128 (128); a file (a JSON list, or one label a
    /// line), - for standard input; or the labels themselves, separated by commas
    #[arg(long, default_value = "pad")]
    pub labels: String,

    /// A sentence with {} where the label goes; may be repeated [default: MAKE's eight skin templates]
    #[arg(long = "template", value_name = "SENTENCE")]
    pub templates: Vec<String>,
}

impl LabelOptions {
    pub fn resolve(&self) -> Result<(LabelSet, Templates)> {
        let templates =
            if self.templates.is_empty() { Templates::skin() } else { Templates::new(self.templates.clone())? };
        Ok((labels::from_argument(&self.labels)?, templates))
    }
}
