//! Results as tables that pandas, R and NumPy read: a row for each image, columns of texts, numbers and vectors.
//!
//! [`SheetFormat::of`] tells the format by the ending of a file's name, and [`SheetFormat::check`] refuses a place before a
//! command's work. A file appears whole or not at all.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod delimited;
mod format;
mod numpy;
mod parquet_file;
mod sheet;

pub use format::SheetFormat;
pub use sheet::Sheet;

use anyhow::{Result, ensure};
use std::path::Path;

impl Sheet {
    /// Writes the file, and beside a NumPy file the texts of its rows. Existing files are replaced.
    ///
    /// # Errors
    /// When the ending means no format, columns differ in length, or a file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let format = SheetFormat::of(path)?;
        let n_rows = self.n_rows();
        for column in &self.columns {
            let n = column.values.len();
            ensure!(n == n_rows, "the column {} has {n} rows, expected {n_rows}", column.name);
        }
        match format {
            SheetFormat::Csv => delimited::write(self, path, b','),
            SheetFormat::Tsv => delimited::write(self, path, b'\t'),
            SheetFormat::Parquet => parquet_file::write(self, path),
            SheetFormat::Numpy => numpy::write(self, path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_sources::Dataset;

    fn sheet() -> Sheet {
        let mut sheet = Sheet::default();
        sheet.texts("file", vec!["a, \"b\".jpg".into(), "c.jpg".into()]);
        sheet.numbers("exophytic/fungating", vec![Some(0.1), None]);
        sheet.vectors("feature", 3, vec![1.0, -0.5, 0.1, 0.0, f32::MIN_POSITIVE, 2.0]);
        sheet
    }

    #[test]
    fn a_table_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["t.csv", "t.TSV", "t.parquet"] {
            let path = folder.path().join(name);
            sheet().write(&path).unwrap();
            let data = Dataset::read(&path).unwrap();
            let cells = |column: &str| {
                let column = data.column(column).unwrap();
                (0..data.len()).map(|row| data.cell(row, column).to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(cells("file"), ["a, \"b\".jpg", "c.jpg"], "{name}");
            assert_eq!(cells("exophytic/fungating"), ["0.1", ""], "{name}");
            match name {
                "t.parquet" => {
                    let vectors: Vec<Vec<f32>> = cells("feature").iter().map(|cell| parse(cell)).collect();
                    assert_eq!(vectors, [vec![1.0, -0.5, 0.1], vec![0.0, f32::MIN_POSITIVE, 2.0]]);
                }
                _ => {
                    assert_eq!(cells("feature_2"), ["0.1", "2"], "{name}");
                    assert_eq!(cells("feature_1")[1].parse(), Ok(f32::MIN_POSITIVE), "{name}");
                }
            }
        }
    }

    /// A list of numbers as JSON.
    fn parse(cell: &str) -> Vec<f32> {
        cell.trim_matches(['[', ']']).split(',').map(|number| number.trim().parse().unwrap()).collect()
    }

    #[test]
    fn a_numpy_file_is_a_matrix_with_its_rows_and_columns_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.npy");
        sheet().write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        // numpy.lib.format: magic, version 1.0, length of the header, header, data.
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((10 + length) % 64, 0);
        let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
        assert_eq!(header.trim_end(), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }");
        let values: Vec<f32> =
            bytes[10 + length..].chunks_exact(4).map(|v| f32::from_le_bytes(v.try_into().unwrap())).collect();
        assert_eq!((values[0], values[1..4].to_vec(), values[4].is_nan()), (0.1, vec![1.0, -0.5, 0.1], true));
        let rows = std::fs::read_to_string(folder.path().join("e.rows.csv")).unwrap();
        assert_eq!(rows, "file\n\"a, \"\"b\"\".jpg\"\nc.jpg\n");
        let columns = std::fs::read_to_string(folder.path().join("e.columns.txt")).unwrap();
        assert_eq!(columns, "exophytic/fungating\nfeature_0\nfeature_1\nfeature_2\n");
    }

    #[test]
    fn what_cannot_be_written_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["t", "t.xlsx", "t.json"] {
            let error = sheet().write(&folder.path().join(name)).unwrap_err().to_string();
            assert!(error.contains("expected a name ending in .csv, .tsv, .parquet or .npy"), "{error}");
        }
        let mut uneven = sheet();
        uneven.texts("more", vec!["x".into()]);
        assert!(
            uneven
                .write(&folder.path().join("t.csv"))
                .unwrap_err()
                .to_string()
                .contains("the column more has 1 rows")
        );
        assert!(sheet().write(&folder.path().join("no/such/t.csv")).is_err());
        Sheet::default().write(&folder.path().join("empty.csv")).unwrap();
    }
}
