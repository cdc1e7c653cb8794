//! `dermake quantize`: writes a quantized model and a report of its errors.

mod photos;
mod report;

use crate::card::evaluations_of;
use crate::inputs::Tally;
use anyhow::{Context, Result, bail};
use candle_core::Tensor;
use dermake_device::placement;
use dermake_files::hash;
use dermake_files::output::OutputFolder;
use dermake_hub::WeightsKind;
use dermake_hub::demo_model;
use dermake_models::Checkpoint;
use dermake_models::options::ModelOptions;
use dermake_process::{print, progress};
use dermake_quantize::{Comparison, Features, calibration_texts};
use photos::Photos;
use report::Report;
use shared_model::card::ModelCard;
use shared_model::labels::{LabelSet, Templates};
use shared_model::manifest::{FileRole, Manifest, ManifestFile};
use shared_model::quantize::{self, QuantizedTower, WeightFormat};
use shared_model::weights::{Placement, Weights};
use shared_model::zero_shot::Classifier;
use shared_model::{Clip, TextTower, VisionTower};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What is quantized, and on what it is calibrated and compared.
pub struct QuantizeOptions {
    pub model: ModelOptions,
    pub format: WeightFormat,
    /// Photos to calibrate on; drawn ones where there are none, and no calibration where it is `none`.
    pub calibrate: Vec<PathBuf>,
    /// `results.json` of the dense model, for the model card.
    pub results: Vec<PathBuf>,
    /// Photos to compare on, beside those of the calibration; the sample pictures where there are none.
    pub samples: Vec<PathBuf>,
}

