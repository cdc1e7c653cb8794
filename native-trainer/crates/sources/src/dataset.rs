//! A data set in memory: texts by row and column, where each row came from, and what is wrong with it.

use crate::Result;
use crate::builder::{Builder, Place};
use crate::cells::Cells;
use crate::class_columns::ClassColumns;
use crate::columns::{self, CAPTION_COLUMNS, LABEL_COLUMN, LABEL_COLUMNS};
use crate::error::SourceError;
use crate::form::Form;
use crate::image::Image;
use crate::origin::Origin;
use crate::problem::RowProblem;
use dermake_files::table_file::find_column;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Rows of texts, with an image each.
pub struct Dataset {
    path: PathBuf,
    form: Form,
    files: Vec<PathBuf>,
    columns: Vec<String>,
    cells: Cells,
    places: Vec<Place>,
    images: Vec<Option<Image>>,
    problems: Vec<RowProblem>,
    notes: Vec<String>,
    class_names: HashMap<usize, Vec<String>>,
    /// Columns of classes, with the place of the column of labels that they are read as.
    class_columns: Option<(usize, ClassColumns)>,
}

impl Dataset {
    /// Makes a data set of what a builder has collected.
    pub(crate) fn of(path: &Path, form: Form, builder: Builder) -> Result<Self> {
        let Builder { files, columns, mut cells, places, mut images, problems, notes, class_names, .. } = builder;
        if places.is_empty() {
            return Err(SourceError::NoRows { path: path.into() });
        }
        cells.shrink_to_fit();
        if !images.is_empty() {
            images.resize(places.len(), None);
        }
        Ok(Self {
            path: path.into(),
            form,
            files,
            columns,
            cells,
            places,
            images,
            problems,
            notes,
            class_names,
            class_columns: None,
        })
    }

