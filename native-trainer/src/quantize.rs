//! `dermake quantize`: writes a quantized model and a report of its errors.

use crate::inputs::{Photo, gather};
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use dermake_device::placement;
use dermake_files::hash;
use dermake_files::output::OutputFolder;
use dermake_hub::WeightsKind;
use dermake_hub::demo_model;
use dermake_models::Checkpoint;
use dermake_models::options::ModelOptions;
use dermake_process::print::{self, shown};
use dermake_process::progress;
use serde::Serialize;
use shared_model::config::PreprocessConfig;
use shared_model::labels::{LabelSet, Templates};
use shared_model::manifest::{FileRole, Manifest, ManifestFile};
use shared_model::preprocess::Reading;
use shared_model::quantize::{TensorReport, WeightFormat, quantize as quantize_tower};
use shared_model::weights::{Placement, Weights};
use shared_model::zero_shot::Classifier;
use shared_model::{Clip, VisionTower, demo};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// `report.json`.
#[derive(Serialize)]
struct Report {
    dense_bytes: usize,
    files: Vec<ManifestFile>,
    tensors: Vec<TensorReport>,
    /// Between the dense and the quantized model's image features.
    cosines: Vec<SampleCosine>,
}

#[derive(Serialize)]
struct SampleCosine {
    image: String,
    cosine: f32,
}

