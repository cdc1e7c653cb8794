//! `dermake map`: where in a photo it is most like a text.

use crate::classify::LabelOptions;
use crate::inputs::Photo;
use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};
use dermake_files::inputs::refuse_input;
use dermake_files::output::{check_file, replace_file};
use dermake_models::options::ModelOptions;
use dermake_models::texts;
use dermake_pictures::map_picture;
use dermake_process::print::{self, shown};
use dermake_process::progress;
use serde::Serialize;
use shared_model::labels::{LabelSet, Templates};
use shared_model::preprocess::{self, Reading};
use shared_model::zero_shot::Classifier;
use shared_model::{SimilarityMap, ZeroShotModel};
use std::path::{Path, PathBuf};

/// What to look for, and where to write it.
pub struct MapOptions {
    /// A label or other words; `None` means the first label of the answer.
    pub text: Option<String>,
    /// The labels to answer with; what they have in common marks no place.
    pub labels: LabelOptions,
    /// A PNG.
    pub out: Option<PathBuf>,
    pub as_json: bool,
    pub reading: Reading,
}

/// The object of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    image: &'a str,
    text: &'a str,
    #[serde(flatten)]
    map: &'a SimilarityMap,
    maximum: Option<Maximum>,
    model: &'a str,
}

/// The patch that is most like the text.
#[derive(Serialize)]
struct Maximum {
    /// From 0.
    row: usize,
    /// From 0.
    column: usize,
    /// In words.
    place: &'static str,
}

/// Prints where a photo is most like a text, and draws it.
///
/// # Errors
/// When the photo cannot be read, the model makes no maps, the text has no letter, or the picture cannot be written or
/// would replace the photo.
pub fn map(photo: &Photo, model_options: &ModelOptions, options: &MapOptions) -> Result<()> {
    if let Some(text) = options.text.as_ref().filter(|text| !text.chars().any(char::is_alphanumeric)) {
        bail!("--text has no letter, expected what is to be found on the photo: {text:?}");
    }
    if let Some(out) = &options.out {
        let is_png = out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
        ensure!(is_png || is_device(out), "--out is a PNG, expected a name that ends in .png: {}", out.display());
        check_file(out)?;
        refuse_input("--out", out, photo.path())?;
    }
    let (labels, templates) = options.labels.resolve()?;
    let unusable = || format!("cannot use {}", shown(&photo.name));
    let bytes = photo.read().with_context(unusable)?;
    let image = dermake_pictures::decode(&bytes, options.reading).with_context(unusable)?;
    drop(bytes);
    let (model, name) = model_options.load()?;
    dermake_models::warn_of(&model);
    model.check_maps()?;
    let view = preprocess::resize_and_crop(&image, &model.config.preprocess)?;
    drop(image);
    let side = view.width() as usize;
    let pixels = Tensor::from_vec(view.to_planes(), (1, 3, side, side), &Device::Cpu)?;
    let (feature, trace) = model.pixel_features_with_trace(&pixels)?;
    let classifier = progress::of_prompts(|progress| texts::classifier(&model, &labels, &templates, progress))?;
    let text = match &options.text {
        Some(text) => text.trim().to_string(),
        None => classifier.classify(&feature, 1)?.remove(0).remove(0).label,
    };
    let map = model.similarity_map(&trace, &contrast(&model, &classifier, &text, &templates)?)?;
    if let Some(out) = &options.out {
        replace_file(out, &preprocess::encode_png(&map_picture(&view, &map)?))?;
    }
    let maximum = map.maximum().zip(map.place());
    let maximum = maximum.map(|((row, column), place)| Maximum { row, column, place: place.in_words() });
    let line = Line { image: &photo.name, text: &text, map: &map, maximum, model: &name };
    if options.as_json { print::json(&line) } else { print::answer(&sentence(&line, options.out.as_deref())) }
}

/// Whether results are written to something that is no file, such as `/dev/stdout`.
fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// What sets the text apart from the labels.
fn contrast(model: &ZeroShotModel, classifier: &Classifier, text: &str, templates: &Templates) -> Result<Tensor> {
    if let Some(class) = classifier.class_names.iter().position(|name| name == text) {
        return Ok(classifier.contrast(class)?);
    }
    let own = LabelSet { key: LabelSet::CUSTOM.into(), title: String::new(), class_names: vec![text.to_string()] };
    let own = texts::classifier(model, &own, templates, &mut |_, _| ())?;
    Ok(classifier.contrast_of(&own.weights().squeeze(1)?)?)
}

fn sentence(line: &Line<'_>, out: Option<&Path>) -> String {
    let Line { image, text, map, maximum, model } = line;
    let found = match maximum {
        Some(Maximum { row, column, place }) => format!(
            "most like \"{text}\" at the {place} (row {} of {}, column {} of {})",
            row + 1,
            map.rows,
            column + 1,
            map.columns
        ),
        None => format!("no place is more like \"{text}\" than like the other labels"),
    };
    let written = out.map(|out| format!("\nmap: {}", shown(&out.to_string_lossy()))).unwrap_or_default();
    format!("{} ({model}): {found}\nA similarity, not a reason for an answer.{written}", shown(image))
}
