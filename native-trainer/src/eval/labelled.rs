//! Tables that say what is on each image.

use super::benchmarks::image_roots;
use super::table::Table;
use crate::features::ImageFile;
use anyhow::{Context, Result};
use shared_model::labels::LabelSet;
use std::path::Path;

/// The columns that tables give the image's name.
pub const IMAGE_COLUMNS: [&str; 2] = ["filename", "image_path"];
/// The column of the label, unless a benchmark says otherwise.
const LABEL_COLUMN: &str = "label";

/// Images with their labels.
pub struct LabelledImages {
    pub files: Vec<ImageFile>,
    /// Places in the class list.
    pub labels: Vec<usize>,
}

impl LabelledImages {
    /// All rows of a table below `data`.
    ///
    /// # Errors
    /// When the table cannot be read, or the first row whose label is not of the class list.
    pub fn read(table: &Path, class_list: &LabelSet, data: &Path) -> Result<Self> {
        let table = Table::read(table)?;
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let labels = labels_of(&table, LABEL_COLUMN, class_list, &rows)?;
        let files = table.images(table.column(&IMAGE_COLUMNS)?, &rows, &image_roots(&table.path, data));
        Ok(Self { files, labels })
    }
}

/// Labels of some rows by the class list: an integer in its order, or a name.
///
/// # Errors
/// The first row whose label is neither.
pub fn labels_of(table: &Table, column: &str, class_list: &LabelSet, rows: &[usize]) -> Result<Vec<usize>> {
    let column = table.column(&[column])?;
    let names = &class_list.class_names;
    let label = |&row: &usize| {
        let cell = table.cell(row, column);
        let by_name = || names.iter().position(|name| name == cell);
        let by_number = || {
            let number = cell.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && *number >= 0.0);
            number.map(|number| number as usize)
        };
        let in_other_case = || names.iter().position(|name| name.eq_ignore_ascii_case(cell));
        let found = by_name().or_else(by_number).or_else(in_other_case);
        found.filter(|&class| class < names.len()).with_context(|| {
            format!(
                "row {} has label {cell:?}, expected an integer below {} or a name of the class list: {}",
                row + 1,
                names.len(),
                table.path.display()
            )
        })
    };
    rows.iter().map(label).collect()
}
