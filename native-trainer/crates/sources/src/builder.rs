//! Collects rows of one or several files into a data set.

use crate::cells::Cells;
use crate::columns::SPLIT_COLUMN;
use crate::image::Image;
use crate::problem::{RowFault, RowProblem};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Place of a row in its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Index of the file.
    pub file: usize,
    /// Row of the file, from 1; 0 where the file is the row.
    pub row: usize,
    /// Line of the file, from 1; 0 where it has none.
    pub line: u64,
}

/// A data set that is being read.
#[derive(Default)]
pub(crate) struct Builder {
    pub files: Vec<PathBuf>,
    pub columns: Vec<String>,
    by_name: HashMap<String, usize>,
    pub cells: Cells,
    pub places: Vec<Place>,
    /// Images that are known from reading; empty if there are none.
    pub images: Vec<Option<Image>>,
    pub problems: Vec<RowProblem>,
    pub notes: Vec<String>,
    /// Names of classes by column, where the file says which number means which.
    pub class_names: HashMap<usize, Vec<String>>,
    /// Which part of the data the current file is.
    split: Option<&'static str>,
    n_rows_of_file: usize,
}

impl Builder {
    /// Starts a file. `split` is the part of the data that all its rows belong to.
    pub fn begin_file(&mut self, path: &Path, split: Option<&'static str>) {
        self.files.push(path.into());
        self.split = split;
        self.n_rows_of_file = 0;
    }

    /// The current file.
    pub fn path(&self) -> &Path {
        self.files.last().map_or(Path::new(""), PathBuf::as_path)
    }

    /// The column of this name; a new one if there is none.
    pub fn column(&mut self, name: &str) -> usize {
        if let Some(&column) = self.by_name.get(name) {
            return column;
        }
        self.columns.push(name.to_owned());
        self.by_name.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// The columns of a file's header. Two of one name stay two in the first file.
    pub fn header(&mut self, names: &[String]) -> Vec<usize> {
        if !self.columns.is_empty() {
            return names.iter().map(|name| self.column(name)).collect();
        }
        self.columns = names.to_vec();
        for (column, name) in names.iter().enumerate() {
            self.by_name.entry(name.clone()).or_insert(column);
        }
        (0..names.len()).collect()
    }

    /// Adds a row: texts with their columns, each column at most once. `line` is 0 where the file has no lines.
    pub fn push(&mut self, line: u64, texts: &[(usize, Cow<'_, str>)], image: Option<Image>) {
        let split = self.split.map(|split| (self.column(SPLIT_COLUMN), split));
        let mut row = vec![""; self.columns.len()];
        for (column, text) in texts {
            row[*column] = text;
        }
        if let Some((column, split)) = split
            && row[column].is_empty()
        {
            row[column] = split;
        }
        self.cells.push_row(row.into_iter());
        self.n_rows_of_file += 1;
        self.places.push(Place { file: self.files.len() - 1, row: self.n_rows_of_file, line });
        if image.is_some() || !self.images.is_empty() {
            self.images.resize(self.places.len() - 1, None);
            self.images.push(image);
        }
    }

    /// Number of rows until now: the index of the next one.
    pub fn n_rows(&self) -> usize {
        self.places.len()
    }

    /// Number of rows of the current file.
    pub fn n_rows_of_file(&self) -> usize {
        self.n_rows_of_file
    }

    /// Adds a problem of the next row.
    pub fn problem(&mut self, fault: RowFault) {
        self.problems.push(RowProblem { row: self.n_rows(), fault });
    }
}
