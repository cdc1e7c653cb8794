//! Zero-shot classification of a labeled table.

use super::benchmarks::Benchmark;
use super::class_metrics::{self, Classified};
use super::embedding_map::{EmbeddingMap, MapInput};
use super::groups::skin_tones;
use super::labeled::{Columns, LabeledImages};
use super::predictions::{Prediction, Predictions};
use super::resampler::Scored;
use super::results::Protocol;
use super::scored::{ScoredRows, score_images};
use super::session::Session;
use super::task::Classes;
use anyhow::{Result, bail};
use dermake_metrics::first_largest;
use dermake_models::scale::Scale;
use shared_model::labels::{LabelSet, Templates};
use shared_model::zero_shot::{Classifier, softmax};
use std::path::Path;

/// Rows that the reference's script scores: its first batch.
pub const RELEASED_ROWS: usize = 2048;

/// Where a classification benchmark has its classes and labels, and what counts.
pub struct ClassTask<'a> {
    pub classes: &'a Classes,
    pub label_column: &'a str,
    /// Key of the main metric.
    pub metric: &'a str,
}

/// Scores a benchmark's table.
pub fn run(session: &mut Session<'_>, benchmark: &Benchmark, table: &Path, task: &ClassTask<'_>) -> Result<Scored> {
    if !class_metrics::is_metric(task.metric) {
        bail!("classification has no metric {:?}: benchmark {}", task.metric, benchmark.key);
    }
    let table = benchmark.read(table)?;
    let folder = table.path.parent().unwrap_or(Path::new("."));
    let class_list = task.classes.resolve(folder)?;
    let n_rows = match session.protocol() {
        Protocol::Released => table.rows().len().min(RELEASED_ROWS),
        _ => table.rows().len(),
    };
    let rows = table.rows()[..n_rows].to_vec();
    let columns = Columns { label: task.label_column, image: benchmark.image_column.as_deref() };
    let LabeledImages { files, labels, doubts } =
        LabeledImages::of_rows(&table, &rows, &columns, &class_list, session.data())?;
    let scored = score_images(session, benchmark, &rows, &files)?;
    let image_column = table.image_column(columns.image)?;
    let image = |at: usize| match image_column {
        Some(column) => table.cell(scored.rows[at], column).to_string(),
        None => scored.files[at].display().to_string(),
    };
    let classifier = classifier(session, &class_list)?;
    let labels = scored.of_read(&labels);
    let predictions = predictions(&classifier, &scored, &labels, image)?;
    let map = session.map.map(|method| {
        let input = MapInput {
            features: &scored.features,
            rows: &scored.rows,
            files: &scored.files,
            labels: &labels,
            class_names: &class_list.class_names,
            tones: skin_tones(&table, &scored.rows),
        };
        EmbeddingMap::of(&input, method)
    });
    let map = map.transpose()?.flatten();
    let mut notes = benchmark.notes();
    notes.extend(scale_note(session.scale, &classifier));
    notes.extend(templates_note(&session.templates));
    if n_rows < table.rows().len() {
        let n_all = table.rows().len();
        notes.push(format!("the first {n_rows} of {n_all} rows, as the released script scores them"));
    }
    let classified = Classified {
        key: benchmark.key.clone(),
        title: benchmark.title.clone(),
        main_metric: task.metric.into(),
        table,
        predictions,
        files: scored.files,
        unreadable: scored.unreadable,
        notes,
        doubts,
        scale: Some(classifier.scale()),
        exclusion: session.exclusion(),
    };
    let mut scored = classified.score();
    scored.result.map = map;
    Ok(scored)
}

/// How probabilities were computed, if not as the reference does.
fn scale_note(scale: Scale, classifier: &Classifier) -> Option<String> {
    let factor = classifier.scale();
    match (scale, classifier.calibration()) {
        (Scale::Reference, _) => None,
        (Scale::Own, _) => Some(format!("probabilities with the model's own scale, {factor:.2} times the cosine")),
        (Scale::Calibrated, Some(calibration)) => Some(format!(
            "calibrated probabilities, {factor:.2} times the cosine, fitted on {} photos of {}",
            calibration.measured.n_fitted, calibration.measured.data
        )),
        (Scale::Calibrated, None) => Some("the model is not calibrated for these labels".into()),
    }
}

/// The sentences that labels were put into, if not the reference's.
fn templates_note(templates: &Templates) -> Option<String> {
    let quoted =
        || templates.as_slice().iter().map(|template| format!("{template:?}")).collect::<Vec<_>>().join(", ");
    (*templates != Templates::skin()).then(|| format!("templates: {}", quoted()))
}

fn predictions(
    classifier: &Classifier,
    scored: &ScoredRows,
    labels: &[usize],
    image: impl Fn(usize) -> String,
) -> Result<Predictions> {
    let logits: Vec<Vec<f32>> = classifier.logits(&scored.features)?.to_vec2()?;
    let mut rows = Vec::with_capacity(logits.len());
    for (at, logits) in logits.iter().enumerate() {
        let probabilities = softmax(logits);
        if probabilities.iter().any(|probability| !probability.is_finite()) {
            bail!("the model gives features that are not finite numbers");
        }
        rows.push(Prediction {
            row: scored.rows[at] + 1,
            image: image(at),
            sha256: Some(scored.sha256[at].clone()),
            label: labels[at],
            predicted: first_largest(&probabilities),
            probabilities: probabilities.into_iter().map(f64::from).collect(),
        });
    }
    Ok(Predictions { class_names: classifier.class_names.clone(), rows })
}

/// Returns the classifier of a label set with the session's scale.
fn classifier(session: &mut Session<'_>, labels: &LabelSet) -> Result<Classifier> {
    let templates = session.templates.clone();
    let classifier = plain_classifier(session, labels, &templates)?;
    session.scale.of(classifier, session.encoder.model(), &templates)
}

/// Returns the classifier of a label set: the model's own, or one of cached or new text features.
pub fn plain_classifier(session: &mut Session<'_>, labels: &LabelSet, templates: &Templates) -> Result<Classifier> {
    if let Some(shipped) = session.encoder.model().shipped_classifier(labels, templates) {
        return Ok(shipped.clone());
    }
    let features = session.texts(&Classifier::prompts(&labels.class_names, templates))?;
    Ok(Classifier::from_prompts(&labels.class_names, &features)?)
}
