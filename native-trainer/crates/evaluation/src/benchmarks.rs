//! The benchmarks, and which of them a data folder has: `static/benchmarks/benchmarks.toml`.

use super::results::SkippedBenchmark;
use super::table::Table;
use super::task::{Classes, Task};
use anyhow::{Context, Result};
use dermake_files::file_finder::FileFinder;
use dermake_files::text_file;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Custom benchmarks, in the data folder.
const OWN_FILE: &str = "benchmarks.toml";

/// What to evaluate, and where its table may be.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// Its name for `--only` and in files: `pad`, `f17k`, ...
    pub key: String,
    /// Its name in tables and reports.
    pub title: String,
    pub task: Task,
    /// Paths below the data folder; the first one that exists is read.
    pub tables: Vec<String>,
    /// Column of the image's file name; one of the usual names where it is absent.
    #[serde(default)]
    pub image_column: Option<String>,
    /// Source of the data.
    pub source: String,
    /// Instructions: which files to put where.
    pub how: String,
    /// The rows of data that are in no list of benchmarks.
    #[serde(skip)]
    pub own: Option<OwnRows>,
}

/// The rows of data of one's own that are scored.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnRows {
    pub path: PathBuf,
    pub rows: Vec<usize>,
    /// The folder where the names of the images start, if it is none of the usual ones.
    pub images: Option<PathBuf>,
    /// What was left out, in sentences.
    pub notes: Vec<String>,
}

/// A list of benchmarks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Benchmarks {
    /// The benchmarks.
    pub benchmark: Vec<Benchmark>,
}

impl Benchmark {
    /// The benchmarks that come with the program.
    pub fn built_in() -> Result<Vec<Self>> {
        let list: Benchmarks = toml::from_str(include_str!("../../../../static/benchmarks/benchmarks.toml"))
            .context("in the list of benchmarks")?;
        Ok(list.benchmark)
    }

    /// Returns the built-in benchmarks and those of the data folder, which replace built-in ones with the same key.
    pub fn known(data: &Path) -> Result<Vec<Self>> {
        let mut all = Self::built_in()?;
        let path = data.join(OWN_FILE);
        if path.exists() {
            let own: Benchmarks = text_file::read_toml(&path)?;
            all.retain(|benchmark| own.benchmark.iter().all(|own| own.key != benchmark.key));
            all.extend(own.benchmark);
        }
        Ok(all)
    }

    /// Returns whether a folder has its own list of benchmarks.
    pub fn has_list(data: &Path) -> bool {
        data.join(OWN_FILE).exists()
    }

    /// The table, if the data folder has it, and the one of the test images with it: a `train.csv` alone may be anything.
    pub fn table(&self, data: &FileFinder) -> Option<PathBuf> {
        if let Some(own) = &self.own {
            return Some(own.path.clone());
        }
        let is_whole = |table: &PathBuf| self.test_table(table).is_none_or(|test| test.is_file());
        self.tables.iter().filter_map(|table| data.find(table).ok()).find(is_whole)
    }

    /// The table of the test images beside a training table, if there are two.
    pub fn test_table(&self, table: &Path) -> Option<PathBuf> {
        match &self.task {
            Task::LinearProbe { test: Some(test), .. } => Some(table.with_file_name("").join(test)),
            _ => None,
        }
    }

    /// The file of labels or concepts that the benchmark names, which may not exist.
    pub fn list_file(&self, table: &Path) -> Option<PathBuf> {
        match &self.task {
            Task::Classification { classes: Classes::Named(list), .. } | Task::Concepts { list, .. } => {
                Some(table.with_file_name(list))
            }
            _ => None,
        }
    }

