//! The presence scores of concepts in the images of all benchmarks, as a table for other programs.

use super::image_rows::ImageRows;
use anyhow::Result;
use dermake_sheets::Sheet;
use std::path::{Path, PathBuf};

/// Presence scores beside what the tables say, with the benchmark, the row and the file of each image.
#[derive(Default)]
pub struct ConceptScores {
    benchmarks: Vec<OfBenchmark>,
}

/// The images of one benchmark, and its concepts.
pub struct OfBenchmark {
    pub key: String,
    /// Rows of its table, from 0.
    pub rows: Vec<usize>,
    pub files: Vec<PathBuf>,
    pub concepts: Vec<OfConcept>,
}

/// One concept in the images of a benchmark.
pub struct OfConcept {
    pub name: String,
    /// Whether the table says that an image shows it.
    pub is_shown: Vec<bool>,
    /// How present the model finds it, between 0 and 1.
    pub scores: Vec<f64>,
}

impl OfBenchmark {
    /// A value of a concept for each image; of a concept that the benchmark does not have, they are missing.
    fn values(&self, concept: &str, of_concept: impl Fn(&OfConcept) -> Vec<f64>) -> Vec<Option<f64>> {
        match self.concepts.iter().find(|found| found.name == concept) {
            Some(found) => of_concept(found).into_iter().map(Some).collect(),
            None => vec![None; self.rows.len()],
        }
    }
}

impl ConceptScores {
    /// Adds the images of a benchmark.
    pub fn add(&mut self, benchmark: OfBenchmark) {
        self.benchmarks.push(benchmark);
    }

    /// Writes the table: first what the tables say of each concept, then its scores.
    ///
    /// # Errors
    /// As [`Sheet::write`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let sheet = self.sheet();
        sheet.write(path)?;
        tracing::info!("concept scores of {} images: {}", sheet.n_rows(), path.display());
        Ok(())
    }

    fn sheet(&self) -> Sheet {
        let mut images = ImageRows::default();
        for of in &self.benchmarks {
            for (row, file) in of.rows.iter().zip(&of.files) {
                images.add(&of.key, row + 1, file.to_string_lossy());
            }
        }
        let mut sheet = images.into_sheet();
        let mut names: Vec<&String> = Vec::new();
        for concept in self.benchmarks.iter().flat_map(|of| &of.concepts) {
            if !names.contains(&&concept.name) {
                names.push(&concept.name);
            }
        }
        for &name in &names {
            let labels = |concept: &OfConcept| concept.is_shown.iter().map(|&is| f64::from(u8::from(is))).collect();
            let column = self.benchmarks.iter().flat_map(|of| of.values(name, labels)).collect();
            sheet.numbers(format!("label_{name}"), column);
        }
        for &name in &names {
            let column = self.benchmarks.iter().flat_map(|of| of.values(name, |concept| concept.scores.clone()));
            sheet.numbers(format!("score_{name}"), column.collect());
        }
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_sources::Dataset;

    fn of(key: &str, concepts: &[(&str, bool, f64)]) -> OfBenchmark {
        let concept = |&(name, is_shown, score): &(&str, bool, f64)| OfConcept {
            name: name.into(),
            is_shown: vec![is_shown],
            scores: vec![score],
        };
        let concepts = concepts.iter().map(concept).collect();
        OfBenchmark { key: key.into(), rows: vec![2], files: vec!["a.jpg".into()], concepts }
    }

    #[test]
    fn concepts_of_several_benchmarks_are_columns_of_one_table() {
        let mut scores = ConceptScores::default();
        scores.add(of("skincon", &[("ulcer", true, 0.75), ("scale", false, 0.5)]));
        scores.add(of("derm7pt", &[("scale", true, 0.25)]));
        let folder = tempfile::tempdir().unwrap();
        for name in ["c.parquet", "c.csv"] {
            let path = folder.path().join(name);
            scores.write(&path).unwrap();
            let written = Dataset::read(&path).unwrap();
            let row = |row: usize| (0..7).map(|column| written.cell(row, column)).collect::<Vec<_>>().join("|");
            assert_eq!(
                written.columns(),
                ["benchmark", "row", "file", "label_ulcer", "label_scale", "score_ulcer", "score_scale"]
            );
            assert_eq!((written.len(), row(0)), (2, "skincon|3|a.jpg|1|0|0.75|0.5".into()), "{name}");
            assert_eq!(row(1), "derm7pt|3|a.jpg||1||0.25", "{name}");
        }
    }
}
