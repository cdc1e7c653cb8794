//! The table of a benchmark, and where its images are.

use anyhow::{Context, Result, bail};
use csv::{ByteRecord, StringRecord};
use dermake_features::ImageFile;
use dermake_files::file_finder::{FileFinder, FindError};
use dermake_files::table_file::{self, TableText};
use dermake_files::text_file;
use std::path::{Path, PathBuf};

/// A comma-separated file with a header.
pub struct Table {
    pub path: PathBuf,
    header: Vec<String>,
    records: Vec<StringRecord>,
    /// Row and column of cells that are not UTF-8.
    not_utf8: Vec<(usize, usize)>,
}

impl Table {
    /// # Errors
    /// When the file cannot be read or has no rows.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_bytes(&text_file::read_table(path)?, path)
    }

    /// The content of a file; `path` is where it came from.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let in_table = || format!("the table is damaged: {}", path.display());
        let text = TableText::recognize(bytes).with_context(|| format!("cannot read {}", path.display()))?;
        let bytes = text.with_marks_at_starts();
        let text = TableText { bytes: &bytes, ..text };
        let mut reader = text.reader();
        let mut header = table_file::column_names(reader.byte_headers().with_context(in_table)?);
        let n_columns = header.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        header.truncate(n_columns);
        let mut table = Self { path: path.into(), header, records: Vec::new(), not_utf8: Vec::new() };
        let mut record = ByteRecord::new();
        let (mut last_start, mut n_rows, mut n_empty, mut first_error) = (0, 0, 0, None);
        while reader.read_byte_record(&mut record).with_context(in_table)? {
            last_start = record.position().map_or(0, csv::Position::byte);
            if table_file::is_empty(&record) {
                n_empty += 1;
            } else {
                let line = record.position().map_or(0, csv::Position::line) + text.first_line - 1;
                let pushed = table.push(&record, text.delimiter);
                let pushed = pushed.with_context(|| format!("line {line} of {}", path.display()));
                first_error = first_error.or(pushed.err());
            }
            n_rows += 1;
        }
        // Such a mark takes the rest of the table into one cell: that is what is wrong with its row.
        if text.has_open_quote(last_start) {
            bail!("a quotation mark of row {} is never closed: {}", n_rows - n_empty, path.display());
        }
        if let Some(err) = first_error {
            return Err(err);
        }
        if table.records.is_empty() {
            bail!("the table has no rows: {}", path.display());
        }
        if n_empty > 0 {
            tracing::warn!("{n_empty} empty rows are left out: {}", path.display());
        }
        Ok(table)
    }

    fn push(&mut self, record: &ByteRecord, delimiter: u8) -> Result<()> {
        let n_columns = self.header.len();
        if record.len() < n_columns || table_file::has_cells_behind(record, n_columns) {
            let advice = mismatch_advice(record, n_columns, delimiter);
            bail!("the row has {} cells, the header {n_columns}; {advice}", record.len());
        }
        let mut record = record.clone();
        record.truncate(n_columns);
        let is_not_utf8 = |cell: &[u8]| std::str::from_utf8(cell).is_err();
        let columns = record.iter().enumerate().filter(|(_, cell)| is_not_utf8(cell)).map(|(column, _)| column);
        let row = self.records.len();
        self.not_utf8.extend(columns.map(|column| (row, column)));
        self.records.push(StringRecord::from_byte_record_lossy(record));
        Ok(())
    }

    pub fn n_rows(&self) -> usize {
        self.records.len()
    }

    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The first of these columns that is there: of this very name, or of another case.
    pub fn find_column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| table_file::find_column(&self.header, name))
    }

    /// # Errors
    /// When none of these columns is there, or it has a cell that is not UTF-8.
    pub fn column(&self, names: &[&str]) -> Result<usize> {
        let column = self.find_column(names).with_context(|| {
            let (expected, found) = (names.join(" or "), self.header.join(", "));
            format!("the table lacks the column {expected}; it has {found}: {}", self.path.display())
        })?;
        if let Some((row, _)) = self.not_utf8.iter().find(|(_, bad)| *bad == column) {
            bail!(
                "row {} has a {} that is not UTF-8; save the table again as UTF-8: {}",
                row + 1,
                self.header[column],
                self.path.display()
            );
        }
        Ok(column)
    }

    /// The column of the image's file name: the one that a benchmark names, or one of the usual ones.
    ///
    /// # Errors
    /// As [`Self::column`].
    pub fn image_column(&self, named: Option<&str>) -> Result<usize> {
        if let Some(name) = named {
            return self.column(&[name]);
        }
        if self.find_column(&table_file::IMAGE_COLUMNS).is_none() {
            bail!(
                "no column is known to name the images; name it with image_column in benchmarks.toml; there are {}: {}",
                self.header.join(", "),
                self.path.display()
            );
        }
        self.column(&table_file::IMAGE_COLUMNS)
    }

    /// Returns a cell without surrounding white space; empty if the row is short.
    ///
    /// # Panics
    /// When there is no row of this number.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.records[row].get(column).unwrap_or_default().trim()
    }

    /// Returns the images of a column, below the first of the `roots` that has one of the first images.
    ///
    /// # Errors
    /// When a name fits several files. What is missing is named as written.
    pub fn images(&self, column: usize, rows: &[usize], roots: &[PathBuf]) -> Result<Vec<ImageFile>> {
        /// Rows that are tried; a few images may be missing.
        const N_TRIED: usize = 100;
        let finders: Vec<FileFinder> = roots.iter().map(FileFinder::new).collect();
        let has_one = |finder: &&FileFinder| {
            rows.iter().take(N_TRIED).any(|&row| finder.find(self.cell(row, column)).is_ok())
        };
        let fallback = FileFinder::new(".");
        let finder = finders.iter().find(has_one).or(finders.first()).unwrap_or(&fallback);
        let image = |&row: &usize| {
            let path = match finder.find(self.cell(row, column)) {
                Ok(path) | Err(FindError::Missing { path }) => path,
                Err(err) => return Err(err).with_context(|| format!("row {} of {}", row + 1, self.path.display())),
            };
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            Ok(ImageFile { name: absolute.to_string_lossy().into_owned(), path })
        };
        rows.iter().map(image).collect()
    }
}

