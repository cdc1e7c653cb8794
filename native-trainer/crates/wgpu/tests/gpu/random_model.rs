//! An int8 model with random weights and sizes that are no multiples of anything.

use crate::random::randn;
use shared_model::config::{ClipConfig, Parameter};
use shared_model::quantize::{WeightFormat, quantize};
use shared_model::weights::{FileTensors, StoredTensor, Weights};

/// GELU, patches of 14 pixels with a rest, blocks of 256 and fewer columns.
const CONFIG: &str = r#"{
  "model_cfg": {
    "embed_dim": 72, "quick_gelu": false,
    "vision_cfg": { "image_size": 60, "patch_size": 14, "width": 288, "head_width": 72, "layers": 2, "mlp_ratio": 2.0 },
    "text_cfg": { "context_length": 20, "vocab_size": 100, "width": 96, "heads": 4, "layers": 2 }
  },
  "preprocess_cfg": { "size": 60 }
}"#;

/// Returns the config, with heads of this width, and the weights of both towers.
pub fn model(head_width: usize, format: WeightFormat) -> (ClipConfig, Weights, Weights) {
    let json = CONFIG.replace("\"head_width\": 72", &format!("\"head_width\": {head_width}"));
    let config = ClipConfig::from_open_clip_json(json.as_bytes()).unwrap();
    let tower = |parameters: &[Parameter]| {
        let dense = Weights::from_stored(parameters.iter().map(stored));
        let bytes = quantize(&dense, parameters, format).unwrap().to_safetensors(Default::default()).unwrap();
        let files =
            [bytes, columns(parameters, format)].map(|bytes| FileTensors::from_safetensors(bytes.into()).unwrap());
        Weights::from_files(files)
    };
    let (vision, text) = (tower(&config.vision_parameters()), tower(&config.text_parameters()));
    (config, vision, text)
}

/// A safetensors file with exponents for the columns of each MLP's second layer, in a format that has them.
fn columns(parameters: &[Parameter], format: WeightFormat) -> Vec<u8> {
    let (mut tensors, mut bytes) = (Vec::new(), Vec::new());
    let has_columns = matches!(format, WeightFormat::Int8 | WeightFormat::Int4);
    let is_second = |parameter: &&Parameter| has_columns && parameter.name.ends_with("c_proj.weight");
    for Parameter { name, shape } in parameters.iter().filter(is_second) {
        let (start, width) = (bytes.len(), shape[1]);
        bytes.extend((0..width).map(|column| (column % 4) as u8));
        let (name, end) = (format!("{name}.{}_columns", format.name()), bytes.len());
        tensors.push(format!(r#""{name}":{{"dtype":"I8","shape":[{width}],"data_offsets":[{start},{end}]}}"#));
    }
    let header = format!("{{{}}}", tensors.join(","));
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &bytes].concat()
}

fn stored(Parameter { name, shape }: &Parameter) -> (String, StoredTensor) {
    let is_norm_weight = name.contains("ln_") && name.ends_with("weight");
    let (mean, deviation) = if is_norm_weight { (1.0, 0.1) } else { (0.0, 0.08) };
    let tensor = randn(mean as f32, deviation, shape.as_slice());
    (name.clone(), StoredTensor::from_tensor(&tensor).unwrap())
}