/// Writes the files into the new folder `out` and prints the report. Returns the tally of the photos that it was asked to
/// calibrate on.
pub fn quantize(options: &QuantizeOptions, out: &Path) -> Result<Tally> {
    let QuantizeOptions { model, format, .. } = options;
    if demo_model::is_name(&model.model) {
        bail!("the demo model is quantized already; name a dense checkpoint with --model");
    }
    let samples = photos::samples(&options.samples)?;
    let folder = OutputFolder::create(out)?;
    let files = dermake_hub::resolve(&model.model)?;
    if files.weights_kind == WeightsKind::Quantized {
        bail!("the model is quantized already; name its dense checkpoint: {}", files.weights.display());
    }
    let checkpoint = Checkpoint::open(&files, model.arch.as_deref())?;
    let mut card = ModelCard::default();
    card.add_evaluations(evaluations_of(&options.results, &checkpoint.name, None)?);
    let placement = placement(model.device, model.dtype)?;
    let dense = Clip::load(checkpoint.weights.clone(), &checkpoint.config, &placement)
        .with_context(|| format!("in {}", files.weights.display()))?;
    let photos = Photos::of(samples, &options.calibrate, &checkpoint.config)?;

    let towers = quantize_towers(&checkpoint, *format, &photos)?;
    let metadata = || HashMap::from([("dermake.format".to_string(), format.name().to_string())]);
    let vision = towers.vision.to_safetensors(metadata())?;
    let text = towers.text.to_safetensors(metadata())?;
    let (label_sets, templates) = (LabelSet::built_in(), Templates::skin());
    let classifiers = classifiers(&dense, &checkpoint, &label_sets, &templates)?;
    let mut written = vec![
        write_file(&folder, FileRole::Vision, "vision.safetensors", &vision)?,
        write_file(&folder, FileRole::Text, "text.safetensors", &text)?,
    ];
    let stored = classifiers.iter().map(|(key, classifier)| (key.clone(), classifier.weights().clone()));
    let stored = safetensors::serialize(&stored.collect::<HashMap<String, Tensor>>(), None)?;
    written.push(write_file(&folder, FileRole::Classifiers, "classifiers.safetensors", &stored)?);
    for (name, bytes) in &checkpoint.tokenizer_files {
        written.push(write_file(&folder, FileRole::Tokenizer, name, bytes)?);
    }
    let manifest = Manifest {
        format: Manifest::FORMAT.into(),
        name: checkpoint.name.clone(),
        trained: checkpoint.is_trained,
        notice: checkpoint.notice.clone(),
        weight_format: *format,
        config: checkpoint.config.to_json(),
        files: written.clone(),
        label_sets,
        templates: templates.as_slice().to_vec(),
        calibrations: Vec::new(),
        card: (!card.is_empty()).then_some(card),
    };
    let comparison = compare(&dense, &checkpoint, [vision, text], &photos, &classifiers)?;
    let tensors = [towers.vision.report, towers.text.report].concat();
    let report = Report::new(tensors, tensors_bytes(&checkpoint), written, &photos, comparison);
    folder.write("report.json", serde_json::to_string_pretty(&report)?.as_bytes())?;
    folder.write(Manifest::FILE_NAME, serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    folder.finish()?;
    print::summary(&report.to_table())?;
    report.warn(*format);
    Ok(Tally { n_answered: photos.n_calibration(), n_failed: photos.n_failed })
}

/// Both towers.
struct Towers {
    vision: QuantizedTower,
    text: QuantizedTower,
}

fn quantize_towers(checkpoint: &Checkpoint, format: WeightFormat, photos: &Photos) -> Result<Towers> {
    let (weights, config) = (&checkpoint.weights, &checkpoint.config);
    let Some(pixel_values) = photos.calibration()? else {
        return Ok(Towers {
            vision: quantize::quantize(weights, &config.vision_parameters(), format)?,
            text: quantize::quantize(weights, &config.text_parameters(), format)?,
        });
    };
    let tokenizer = checkpoint.tokenizer()?;
    let input_ids = calibration_texts(&tokenizer, &config.text)?;
    let options = quantize::Options::new(format);
    let vision = progress::of_blocks("vision", |progress| {
        quantize::quantize_vision(weights, config, &pixel_values, options, progress)
    })?;
    let text = progress::of_blocks("text", |progress| {
        quantize::quantize_text(weights, config, &input_ids, options, progress)
    })?;
    Ok(Towers { vision, text })
}

/// Compares the features and answers of the written towers with those of the dense model.
fn compare(
    dense: &Clip,
    checkpoint: &Checkpoint,
    [vision, text]: [Vec<u8>; 2],
    photos: &Photos,
    classifiers: &[(String, Classifier)],
) -> Result<Comparison> {
    let config = &checkpoint.config;
    let labels = LabelSet::find(LabelSet::DEFAULT).context("the default label set is built in")?;
    let prompts = Classifier::prompts(&labels.class_names, &Templates::skin());
    let input_ids = checkpoint.tokenizer()?.encode_batch(&prompts)?;
    let cpu = Placement::default();
    let vision = VisionTower::load(&Weights::from_safetensors(vision.into())?, config, &cpu)?;
    let text = TextTower::load(&Weights::from_safetensors(text.into())?, config, &cpu)?;
    let pixel_values = photos.pixel_values();
    let dense = Features::of(&dense.vision, &dense.text, pixel_values, &input_ids)?;
    let quantized = Features::of(&vision, &text, pixel_values, &input_ids)?;
    Comparison::of(&dense, &quantized, classifiers)
}

fn write_file(folder: &OutputFolder, role: FileRole, file: &str, bytes: &[u8]) -> Result<ManifestFile> {
    folder.write(file, bytes)?;
    Ok(ManifestFile { role, file: file.into(), bytes: bytes.len() as u64, sha256: hash::sha256(bytes) })
}

/// The dense model's classifiers of the built-in label sets, by their keys.
fn classifiers(
    dense: &Clip,
    checkpoint: &Checkpoint,
    label_sets: &[LabelSet],
    templates: &Templates,
) -> Result<Vec<(String, Classifier)>> {
    let tokenizer = checkpoint.tokenizer()?;
    let built = progress::of_prompts(|progress| {
        Classifier::build_all(&dense.text, &tokenizer, label_sets, templates, progress)
    })?;
    Ok(label_sets.iter().map(|set| set.key.clone()).zip(built).collect())
}

fn tensors_bytes(checkpoint: &Checkpoint) -> usize {
    let config = &checkpoint.config;
    let parameters = config.vision_parameters().into_iter().chain(config.text_parameters());
    parameters.map(|parameter| parameter.shape.iter().product::<usize>() * 4).sum()
}
