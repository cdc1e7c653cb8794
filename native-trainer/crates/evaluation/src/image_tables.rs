//! The tables with a row for each scored image, for other programs: which ones are wanted, and what their columns are.

use super::benchmarks::Benchmark;
use super::concept_scores::ConceptScores;
use super::embeddings::Embeddings;
use super::predictions::to_sheet;
use super::resampler::Scored;
use super::task::Task;
use anyhow::{Result, bail};
use dermake_files::file_finder::FileFinder;
use dermake_files::inputs::is_same_place;
use dermake_sheets::SheetFormat;
use schemars::JsonSchema;
use std::path::{Path, PathBuf};

/// The files to write, of one model.
#[derive(Clone, Copy, Default)]
pub struct TableFiles<'a> {
    /// For the features of all scored images.
    pub embeddings: Option<&'a Path>,
    /// For the answers to the images of all classifications.
    pub predictions: Option<&'a Path>,
    /// For the scores of the images of all benchmarks with concepts.
    pub concept_scores: Option<&'a Path>,
}

/// What an evaluation collects for its tables.
#[derive(Default)]
pub struct ImageTables {
    pub embeddings: Option<Embeddings>,
    pub concept_scores: Option<ConceptScores>,
}

impl TableFiles<'_> {
    /// Checks, before the work, that the tables can be written.
    ///
    /// # Errors
    /// When a path is not that of a table, or several models are named.
    pub fn check(&self, n_models: usize) -> Result<()> {
        let mut files: Vec<(PathBuf, &str)> = Vec::new();
        for (option, path, what) in self.named() {
            SheetFormat::check(path)?;
            if n_models > 1 {
                bail!("{option} writes the {what} of one model, and {n_models} are named");
            }
            for file in SheetFormat::files(path)? {
                if let Some((_, other)) = files.iter().find(|(other, _)| is_same_place(other, &file)) {
                    bail!("{other} and {option} name one file, expected two: {}", file.display());
                }
                files.push((file, option));
            }
        }
        Ok(())
    }

    /// The tables to write: their options, paths and contents.
    fn named(&self) -> impl Iterator<Item = (&'static str, &Path, &'static str)> {
        let tables = [
            ("--embeddings", self.embeddings, "features"),
            ("--predictions", self.predictions, "answers"),
            ("--concept-scores", self.concept_scores, "scores"),
        ];
        tables.into_iter().filter_map(|(option, path, what)| Some((option, path?, what)))
    }

    /// Checks, before the work, that no table replaces a file that is read.
    ///
    /// # Errors
    /// When one does.
    pub fn refuse_inputs(&self, read: &[PathBuf]) -> Result<()> {
        self.named().try_for_each(|(option, path, _)| SheetFormat::refuse_inputs(option, path, read))
    }

    /// Checks that there is a benchmark with concepts if their scores are wanted.
    ///
    /// # Errors
    /// When there is none.
    pub fn check_concepts(&self, chosen: &[Benchmark], data: &Path) -> Result<()> {
        let finder = FileFinder::new(data);
        let has_concepts = |benchmark: &Benchmark| {
            matches!(benchmark.task, Task::Concepts { .. }) && benchmark.table(&finder).is_some()
        };
        if self.concept_scores.is_some() && !chosen.iter().any(has_concepts) {
            bail!(
                "--concept-scores needs a benchmark with concepts, such as skincon, and none is to be run; \
                 `dermake annotate PHOTOS --out FILE` writes the scores of any photos: {}",
                data.display()
            );
        }
        Ok(())
    }

    /// The tables that are filled while benchmarks run.
    pub fn started(&self) -> ImageTables {
        ImageTables {
            embeddings: self.embeddings.map(|_| Embeddings::default()),
            concept_scores: self.concept_scores.map(|_| ConceptScores::default()),
        }
    }

    /// Writes the tables.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, tables: ImageTables, scored: &[Scored]) -> Result<()> {
        if let (Some(path), Some(embeddings)) = (self.embeddings, tables.embeddings) {
            embeddings.write(path)?;
        }
        if let Some(path) = self.predictions {
            let sheet = to_sheet(scored);
            sheet.write(path)?;
            tracing::info!("{} answers: {}", sheet.n_rows(), path.display());
        }
        if let (Some(path), Some(scores)) = (self.concept_scores, tables.concept_scores) {
            scores.write(path)?;
        }
        Ok(())
    }
}

