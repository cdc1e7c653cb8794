//! Which model, and where it computes.

use dermake_device::{DeviceChoice, Precision};
use dermake_hub::demo_model;

#[derive(Debug, clap::Args)]
pub struct ModelOptions {
    /// The model: demo (inside the program, trained on drawn pictures), hf-hub:owner/name, a folder with
    /// open_clip_config.json and weights, a folder from `dermake quantize`, or a weights file (safetensors, PyTorch's,
    /// or the index of several files)
    #[arg(long, env = "DERMAKE_MODEL", default_value = demo_model::NAME)]
    pub model: String,

    /// Architecture of a weights file that has no open_clip_config.json: ViT-B-32, ViT-B-16, ViT-L-14 or ViT-L-14-336,
    /// each also with -quickgelu
    #[arg(long)]
    pub arch: Option<String>,

    /// Device to compute on: cpu, cuda or cuda:N
    #[arg(long, env = "DERMAKE_DEVICE", default_value = "cpu")]
    pub device: DeviceChoice,

    /// Precision of weights that are not quantized
    #[arg(long, value_enum, ignore_case = true, default_value_t = Precision::F32)]
    pub dtype: Precision,
}
