//! The labeled rows of the data, their features, and how answers to them are scored.

use super::FinetuneOptions;
use super::head::Head;
use super::readable::{Answers, Readable};
use super::split::Parts;
use super::written::sha256_with_model;
use crate::benchmarks::Benchmark;
use crate::class_metrics::Classified;
use crate::compare::Evaluated;
use crate::evaluate::log;
use crate::labeled::LabeledImages;
use crate::predictions::Predictions;
use crate::resampler::Scored;
use crate::results::{EvaluatedModel, Protocol, Results};
use crate::scored::{ScoredRows, score_images};
use crate::session::{Session, SessionOptions};
use crate::table::Table;
use anyhow::Result;
use dermake_features::{Effort, Encoder, FeatureStore, Identity, ImageFile};
use dermake_models::options::ModelOptions;
use dermake_process::interrupt;
use shared_model::labels::LabelSet;
use shared_model::preprocess::Reading;

/// The labeled rows of the data.
pub struct Data {
    pub benchmark: Benchmark,
    pub table: Table,
    pub class_list: LabelSet,
    pub rows: Vec<usize>,
    pub images: LabeledImages,
}

/// Images of some places with the features of a model.
pub struct Encoded {
    pub identity: Identity,
    is_trained: bool,
    pub notice: Option<String>,
    effort: Effort,
    scored: ScoredRows,
    /// The labels of all images that were wanted.
    labels: Vec<usize>,
}

impl Encoded {
    /// The images that could be read.
    ///
    /// # Errors
    /// When features are not finite.
    pub fn readable(&self, data: &Data) -> Result<Readable<'_>> {
        Readable::new(&self.scored, &self.labels, &data.rows)
    }
}

impl Data {
    /// The features that a model has of the images at some places.
    ///
    /// # Errors
    /// When the model cannot be loaded, or too many images cannot be read.
    pub fn encoded(
        &self,
        options: &FinetuneOptions<'_>,
        model: &ModelOptions,
        places: &[usize],
    ) -> Result<Encoded> {
        let (loaded, name) = model.load()?;
        if places.len() == self.rows.len() {
            dermake_models::warn_of(&loaded);
        }
        let identity = Identity::of(model, &loaded, &name, Reading::Reference)?;
        let store = options.cache.as_ref().and_then(|cache| FeatureStore::open_cache(cache, &identity));
        interrupt::listen("batch")?;
        let session_options = SessionOptions::of_photos(options.data, options.max_unreadable);
        let mut session = Session::of_features(Encoder::new(&loaded, Reading::Reference, store), &session_options);
        let rows: Vec<usize> = places.iter().map(|&place| self.rows[place]).collect();
        let files: Vec<ImageFile> = places.iter().map(|&place| self.images.files[place].clone()).collect();
        let scored = score_images(&mut session, &self.benchmark, &rows, &files)?;
        Ok(Encoded {
            identity,
            is_trained: loaded.is_trained,
            notice: loaded.notice.clone(),
            effort: session.encoder.effort,
            scored,
            labels: places.iter().map(|&place| self.images.labels[place]).collect(),
        })
    }

    /// The answers of a head to the test part, scored; called `name`.
    ///
    /// # Errors
    /// When the table has no column of images with this name, or the head cannot be serialized.
    pub fn scored(
        &self,
        readable: &Readable<'_>,
        parts: &Parts,
        head: &Head,
        encoded: &Encoded,
        name: &str,
    ) -> Result<Evaluated> {
        let image = self.table.image_column(self.benchmark.image_column.as_deref())?;
        let answers = readable.answers(&parts.test, head, |row, file| match image {
            Some(column) => self.table.cell(row, column).to_string(),
            None => file.display().to_string(),
        });
        let of_test = parts.test.iter().map(|&place| self.rows[place]).collect();
        let notes = [parts.notes.clone(), self.benchmark.notes()].concat();
        let class_names = &self.class_list.class_names;
        let table = self.benchmark.read(&self.table.path)?.with_rows(of_test);
        let scored = scored_test(answers, class_names, &self.benchmark, table, notes);
        log(&scored.result);
        let model = EvaluatedModel {
            name: name.to_owned(),
            sha256: sha256_with_model(head, &encoded.identity.model_sha256)?,
            is_trained: encoded.is_trained,
            notice: encoded.notice.clone(),
        };
        Ok(Evaluated { results: results(model, &scored, encoded.effort), scored: vec![scored] })
    }
}

fn results(model: EvaluatedModel, scored: &Scored, effort: Effort) -> Results {
    Results {
        format: Results::FORMAT.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        model,
        protocol: Protocol::All,
        templates: Vec::new(),
        benchmarks: vec![scored.result.clone()],
        failed: Vec::new(),
        skipped: Vec::new(),
        effort,
    }
}

fn scored_test(
    answers: Answers,
    class_names: &[String],
    benchmark: &Benchmark,
    table: Table,
    mut notes: Vec<String>,
) -> Scored {
    if answers.n_unreadable > 0 {
        notes.push(format!("{} test images cannot be read and are not scored", answers.n_unreadable));
    }
    Classified {
        key: benchmark.key.clone(),
        title: format!("{}, test part", benchmark.title),
        main_metric: "top1_accuracy".into(),
        table,
        predictions: Predictions { class_names: class_names.to_vec(), rows: answers.predictions },
        files: answers.files,
        unreadable: Vec::new(),
        notes,
        doubts: Vec::new(),
        scale: None,
        exclusion: None,
    }
    .score()
}
