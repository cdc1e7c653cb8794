//! The table of a benchmark, and where its images are.

use anyhow::{Context, Result, bail};
use dermake_features::ImageFile;
use dermake_files::file_finder::FindError;
use dermake_files::table_file;
use dermake_sources::{Dataset, Image, ImageError, RowFault, caption_of};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A table of any form that [`Dataset`] knows, whose rows are whole. Copies share its rows.
#[derive(Clone)]
pub struct Table {
    pub path: PathBuf,
    data: Arc<Dataset>,
    /// The rows to score.
    rows: Vec<usize>,
    /// The only folder where the names of the images start, if one was named.
    images: Option<PathBuf>,
}

impl Table {
    /// Reads a table. What was not read goes to the log.
    ///
    /// # Errors
    /// When the file cannot be read, or has no rows or one that is not whole.
    pub fn read(path: &Path) -> Result<Self> {
        let table = Self::of(unpacked(path)?)?;
        table.log_notes();
        Ok(table)
    }

    /// The content of a file; `path` is where it came from.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let table = Self::of(Dataset::of_bytes(bytes, path)?)?;
        table.log_notes();
        Ok(table)
    }

    /// As [`Self::read`]; columns of classes are one column `label`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_labeled(path: &Path) -> Result<Self> {
        let table = Self::of_labeled(unpacked(path)?)?;
        table.log_notes();
        Ok(table)
    }

    /// As [`Self::read`], or [`Self::read_labeled`], of data whose notes are in the log already.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_again(path: &Path, is_labeled: bool) -> Result<Self> {
        let data = unpacked(path)?;
        if is_labeled { Self::of_labeled(data) } else { Self::of(data) }
    }

    fn log_notes(&self) {
        for note in self.data.notes() {
            tracing::warn!("{note}");
        }
    }

    fn of_labeled(mut data: Dataset) -> Result<Self> {
        data.join_class_columns();
        Self::of(data)
    }

    /// The rows of a data set.
    ///
    /// # Errors
    /// The first row that is not whole.
    fn of(data: Dataset) -> Result<Self> {
        let is_whole = |fault: &RowFault| matches!(fault, RowFault::NotUtf8 { .. });
        if let Some(problem) = data.problems().iter().find(|problem| !is_whole(&problem.fault)) {
            bail!("{}: {}", data.origin(problem.row), problem.fault);
        }
        let rows = (0..data.len()).collect();
        Ok(Self { path: data.path().into(), data: Arc::new(data), rows, images: None })
    }

    /// The table with these rows to score.
    pub fn with_rows(self, rows: Vec<usize>) -> Self {
        Self { rows, ..self }
    }

    /// The table with the folder where the names of its images start.
    pub fn with_images(self, images: Option<PathBuf>) -> Self {
        Self { images, ..self }
    }

    /// The rows to score: all, unless others were chosen.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Rows of the table, scored or not.
    pub fn n_rows(&self) -> usize {
        self.data.len()
    }

    pub fn header(&self) -> &[String] {
        self.data.columns()
    }

    /// The first of these columns that is there: of this very name, or of another case.
    pub fn find_column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| table_file::find_column(self.header(), name))
    }

    /// # Errors
    /// When none of these columns is there, or it has a cell that is not UTF-8.
    pub fn column(&self, names: &[&str]) -> Result<usize> {
        let column = self.find_column(names).with_context(|| {
            let (expected, found) = (names.join(" or "), self.header().join(", "));
            format!("the table lacks the column {expected}; it has {found}: {}", self.path.display())
        })?;
        let is_bad = |fault: &RowFault| matches!(fault, RowFault::NotUtf8 { column: bad } if *bad == column);
        if let Some(problem) = self.data.problems().iter().find(|problem| is_bad(&problem.fault)) {
            bail!(
                "row {} has a {} that is not UTF-8; save the table again as UTF-8: {}",
                problem.row + 1,
                self.header()[column],
                self.path.display()
            );
        }
        Ok(column)
    }

    /// The column of the image's file name: the one that a benchmark names, or one of the usual ones. `None` if the images
    /// are known without a column.
    ///
    /// # Errors
    /// As [`Self::column`].
    pub fn image_column(&self, named: Option<&str>) -> Result<Option<usize>> {
        if self.data.knows_images() {
            return Ok(None);
        }
        if let Some(name) = named {
            return self.column(&[name]).map(Some);
        }
        if self.find_column(&table_file::IMAGE_COLUMNS).is_none() {
            bail!(
                "no column is known to name the images; call it {} (image_column names another in benchmarks.toml); there \
                 are {}: {}",
                table_file::IMAGE_COLUMNS[0],
                self.header().join(", "),
                self.path.display()
            );
        }
        self.column(&table_file::IMAGE_COLUMNS).map(Some)
    }

    /// Returns a cell without surrounding white space; empty if the row is short.
    ///
    /// # Panics
    /// When there is no row of this number.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.data.cell(row, column).trim()
    }

    /// The caption in a cell without surrounding white space; of a list of captions, the first.
    ///
    /// # Panics
    /// When there is no row of this number.
    pub fn caption(&self, row: usize, column: usize) -> String {
        caption_of(self.cell(row, column)).trim().to_owned()
    }

    /// Says how many rows have several captions in a column.
    pub fn several_captions_note(&self, column: usize) -> Option<String> {
        self.data.several_captions_note(column)
    }

    /// Returns the images of some rows, by the names in a column below the one of the `roots` that has most of the first
    /// images; a folder of [`Self::with_images`] replaces them.
    ///
    /// # Errors
    /// When a name fits several files. What is missing is named as written; a row without a name has an empty path.
    pub fn images(&self, column: Option<usize>, rows: &[usize], roots: &[PathBuf]) -> Result<Vec<ImageFile>> {
        let roots = self.images.as_ref().map_or(roots, std::slice::from_ref);
        let images = self.data.images(column, Some(roots));
        let image = |&row: &usize| {
            let path = match images.get(row) {
                Ok(Image::File(path))
                | Err(ImageError::Find(FindError::Missing { path } | FindError::Folder { path })) => path,
                Ok(packed) => {
                    bail!("{}: the image is inside another file: {}", self.data.origin(row), packed.name())
                }
                Err(ImageError::Unnamed) => {
                    let name = self.data.origin(row).to_string();
                    return Ok(ImageFile { name, path: PathBuf::new() });
                }
                Err(err) => return Err(err).with_context(|| format!("row {} of {}", row + 1, self.path.display())),
            };
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            Ok(ImageFile { name: absolute.to_string_lossy().into_owned(), path })
        };
        rows.iter().map(image).collect()
    }
}

/// The data of a path, with images as files.
fn unpacked(path: &Path) -> Result<Dataset> {
    let mut data = Dataset::read(path)?;
    data.unpack(None)?;
    Ok(data)
}

#[cfg(test)]
mod tests;
