//! `dermake verify`: photos whose published answers are known, answered by a model here.
//!
//! What is published of them are probabilities over a list of labels. That a model of the same weights gives the same
//! ones shows that files, preprocessing, tokenizer, templates and towers are the published ones.

use anyhow::{Context, Result, bail};
use dermake_evaluation::known_answers::{KnownAnswer, KnownAnswers, KnownPhoto, factor_between};
use dermake_files::hash;
use dermake_models::options::ModelOptions;
use dermake_models::texts;
use dermake_process::{print, progress};
use serde::Serialize;
use shared_model::ZeroShotModel;
use shared_model::labels::{LabelSet, Templates};
use shared_model::preprocess::Reading;
use std::path::{Path, PathBuf};

/// Largest difference of a probability where an answer does not say another. Half precision, in which many published
/// figures were computed, rounds logits to 1/64, which changes a probability by up to 0.01.
const TOLERANCE: f64 = 0.02;

/// Largest factor between two probabilities where an answer does not say another: a difference of the logits by 0.26.
///
/// A difference of 0.02 says nothing of a probability of 0.00004. Logits do: what is not the published set-up moves all
/// of them alike, whether their labels are likely or not. In the middle both bounds are alike, since 0.02 of 0.9 or of 0.1
/// is a difference of 0.2 in the logit. Between two labels, f16 changed the logits of an untrained ViT-B/16 by up to 0.016,
/// int8 by 0.025, and bf16 by 0.39: an answer that was computed in bf16 needs bounds of its own.
const FACTOR: f64 = 1.3;

/// What to verify.
pub struct VerifyOptions {
    pub model: ModelOptions,
    /// Folder of the photos.
    pub photos: PathBuf,
    /// A file of known answers in place of the built-in one.
    pub answers: Option<PathBuf>,
    /// The published model to compare with; `None` for those that the model is called as, or else for all.
    pub published: Option<String>,
    pub as_json: bool,
}

/// A known answer beside the model's own: one line of `--json`.
#[derive(Serialize)]
struct Verified<'a> {
    photo: &'a str,
    /// The published model.
    published: &'a str,
    is_reproduced: bool,
    /// Of a probability.
    largest_difference: f64,
    tolerance: f64,
    /// Between two probabilities.
    largest_factor: f64,
    factor: f64,
    labels: Vec<ComparedLabel<'a>>,
    source: &'a str,
    assumed: Option<&'a str>,
    model: &'a str,
}

#[derive(Serialize)]
struct ComparedLabel<'a> {
    label: &'a str,
    published: f64,
    here: f64,
    is_reproduced: bool,
}

/// Prints each known answer beside the model's. Returns whether every photo has an answer that is reproduced, and every
/// answer is if one model is meant.
///
/// # Errors
/// When a photo is not there or another one, or the model cannot be loaded.
pub fn verify(options: &VerifyOptions) -> Result<bool> {
    let known = KnownAnswers::read(options.answers.as_deref())?;
    let chosen: Vec<Vec<&KnownAnswer>> = known.photo.iter().map(|photo| chosen(photo, options)).collect();
    if let Some(name) = options.published.as_deref().filter(|_| chosen.iter().all(Vec::is_empty)) {
        bail!("there is no known answer of {name}; there are those of {}", known.models().join(", "));
    }
    let photos = known.photo.iter().zip(&chosen).filter(|(_, answers)| !answers.is_empty());
    let photos: Vec<_> = photos.collect();
    let bytes = photos.iter().map(|(photo, _)| read_photo(photo, &options.photos)).collect::<Result<Vec<_>>>()?;
    let (model, name) = options.model.load()?;
    dermake_models::warn_of(&model);
    let mut is_reproduced = true;
    for ((photo, answers), bytes) in photos.iter().zip(bytes) {
        let mut n_reproduced = 0;
        for answer in answers.iter() {
            let here = probabilities(&model, photo, answer, &bytes)?;
            let verified = compared(photo, answer, &here, &name);
            n_reproduced += usize::from(verified.is_reproduced);
            if options.as_json { print::json(&verified)? } else { print::answer(&text(&verified))? }
        }
        let n_expected = if means_one(answers, options) { answers.len() } else { 1 };
        is_reproduced &= n_reproduced >= n_expected;
    }
    Ok(is_reproduced)
}

/// The answers to compare with: of the named model, of the model that is loaded, or all.
fn chosen<'a>(photo: &'a KnownPhoto, options: &VerifyOptions) -> Vec<&'a KnownAnswer> {
    if let Some(name) = &options.published {
        return photo.answer.iter().filter(|answer| answer.model.eq_ignore_ascii_case(name)).collect();
    }
    let of_model: Vec<&KnownAnswer> =
        photo.answer.iter().filter(|answer| is_of(answer, &options.model.model)).collect();
    if of_model.is_empty() { photo.answer.iter().collect() } else { of_model }
}

/// Whether all of these answers are meant to be reproduced.
fn means_one(answers: &[&KnownAnswer], options: &VerifyOptions) -> bool {
    options.published.is_some() || answers.iter().all(|answer| is_of(answer, &options.model.model))
}

fn is_of(answer: &KnownAnswer, model: &str) -> bool {
    let without_revision = model.split('@').next().unwrap_or(model);
    answer.names.iter().any(|name| name.eq_ignore_ascii_case(without_revision))
}

