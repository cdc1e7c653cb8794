//! The table of a benchmark, and where its images are.

use crate::features::ImageFile;
use anyhow::{Context, Result, bail};
use csv::StringRecord;
use std::path::{Path, PathBuf};

/// A comma-separated file with a header.
pub struct Table {
    pub path: PathBuf,
    header: Vec<String>,
    records: Vec<StringRecord>,
}

impl Table {
    /// # Errors
    /// When the file cannot be read or has no rows.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_bytes(&bytes, path)
    }

    /// The content of a file; `path` is where it came from.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let in_table = || format!("the table is damaged: {}", path.display());
        let mut reader = csv::Reader::from_reader(bytes);
        let header = reader.byte_headers().with_context(in_table)?;
        let header = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_string()).collect();
        let mut records = Vec::new();
        for record in reader.byte_records() {
            records.push(StringRecord::from_byte_record_lossy(record.with_context(in_table)?));
        }
        if records.is_empty() {
            bail!("the table has no rows: {}", path.display());
        }
        Ok(Self { path: path.into(), header, records })
    }

    pub fn n_rows(&self) -> usize {
        self.records.len()
    }

    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The first of these columns that is there, whatever its case.
    pub fn find_column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.header.iter().position(|column| column.eq_ignore_ascii_case(name)))
    }

    /// # Errors
    /// When none of these columns is there.
    pub fn column(&self, names: &[&str]) -> Result<usize> {
        self.find_column(names).with_context(|| {
            let (expected, found) = (names.join(" or "), self.header.join(", "));
            format!("the table lacks the column {expected}; it has {found}: {}", self.path.display())
        })
    }

    /// A cell without the space around it; empty if the row is short.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.records[row].get(column).unwrap_or_default().trim()
    }

    /// The names of a column's images and where they are: the first of the `roots` that has one of the first images.
    pub fn images(&self, column: usize, rows: &[usize], roots: &[PathBuf]) -> Vec<ImageFile> {
        /// Rows that are tried; a few images may be missing.
        const N_TRIED: usize = 100;
        let has_one = |root: &&PathBuf| {
            rows.iter().take(N_TRIED).any(|&row| find_image(root, self.cell(row, column)).is_file())
        };
        let fallback = PathBuf::from(".");
        let root = roots.iter().find(has_one).or(roots.first()).unwrap_or(&fallback);
        let image = |&row: &usize| {
            let path = find_image(root, self.cell(row, column));
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            ImageFile { name: absolute.to_string_lossy().into_owned(), path }
        };
        rows.iter().map(image).collect()
    }
}

/// The file of that name, or with an image's ending where the table leaves that out.
fn find_image(root: &Path, name: &str) -> PathBuf {
    let path = root.join(name);
    if path.extension().is_some() && path.is_file() {
        return path;
    }
    let with_ending = |ending: &str| root.join(format!("{name}.{ending}"));
    let endings = ["jpg", "png", "jpeg", "JPG", "PNG", "JPEG"];
    endings.iter().map(|ending| with_ending(ending)).find(|path| path.is_file()).unwrap_or(path)
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
        let images = table.images(0, &[0, 1], &[here, there.clone()]);
        assert_eq!(images[1].path, there.join("b.JPG"));
        assert_eq!(images[0].path, there.join("a"), "what is missing is named as written");
    }
}