    /// The path that was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The form that was recognized.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Names of the columns, without the white space around them.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The text of a cell as it is written; empty if it is missing.
    ///
    /// # Panics
    /// When there is no row of this number.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        match &self.class_columns {
            Some((label, classes)) if *label == column => classes.cell(row),
            _ => self.cells.get(row, column),
        }
    }

    /// Adds the column `label` if the labels are a column for each class, with 1 where an image shows it. Data with a column
    /// of labels or captions stay as they are.
    pub fn join_class_columns(&mut self) {
        if self.class_columns.is_some() || self.label_column(None).is_ok() || self.caption_column(None).is_ok() {
            return;
        }
        if let Some(classes) = ClassColumns::find(&self.cells, &self.columns, self.len()) {
            let label = self.columns.len();
            self.columns.push(LABEL_COLUMN.into());
            self.class_names.insert(label, classes.names().to_vec());
            self.class_columns = Some((label, classes));
        }
    }

    /// Whether there is a column of labels, or a column for each class.
    pub fn has_labels(&self) -> bool {
        self.label_column(None).is_ok() || ClassColumns::find(&self.cells, &self.columns, self.len()).is_some()
    }

    fn classes_of(&self, column: usize) -> Option<&ClassColumns> {
        self.class_columns.as_ref().filter(|(label, _)| *label == column).map(|(_, classes)| classes)
    }

    /// Says which columns of classes are read as this column of labels, if it is no column of the file.
    pub fn class_columns_description(&self, column: usize) -> Option<String> {
        self.classes_of(column).map(ClassColumns::description)
    }

    /// What is wrong with a row that has no class, or several, in the columns of classes read as this column.
    pub fn label_problem(&self, row: usize, column: usize) -> Option<String> {
        self.classes_of(column)?.problem(&self.cells, row)
    }

    /// Where a row came from.
    ///
    /// # Panics
    /// When there is no row of this number.
    pub fn origin(&self, row: usize) -> Origin<'_> {
        let Place { file, row, line } = self.places[row];
        let row = (!matches!(self.form, Form::ClassFolders | Form::Pictures)).then_some(row);
        Origin { file: &self.files[file], row, line: (line > 0).then_some(line) }
    }

    /// What is wrong with single rows, in their order.
    pub fn problems(&self) -> &[RowProblem] {
        &self.problems
    }

    /// What was not read, in sentences: files that are not used, empty rows.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The column with this name, or with this name in another case.
    ///
    /// # Errors
    /// When there is none.
    pub fn column(&self, name: &str) -> Result<usize> {
        find_column(&self.columns, name).ok_or_else(|| SourceError::MissingColumn {
            name: name.into(),
            found: self.columns.clone(),
            path: self.path.clone(),
            notes: self.notes.clone(),
        })
    }

    /// The column of the images' names: the named one, or one that is usually named so. `None` if the images are known
    /// without it, as in a folder or an archive.
    ///
    /// # Errors
    /// When there is none.
    pub fn image_column(&self, named: Option<&str>) -> Result<Option<usize>> {
        match named {
            // A Parquet column of bytes is no column of texts.
            Some(_) if self.knows_images() => Ok(None),
            Some(name) => self.column(name).map(Some),
            None if self.knows_images() => Ok(columns::find_image(&self.columns)),
            None => {
                columns::find_image(&self.columns).map(Some).ok_or_else(|| self.unknown("image", "--image-column"))
            }
        }
    }

    /// The column of the labels: the named one, or one that is usually named so.
    ///
    /// # Errors
    /// When there is none.
    pub fn label_column(&self, named: Option<&str>) -> Result<usize> {
        self.usual_column(named, &LABEL_COLUMNS, "label", "--label-column")
    }

    /// The column of the captions: the named one, or one that is usually named so.
    ///
    /// # Errors
    /// When there is none.
    pub fn caption_column(&self, named: Option<&str>) -> Result<usize> {
        self.usual_column(named, &CAPTION_COLUMNS, "caption", "--caption-column")
    }

    fn usual_column(
        &self,
        named: Option<&str>,
        usual: &[&str],
        what: &'static str,
        option: &'static str,
    ) -> Result<usize> {
        match named {
            Some(name) => self.column(name),
            None => columns::find_usual(&self.columns, usual).ok_or_else(|| self.unknown(what, option)),
        }
    }

    fn unknown(&self, what: &'static str, option: &'static str) -> SourceError {
        let (found, path, notes) = (self.columns.clone(), self.path.clone(), self.notes.clone());
        SourceError::UnknownColumn { what, option, found, path, notes }
    }

    /// Class names in the order of their numbers, if the file has them for a column. The cells have the names then.
    pub fn class_names(&self, column: usize) -> Option<&[String]> {
        self.class_names.get(&column).map(Vec::as_slice)
    }

    /// Returns whether images are inside a file that holds several, so that [`Self::unpack`] has something to do.
    pub fn has_packed_images(&self) -> bool {
        self.images.iter().flatten().any(|image| image.path().is_none())
    }

    /// Says what was read: "312 images from the folders in data/own".
    pub fn description(&self) -> String {
        let noun = if self.len() == 1 { "row" } else { "rows" };
        let noun = if self.knows_images() { noun.replace("row", "image") } else { noun.into() };
        format!("{} {noun} from {}", self.len(), self.form.place(&self.path, self.files.len()))
    }

    /// Files that the rows came from; of a folder of images, the images.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    pub(crate) fn n_files(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn file(&self, file: usize) -> &Path {
        &self.files[file]
    }

    pub(crate) fn file_of(&self, row: usize) -> usize {
        self.places[row].file
    }

    /// The image of a row that is known without a column.
    pub fn known_image(&self, row: usize) -> Option<&Image> {
        self.images.get(row)?.as_ref()
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(crate) fn set_images(&mut self, images: Vec<Option<Image>>) {
        self.images = images;
    }

    /// Returns whether images are known without a column: those of a folder, an archive, or bytes in a Parquet file.
    pub fn knows_images(&self) -> bool {
        !self.images.is_empty()
    }
}
