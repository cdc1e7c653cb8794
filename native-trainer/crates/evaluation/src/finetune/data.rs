//! The labeled rows of the data, their features, and how answers to them are scored.

use super::FinetuneOptions;
use super::head::Head;
use super::parts::Parts;
use super::readable::{Answers, Readable};
use super::written::sha256_with_model;
use crate::benchmarks::Benchmark;
use crate::class_metrics::Classified;
use crate::compare::Evaluated;
use crate::evaluate::log_figure;
use crate::labeled::{Columns, LabeledImages};
use crate::own_data::{LabeledData, LabeledRows, labeled};
use crate::predictions::Predictions;
use crate::resampler::Scored;
use crate::results::{EvaluatedModel, Protocol, Results, UnreadableImage};
use crate::scored::{ScoredRows, score_images};
use crate::session::{Session, SessionOptions};
use crate::table::Table;
use anyhow::Result;
use dermake_features::{Effort, Encoder, FeatureStore, Identity, ImageFile};
use dermake_models::options::ModelOptions;
use dermake_process::interrupt;
use shared_model::labels::LabelSet;
use shared_model::preprocess::Reading;
use std::collections::HashSet;

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

    /// The images that could not be read.
    pub fn unreadable(&self) -> &[UnreadableImage] {
        &self.scored.unreadable
    }

    /// The same, with images that could not be read before, and were not wanted again.
    pub fn with_unreadable(mut self, before: &[UnreadableImage]) -> Self {
        self.scored.unreadable.extend_from_slice(before);
        self.scored.unreadable.sort_by_key(|image| image.row);
        self
    }
}

impl Data {
    /// Reads the labels of all rows, whichever part they are of.
    ///
    /// # Errors
    /// When the data cannot be read, or too many rows have no label.
    pub fn read(options: &FinetuneOptions<'_>) -> Result<Self> {
        let LabeledData { benchmark, table, label_column, class_list } =
            labeled(options.data, &options.columns, options.max_unreadable, LabeledRows::All)?;
        let columns = Columns { label: &label_column, image: benchmark.image_column.as_deref() };
        let rows = table.rows().to_vec();
        let images = LabeledImages::of_rows(&table, &rows, &columns, &class_list, options.data)?;
        Ok(Self { benchmark, table, class_list, rows, images })
    }

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
        let loaded = model.open()?;
        if places.len() == self.rows.len() {
            dermake_models::warn_of(&loaded.model);
        }
        let identity = Identity::of(model, &loaded, Reading::Reference)?;
        let store = options.cache.as_ref().and_then(|cache| FeatureStore::open_cache(cache, &identity));
        interrupt::listen("batch")?;
        let session_options = SessionOptions::of_photos(options.data, options.max_unreadable);
        let mut session =
            Session::of_features(Encoder::new(&loaded.model, Reading::Reference, store), &session_options);
        let rows: Vec<usize> = places.iter().map(|&place| self.rows[place]).collect();
        let files: Vec<ImageFile> = places.iter().map(|&place| self.images.files[place].clone()).collect();
        let scored = score_images(&mut session, &self.benchmark, &rows, &files)?;
        Ok(Encoded {
            identity,
            is_trained: loaded.model.is_trained,
            notice: loaded.model.notice.clone(),
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
        let scored = self.scored_test(answers, parts, encoded.unreadable());
        log_figure(&scored.result);
        let model = EvaluatedModel {
            name: name.to_owned(),
            sha256: sha256_with_model(head, &encoded.identity.model_sha256)?,
            is_trained: encoded.is_trained,
            notice: encoded.notice.clone(),
        };
        Ok(Evaluated { results: results(model, &scored, encoded.effort), scored: vec![scored] })
    }

    /// Scores answers to the test part, of which some of the `unreadable` images may be.
    fn scored_test(&self, answers: Answers, parts: &Parts, unreadable: &[UnreadableImage]) -> Scored {
        let rows: Vec<usize> = parts.test.iter().map(|&place| self.rows[place]).collect();
        let of_test: HashSet<usize> = rows.iter().copied().collect();
        let is_of_test = |image: &&UnreadableImage| of_test.contains(&(image.row - 1));
        Classified {
            key: self.benchmark.key.clone(),
            title: format!("{}, test part", self.benchmark.title),
            main_metric: "top1_accuracy".into(),
            table: self.table.clone().with_rows(rows),
            predictions: Predictions {
                class_names: self.class_list.class_names.clone(),
                rows: answers.predictions,
            },
            files: answers.files,
            unreadable: unreadable.iter().filter(is_of_test).cloned().collect(),
            notes: [parts.notes.clone(), self.benchmark.notes()].concat(),
            doubts: Vec::new(),
            scale: None,
            exclusion: None,
        }
        .score()
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
