//! The features of the images of all benchmarks, as a table for other programs.

use super::image_rows::ImageRows;
use anyhow::Result;
use candle_core::Tensor;
use std::path::{Path, PathBuf};

/// Features of scored images, with the benchmark, the row and the file of each.
#[derive(Default)]
pub struct Embeddings {
    images: ImageRows,
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
        for (row, file) in rows.iter().zip(files) {
            self.images.add(benchmark, row + 1, file.to_string_lossy());
        }
        self.values.extend(features.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }

    /// Writes the table.
    ///
    /// # Errors
    /// As [`Sheet::write`](dermake_sheets::Sheet::write).
    pub fn write(self, path: &Path) -> Result<()> {
        let mut sheet = self.images.into_sheet();
        sheet.vectors("feature", self.width, self.values);
        sheet.write(path)?;
        tracing::info!("{} features of {} values: {}", sheet.n_rows(), self.width, path.display());
        Ok(())
    }
}