/// The bytes of a photo, if it is the one that was answered.
fn read_photo(photo: &KnownPhoto, folder: &Path) -> Result<Vec<u8>> {
    let path = if folder.is_file() { folder.to_path_buf() } else { folder.join(&photo.file) };
    let bytes = dermake_pictures::read(&path)
        .with_context(|| format!("{} is needed, from {}: {}", photo.file, photo.source, path.display()))?;
    let found = hash::sha256(&bytes);
    if !found.eq_ignore_ascii_case(&photo.sha256) {
        bail!("this is another photo: its SHA-256 is {found}, expected {}: {}", photo.sha256, path.display());
    }
    Ok(bytes)
}

/// The model's probabilities in the order of the labels.
fn probabilities(
    model: &ZeroShotModel,
    photo: &KnownPhoto,
    answer: &KnownAnswer,
    bytes: &[u8],
) -> Result<Vec<f64>> {
    let labels = LabelSet::from_class_names(photo.labels.clone())?;
    let templates = Templates::given_or_skin(answer.templates.clone())?;
    let classifier = progress::of_prompts(|progress| texts::classifier(model, &labels, &templates, progress))?;
    let image = dermake_pictures::decode(bytes, Reading::Reference)?;
    let features = model.decoded_image_features(image)?;
    let ranked = classifier.classify(&features, photo.labels.len())?.remove(0);
    let of_label = |label: &String| ranked.iter().find(|found| found.label == *label);
    let found: Option<Vec<f64>> =
        photo.labels.iter().map(|label| Some(f64::from(of_label(label)?.probability))).collect();
    found.with_context(|| format!("the labels of {} are not distinct", photo.file))
}

fn compared<'a>(photo: &'a KnownPhoto, answer: &'a KnownAnswer, here: &[f64], model: &'a str) -> Verified<'a> {
    let tolerance = answer.tolerance.unwrap_or(TOLERANCE);
    let factor = answer.factor.unwrap_or(FACTOR);
    let pairs = || answer.probabilities.iter().copied().zip(here.iter().copied());
    let difference = |(published, here): (f64, f64)| (published - here).abs();
    let is_reproduced =
        |pair: (f64, f64)| difference(pair) <= tolerance && factor_between(pair.0, pair.1) <= factor;
    let label = |(label, pair): (&'a String, (f64, f64))| ComparedLabel {
        label,
        published: pair.0,
        here: pair.1,
        is_reproduced: is_reproduced(pair),
    };
    Verified {
        photo: &photo.file,
        published: &answer.model,
        is_reproduced: pairs().all(is_reproduced),
        largest_difference: pairs().map(difference).fold(0.0, f64::max),
        tolerance,
        largest_factor: pairs().map(|(published, here)| factor_between(published, here)).fold(1.0, f64::max),
        factor,
        labels: photo.labels.iter().zip(pairs()).map(label).collect(),
        source: &answer.source,
        assumed: answer.assumed.as_deref(),
        model,
    }
}

fn text(verified: &Verified<'_>) -> String {
    let verdict = if verified.is_reproduced { "reproduced" } else { "not reproduced" };
    let mut text = format!(
        "{}: {verdict}: {} as published of {}; largest difference {:.5}, allowed {}; largest factor {:.3}, allowed {}",
        verified.photo,
        verified.model,
        verified.published,
        verified.largest_difference,
        verified.tolerance,
        verified.largest_factor,
        verified.factor
    );
    let width = verified.labels.iter().map(|label| label.label.chars().count()).max().unwrap_or(0);
    text.push_str(&format!("\n  {:width$}  published        here", ""));
    for ComparedLabel { label, published, here, is_reproduced } in &verified.labels {
        let mark = if *is_reproduced { "" } else { "   differs" };
        let (published, here) = (figure(*published), figure(*here));
        text.push_str(&format!("\n  {label:width$}  {published:>9}   {here:>9}{mark}"));
    }
    text.push_str(&format!("\n  source: {}", verified.source));
    if let Some(assumed) = verified.assumed {
        text.push_str(&format!("\n  assumed: {assumed}"));
    }
    text
}

/// A probability with at least three digits.
fn figure(probability: f64) -> String {
    if probability == 0.0 || probability >= 0.001 {
        format!("{probability:.6}")
    } else {
        format!("{probability:.2e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_its_name_and_one_of_another_name_is_compared_with_all() {
        let known = KnownAnswers::read(None).unwrap();
        let n_chosen = |model: &str, published: Option<&str>| {
            let options = VerifyOptions {
                model: ModelOptions {
                    model: model.into(),
                    arch: None,
                    device: "cpu".parse().unwrap(),
                    dtype: "f32".parse().unwrap(),
                },
                photos: ".".into(),
                answers: None,
                published: published.map(String::from),
                as_json: false,
            };
            let answers = chosen(&known.photo[0], &options);
            (answers.len(), means_one(&answers, &options))
        };
        assert_eq!(n_chosen("hf-hub:xieji-x/make@main", None), (2, true));
        assert_eq!(n_chosen("runs/mine", None), (4, false));
        assert_eq!(n_chosen("runs/mine", Some("clip-large")), (1, true));
    }
}