/// The columns of the tables. A column with CLASS or CONCEPT in its name is there for each class or concept.
#[derive(JsonSchema)]
pub struct TableColumns {
    /// Of `--embeddings`: a row for each scored image of every benchmark.
    pub embeddings: Vec<EmbeddingRow>,
    /// Of `--predictions`: a row for each scored image of every classification.
    pub predictions: Vec<PredictionRow>,
    /// Of `--concept-scores`: a row for each scored image of every benchmark with concepts.
    pub concept_scores: Vec<ConceptScoreRow>,
}

/// A row of `--embeddings`.
#[derive(JsonSchema)]
pub struct EmbeddingRow {
    /// Key of the benchmark; `own` and `own_retrieval` for data of your own.
    pub benchmark: String,
    /// Row of the benchmark's table, from 1; in Parquet also a text.
    pub row: String,
    /// Path of the image.
    pub file: String,
    /// The image's feature, of unit length; in CSV, TSV and NumPy the columns `feature_0`, `feature_1`, and so on.
    pub feature: Vec<f32>,
}

/// A row of `--predictions`.
#[derive(JsonSchema)]
pub struct PredictionRow {
    /// Key of the benchmark; `own` for data of your own.
    pub benchmark: String,
    /// Row of the benchmark's table, from 1; in Parquet also a text.
    pub row: String,
    /// Path of the image.
    pub file: String,
    /// Name of the true class.
    pub true_label: String,
    /// Name of the class that the model finds most likely.
    pub predicted_label: String,
    /// Probability of a class, a column for each; missing where the benchmark does not have the class.
    #[serde(rename = "probability_CLASS")]
    pub probability: Option<f64>,
}

/// A row of `--concept-scores`.
#[derive(JsonSchema)]
pub struct ConceptScoreRow {
    /// Key of the benchmark.
    pub benchmark: String,
    /// Row of the benchmark's table, from 1; in Parquet also a text.
    pub row: String,
    /// Path of the image.
    pub file: String,
    /// 1 if the benchmark's table says that the image shows the concept, 0 if not, a column for each concept; missing
    /// where the benchmark does not have the concept.
    #[serde(rename = "label_CONCEPT")]
    pub label: Option<f64>,
    /// How present the model finds the concept, between 0 and 1, as in `dermake annotate`; a column for each concept, after
    /// those of the labels. At 0.5 the image is as similar to sentences with the concept as to those without it. The AUROC
    /// is computed from these.
    #[serde(rename = "score_CONCEPT")]
    pub score: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concept_scores::{OfBenchmark, OfConcept};
    use crate::predictions::{Prediction, Predictions, sheet_of};
    use candle_core::{Device, Tensor};
    use dermake_sources::Dataset;
    use std::collections::BTreeSet;

    /// The columns that the manual names for a table.
    fn documented(table: &str) -> BTreeSet<String> {
        let schema = serde_json::to_value(schemars::schema_for!(TableColumns)).unwrap();
        let row = schema["properties"][table]["items"]["$ref"].as_str().unwrap().trim_start_matches('#');
        let columns = schema.pointer(row).unwrap()["properties"].as_object().unwrap();
        columns.keys().map(|name| name.replace("CLASS", "nevus").replace("CONCEPT", "ulcer")).collect()
    }

    #[test]
    fn the_tables_have_the_columns_that_the_manual_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let written = || -> BTreeSet<String> { Dataset::read(&path).unwrap().columns().iter().cloned().collect() };
        let mut embeddings = Embeddings::default();
        let features = Tensor::ones((1, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        embeddings.add("pad", &[0], &["a.jpg".into()], &features).unwrap();
        embeddings.write(&path).unwrap();
        assert_eq!(written(), documented("embeddings"));

        let row = Prediction {
            row: 1,
            image: "a.jpg".into(),
            sha256: None,
            label: 0,
            predicted: 0,
            probabilities: vec![1.0],
        };
        let predictions = Predictions { class_names: vec!["nevus".into()], rows: vec![row] };
        sheet_of(&[("pad", &predictions)]).write(&path).unwrap();
        assert_eq!(written(), documented("predictions"));

        let mut scores = ConceptScores::default();
        let concepts = vec![OfConcept { name: "ulcer".into(), is_shown: vec![true], scores: vec![0.5] }];
        scores.add(OfBenchmark { key: "skincon".into(), rows: vec![0], files: vec!["a.jpg".into()], concepts });
        scores.write(&path).unwrap();
        assert_eq!(written(), documented("concept_scores"));
    }
}