/// Explains a row whose number of cells differs from the header's.
fn mismatch_advice(record: &ByteRecord, n_columns: usize, delimiter: u8) -> String {
    let is_long = record.len() > n_columns;
    let spans_lines = record.iter().any(|cell| cell.contains(&b'\n'));
    let starts_with = |mark: u8| record.get(0).is_some_and(|cell| cell.trim_ascii_start().first() == Some(&mark));
    match (is_long, n_columns) {
        _ if spans_lines => "it spans several lines: a quotation mark may be missing at the end of a cell".into(),
        _ if starts_with(b'#') => "a table has no remarks; remove the line".into(),
        (true, 1) => "if the first line is a title, remove it".into(),
        (true, _) => {
            let name = match delimiter {
                b',' => "a comma",
                b';' => "a semicolon",
                b'\t' => "a tab",
                _ => "a vertical bar",
            };
            format!("cells with {name} need quotation marks")
        }
        (false, _) => "cells are missing, or the line is no row".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_whatever_their_case_and_cells_are_trimmed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "\u{feff}FileName,label\na.png, 3 \n").unwrap();
        let table = Table::read(&path).unwrap();
        assert_eq!(table.column(&["image_path", "filename"]).unwrap(), 0);
        assert_eq!(table.cell(0, 1), "3");
        let err = table.column(&["sex", "gender"]).unwrap_err().to_string();
        assert!(err.contains("sex or gender") && err.contains("FileName, label"), "{err}");
        std::fs::write(&path, "filename\n").unwrap();
        assert!(Table::read(&path).is_err());
    }

    #[test]
    fn images_are_looked_for_in_several_places_and_by_several_endings() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (folder.path().join("here"), folder.path().join("there"));
        std::fs::create_dir_all(&here).unwrap();
        std::fs::create_dir_all(&there).unwrap();
        std::fs::write(there.join("b.JPG"), "").unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "ImageID\na\nb\n").unwrap();
        let table = Table::read(&path).unwrap();
        let images = table.images(0, &[0, 1], &[here, there.clone()]).unwrap();
        assert_eq!(images[1].path, there.join("b.JPG"));
        assert_eq!(images[0].path, there.join("a"), "what is missing is named as written");
    }

    fn table(text: &[u8]) -> Result<Table> {
        Table::from_bytes(text, Path::new("t.csv"))
    }

    #[test]
    fn tables_are_read_as_spreadsheets_save_them() {
        for text in [
            &b"\xEF\xBB\xBFfilename;label\r\na.png;3\r\n;\r\n;\r\n"[..],
            b"sep=;\r\nfilename;label\r\na.png;3\r\n",
            b"filename\tlabel\na.png\t3\n",
            b" FileName , LABEL\ra.png,3\r",
            b"\"filename\",\"label\"\n\"a.png\",\"3\"\n\n\n",
            b"sep=\t\nfilename\tlabel\na.png\t3\n",
            b"filename;label;age, years\na.png;3;20\n",
            b"\nfilename;label\na.png;3\n",
            b"filename,label\na.png,3,\n",
            b"filename,label,\na.png,3, ,\n",
            b"filename,label\na.png,3\n\x1a",
            b" \"FileName \" ; \"LABEL\"\n \"a.png\";\"3\"\n",
        ] {
            let table = table(text).unwrap();
            assert_eq!(table.n_rows(), 1, "{}", String::from_utf8_lossy(text));
            assert_eq!(table.cell(0, table.image_column(None).unwrap()), "a.png");
            assert_eq!(table.cell(0, table.column(&["label"]).unwrap()), "3");
        }
    }

    #[test]
    fn rows_that_cannot_be_what_is_meant_are_named() {
        let error = |text: &[u8]| format!("{:#}", table(text).err().unwrap());
        assert!(
            error(b"filename,label\na.png,1\nb.png,2,3\n")
                .contains("line 3 of t.csv: the row has 3 cells, the header 2")
        );
        assert!(
            error(b"filename,label\na.png,\"1\nb.png,2\nc.png,3\n")
                .contains("quotation mark of row 1 is never closed")
        );
        for (table, expected) in [
            (
                &b"filename,label\na.png,1\nb.png,2\nc.png,3\nd.png,\"4\ne.png,5\n"[..],
                "mark of row 4 is never closed",
            ),
            (b"filename,label\na.png,1\n\"b.png,2\nc.png,3\n", "mark of row 2 is never closed"),
            (b"filename,label\n\"a.png,1\nb.png\",2,3\n", "it spans several lines"),
            (b"Our photos\nfilename,label\na.png,1\n", "if the first line is a title, remove it"),
            (b"filename,label\n# more\na.png,1\n", "a table has no remarks"),
            (b"filename,label\na.png\n", "the row has 1 cells, the header 2; cells are missing"),
            (b"filename;label\na.png;1;2\n", "cells with a semicolon need quotation marks"),
        ] {
            assert!(error(table).contains(expected), "{expected}: {}", error(table));
        }
        assert!(error(b"PK\x03\x04").contains("Excel workbook"));
        let other = table(b"filename,label,note\na.png,1,B\xE4r\nb.png,\xE4,x\n").unwrap();
        assert!(other.column(&["filename"]).is_ok());
        assert!(other.column(&["label"]).unwrap_err().to_string().contains("row 2 has a label that is not UTF-8"));
    }

    #[test]
    fn a_column_of_images_is_known_or_named() {
        let photo = table(b"Photo,label\na.png,1\n").unwrap();
        assert!(photo.image_column(None).unwrap_err().to_string().contains("image_column in benchmarks.toml"));
        assert_eq!(photo.image_column(Some("photo")).unwrap(), 0);
        assert_eq!(table(b"label,Image\n1,a.png\n").unwrap().image_column(None).unwrap(), 1);
    }

    #[test]
    fn a_name_that_fits_two_files_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["A.png", "a.PNG"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let table = table(b"filename\na.png\n").unwrap();
        let message = format!("{:#}", table.images(0, &[0], &[folder.path().into()]).unwrap_err());
        assert!(message.contains("row 1 of t.csv") && message.contains("A.png, a.PNG"), "{message}");
    }
}