    /// Reads the table, with the rows that are scored.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read(&self, table: &Path) -> Result<Table> {
        let is_labeled = matches!(self.task, Task::Classification { .. });
        match &self.own {
            Some(own) => {
                let table = Table::read_again(table, is_labeled)?;
                Ok(table.with_rows(own.rows.clone()).with_images(own.images.clone()))
            }
            None if is_labeled => Table::read_labeled(table),
            None => Table::read(table),
        }
    }

    /// What was left out before the table was read, for the result's notes.
    pub fn notes(&self) -> Vec<String> {
        self.own.as_ref().map_or(Vec::new(), |own| own.notes.clone())
    }

    /// Describes a benchmark whose tables do not exist.
    pub fn skipped(&self, data: &Path) -> SkippedBenchmark {
        let tables = self.tables.iter().map(|table| data.join(table));
        let missing = tables.flat_map(|table| {
            let test = self.test_table(&table);
            std::iter::once(table).chain(test)
        });
        SkippedBenchmark {
            key: self.key.clone(),
            title: self.title.clone(),
            missing: missing.filter(|table| !table.exists()).collect(),
            source: self.source.clone(),
            how: self.how.clone(),
        }
    }
}

/// Folders where a table's image names may start: its own folder, the data folder, and the folder above that.
pub fn image_roots(table: &Path, data: &Path) -> Vec<PathBuf> {
    let of_table = table.parent().unwrap_or(Path::new(".")).to_path_buf();
    vec![of_table.clone(), data.to_path_buf(), data.join(".."), of_table.join("images"), PathBuf::from(".")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::labels::{LabelSet, concept_terms};
    use std::collections::HashSet;

    #[test]
    fn the_built_in_list_is_whole() {
        let all = Benchmark::built_in().unwrap();
        let keys: HashSet<&str> = all.iter().map(|benchmark| benchmark.key.as_str()).collect();
        assert_eq!(keys.len(), all.len());
        for benchmark in &all {
            assert!(!benchmark.tables.is_empty() && !benchmark.source.is_empty() && !benchmark.how.is_empty());
            if let Task::Concepts { concepts, .. } = &benchmark.task {
                let terms = concept_terms();
                assert!(concepts.iter().all(|concept| terms.contains_key(concept)), "{}", benchmark.key);
            }
        }
    }

    #[test]
    fn a_training_table_alone_is_no_benchmark() {
        let data = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = data.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        let probe = Benchmark::built_in().unwrap().into_iter().find(|one| one.key == "synth_linear_probe").unwrap();
        let table = || probe.table(&FileFinder::new(data.path()));
        write("train.csv");
        assert_eq!(table(), None);
        assert!(probe.skipped(data.path()).missing.contains(&data.path().join("zeroshot/test.csv")));
        write("synth/train.csv");
        write("synth/zeroshot/test.csv");
        assert_eq!(table(), Some(data.path().join("synth/train.csv")));
        write("zeroshot/test.csv");
        assert_eq!(table(), Some(data.path().join("train.csv")));
    }

    #[test]
    fn no_benchmark_is_taken_for_a_label() {
        for benchmark in Benchmark::built_in().unwrap() {
            let data_set = benchmark.title.split(',').next().unwrap();
            for name in [benchmark.key.as_str(), data_set] {
                let labels = dermake_files::labels::from_argument(name);
                let is_set = labels.as_ref().is_ok_and(|labels| LabelSet::keys().contains(&labels.key.as_str()));
                assert!(is_set || labels.is_err(), "{name}");
            }
        }
    }

    #[test]
    fn a_data_folder_may_add_benchmarks_and_replace_them() {
        let data = tempfile::tempdir().unwrap();
        let own = r#"
            [[benchmark]]
            key = "pad"
            title = "Another"
            task = { kind = "classification", classes = ["a", "b"] }
            tables = ["t.csv"]
            source = "here"
            how = "so"
        "#;
        std::fs::write(data.path().join(OWN_FILE), own).unwrap();
        let n_built_in = Benchmark::built_in().unwrap().len();
        let known = Benchmark::known(data.path()).unwrap();
        assert_eq!(known.len(), n_built_in);
        let pad = known.iter().find(|benchmark| benchmark.key == "pad").unwrap();
        let table = || pad.table(&FileFinder::new(data.path()));
        assert_eq!((pad.title.as_str(), table()), ("Another", None));
        std::fs::write(data.path().join("t.csv"), "").unwrap();
        assert!(table().is_some());
        std::fs::write(data.path().join(OWN_FILE), "[[benchmark]]\nname = 1").unwrap();
        assert!(format!("{:#}", Benchmark::known(data.path()).unwrap_err()).contains(OWN_FILE));
    }
}