/// Writes the files into the new folder `out` and prints the report.
pub fn quantize(options: &ModelOptions, format: WeightFormat, samples: &[PathBuf], out: &Path) -> Result<()> {
    if demo_model::is_name(&options.model) {
        bail!("the demo model is quantized already; name a dense checkpoint with --model");
    }
    let samples = read_samples(samples)?;
    let folder = OutputFolder::create(out)?;
    let files = dermake_hub::resolve(&options.model)?;
    if files.weights_kind == WeightsKind::Quantized {
        bail!("the model is quantized already; name its dense checkpoint: {}", files.weights.display());
    }
    let checkpoint = Checkpoint::open(&files, options.arch.as_deref())?;
    let placement = placement(options.device, options.dtype)?;
    let dense = Clip::load(checkpoint.weights.clone(), &checkpoint.config, &placement)
        .with_context(|| format!("in {}", files.weights.display()))?;

    let mut tensors = Vec::new();
    let mut written = Vec::new();
    let config = &checkpoint.config;
    let mut vision_bytes = Vec::new();
    for (role, file, parameters) in [
        (FileRole::Vision, "vision.safetensors", config.vision_parameters()),
        (FileRole::Text, "text.safetensors", config.text_parameters()),
    ] {
        let tower = quantize_tower(&checkpoint.weights, &parameters, format)?;
        let metadata = HashMap::from([("dermake.format".to_string(), format.name().to_string())]);
        let bytes = tower.to_safetensors(metadata)?;
        written.push(write_file(&folder, role, file, &bytes)?);
        tensors.extend(tower.report);
        if role == FileRole::Vision {
            vision_bytes = bytes;
        }
    }
    let label_sets = LabelSet::built_in();
    let templates = Templates::skin();
    let classifiers = classifiers(&dense, &checkpoint, &label_sets, &templates)?;
    written.push(write_file(&folder, FileRole::Classifiers, "classifiers.safetensors", &classifiers)?);
    for (name, bytes) in &checkpoint.tokenizer_files {
        written.push(write_file(&folder, FileRole::Tokenizer, name, bytes)?);
    }

    let manifest = Manifest {
        format: Manifest::FORMAT.into(),
        name: checkpoint.name.clone(),
        trained: checkpoint.is_trained,
        notice: checkpoint.notice.clone(),
        weight_format: format,
        config: config.to_json(),
        files: written.clone(),
        label_sets,
        templates: templates.as_slice().to_vec(),
    };
    let vision = Weights::from_safetensors(vision_bytes.into())?;
    let vision = VisionTower::load(&vision, config, &Placement::default())?;
    let cosines = cosines(&dense.vision, &vision, &config.preprocess, samples)?;
    let dense_bytes = tensors_bytes(&checkpoint);
    let report = Report { dense_bytes, files: written, tensors, cosines };
    folder.write("report.json", serde_json::to_string_pretty(&report)?.as_bytes())?;
    folder.write(Manifest::FILE_NAME, serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    folder.finish()?;
    print::summary(&report.to_table())
}

fn write_file(folder: &OutputFolder, role: FileRole, file: &str, bytes: &[u8]) -> Result<ManifestFile> {
    folder.write(file, bytes)?;
    Ok(ManifestFile { role, file: file.into(), bytes: bytes.len() as u64, sha256: hash::sha256(bytes) })
}

/// The dense model's classifiers of the built-in label sets, as safetensors.
fn classifiers(
    dense: &Clip,
    checkpoint: &Checkpoint,
    label_sets: &[LabelSet],
    templates: &Templates,
) -> Result<Vec<u8>> {
    let tokenizer = checkpoint.tokenizer()?;
    let tensors = progress::of_prompts(|progress| {
        let weights = |set: &LabelSet| -> Result<(String, Tensor)> {
            let classifier =
                Classifier::build(&dense.text, &tokenizer, &set.class_names, templates, &mut *progress)?;
            Ok((set.key.clone(), classifier.weights().to_device(&Device::Cpu)?))
        };
        label_sets.iter().map(weights).collect::<Result<HashMap<String, Tensor>>>()
    })?;
    Ok(safetensors::serialize(&tensors, None)?)
}

/// Names and bytes of the photos to compare on, so that one that is missing is known before the work begins.
fn read_samples(samples: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>> {
    if samples.is_empty() {
        return Ok(demo::SAMPLES.map(|(name, bytes)| (name.to_string(), bytes.to_vec())).to_vec());
    }
    let read = |photo: Photo| {
        let bytes = photo.read().with_context(|| format!("cannot compare on {}", shown(&photo.name)))?;
        Ok((photo.name, bytes))
    };
    gather(samples).into_iter().map(read).collect()
}

fn cosines(
    dense: &VisionTower,
    quantized: &VisionTower,
    config: &PreprocessConfig,
    samples: Vec<(String, Vec<u8>)>,
) -> Result<Vec<SampleCosine>> {
    let cosine = |(image, bytes): (String, Vec<u8>)| {
        let shape = (1, 3, config.image_size, config.image_size);
        let values = dermake_pictures::pixel_values(&bytes, config, Reading::Photo)
            .with_context(|| format!("cannot compare on {}", shown(&image)))?;
        let pixel_values = Tensor::from_vec(values, shape, &Device::Cpu)?;
        let dense = dense.image_features(&pixel_values)?.to_device(&Device::Cpu)?;
        let quantized = quantized.image_features(&pixel_values)?;
        let cosine = (dense * quantized)?.sum_all()?.to_scalar::<f32>()?;
        Ok(SampleCosine { image, cosine })
    };
    samples.into_iter().map(cosine).collect()
}

fn tensors_bytes(checkpoint: &Checkpoint) -> usize {
    let config = &checkpoint.config;
    let parameters = config.vision_parameters().into_iter().chain(config.text_parameters());
    parameters.map(|parameter| parameter.shape.iter().product::<usize>() * 4).sum()
}

impl Report {
    fn to_table(&self) -> String {
        let mib = |bytes: f64| bytes / (1024.0 * 1024.0);
        let mut text =
            String::from("tensor                                             format     bytes   rel. error\n");
        for TensorReport { name, format, bytes, relative_error } in &self.tensors {
            text.push_str(&format!("{name:<50} {format:<6} {bytes:>9}   {relative_error:.6}\n"));
        }
        text.push('\n');
        let mut total = 0.0;
        for ManifestFile { file, bytes, sha256, .. } in &self.files {
            total += *bytes as f64;
            text.push_str(&format!("{file:<26} {:>8.2} MiB  sha256 {sha256}\n", mib(*bytes as f64)));
        }
        let dense = self.dense_bytes as f64;
        text.push_str(&format!("{:<26} {:>8.2} MiB  of {:.2} dense (f32)\n", "all", mib(total), mib(dense)));
        for SampleCosine { image, cosine } in &self.cosines {
            text.push_str(&format!("cosine to the dense model  {cosine:.6}      {}\n", shown(image)));
        }
        text
    }
}
