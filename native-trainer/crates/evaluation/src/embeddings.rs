//! The features of the images of all benchmarks, as a table for other programs.

use anyhow::Result;
use candle_core::Tensor;
use dermake_sheets::Sheet;
use std::path::{Path, PathBuf};

/// Features of scored images, with the benchmark, the row and the file of each.
#[derive(Default)]
pub struct Embeddings {
    benchmarks: Vec<String>,
    rows: Vec<String>,
    files: Vec<String>,
    width: usize,
    values: Vec<f32>,
}

impl Embeddings {
    /// Adds the images of a benchmark.
    ///
    /// # Shapes
    /// - `features`: `[n, E]`, in the order of `rows` and `files`
    pub fn add(&mut self, benchmark: &str, rows: &[usize], files: &[PathBuf], features: &Tensor) -> Result<()> {
        self.width = features.dims2()?.1;
        self.benchmarks.extend(rows.iter().map(|_| benchmark.to_owned()));
        self.rows.extend(rows.iter().map(|&row| (row + 1).to_string()));
        self.files.extend(files.iter().map(|file| file.to_string_lossy().into_owned()));
        self.values.extend(features.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }

    /// Writes the table.
    ///
    /// # Errors
    /// As [`Sheet::write`].
    pub fn write(self, path: &Path) -> Result<()> {
        let mut sheet = Sheet::default();
        sheet.texts("benchmark", self.benchmarks);
        sheet.texts("row", self.rows);
        sheet.texts("file", self.files);
        sheet.vectors("feature", self.width, self.values);
        sheet.write(path)?;
        tracing::info!("{} features of {} values: {}", sheet.n_rows(), self.width, path.display());
        Ok(())
    }
}
