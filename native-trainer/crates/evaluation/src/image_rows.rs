//! The first columns of every table with a row for each scored image: where the image is from.

use dermake_sheets::Sheet;

/// The images of a table, in the order of its rows.
#[derive(Default)]
pub struct ImageRows {
    benchmarks: Vec<String>,
    rows: Vec<String>,
    files: Vec<String>,
}

impl ImageRows {
    /// Adds an image: the key of its benchmark, the row of the benchmark's table, from 1, and its path.
    pub fn add(&mut self, benchmark: &str, row: usize, file: impl Into<String>) {
        self.benchmarks.push(benchmark.into());
        self.rows.push(row.to_string());
        self.files.push(file.into());
    }

    /// A table with these columns: `benchmark`, `row` and `file`.
    pub fn into_sheet(self) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.texts("benchmark", self.benchmarks);
        sheet.texts("row", self.rows);
        sheet.texts("file", self.files);
        sheet
    }
}
