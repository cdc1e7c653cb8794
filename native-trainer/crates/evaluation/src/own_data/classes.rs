//! Which rows of a column have a label, and which classes the labels name.

use crate::label_cells::{LabelCells, Numbers};
use crate::results::UnreadableImage;
use crate::short_names;
use anyhow::{Result, bail};
use dermake_files::missing::missing_word;
use dermake_sources::{Dataset, Form};
use shared_model::labels::spelling_key;
use std::collections::BTreeMap;

/// Share of distinct labels among the rows above which the column is probably something else.
const MANY_LABELS: f64 = 0.5;
/// Rows from which this is looked at.
const MIN_ROWS: usize = 20;

/// The rows with a label, and those without one. A word for a missing value is a label where a class has this name.
pub fn by_presence(
    data: &Dataset,
    rows: &[usize],
    column: usize,
    known: Option<&[String]>,
) -> (Vec<usize>, Vec<usize>) {
    let known = known.map(|names| LabelCells::new(names, Numbers::Names));
    let is_class = |cell: &str| {
        // The name of a folder is what its owner calls the class.
        data.form() == Form::ClassFolders || known.as_ref().is_some_and(|known| known.class_of(cell).is_some())
    };
    rows.iter().partition(|&&row| {
        let cell = data.cell(row, column).trim();
        !cell.is_empty() && (missing_word(cell).is_none() || is_class(cell))
    })
}

/// A row that is not scored since it has no label.
pub fn without_label(data: &Dataset, row: usize, column: usize) -> UnreadableImage {
    let name = &data.columns()[column];
    let problem = match missing_word(data.cell(row, column).trim()) {
        Some(word) => format!(
            "its {name} is {word}, which counts as none; if {word} is the name of a class, name all classes with --labels"
        ),
        None => data.label_problem(row, column).unwrap_or_else(|| format!("it has no {name}")),
    };
    UnreadableImage { row: row + 1, file: data.origin(row).to_string(), problem }
}

/// The classes that labels name, in alphabetical order; spellings of one label are one class, and short names
/// are written in full.
pub fn distinct(data: &Dataset, rows: &[usize], column: usize) -> Result<Vec<String>> {
    let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for &row in rows {
        let label = data.cell(row, column).trim();
        let found = spellings.entry(spelling_key(label)).or_default();
        if !found.contains(&label) {
            found.push(label);
        }
    }
    let name = &data.columns()[column];
    if spellings.len() > 1 && spellings.keys().all(|label| label.parse::<f64>().is_ok()) {
        bail!(
            "the column {name} has numbers ({}), which say nothing to the model; name the classes in the order of their \
             numbers, which count from 0: --labels \"acne, rosacea, …\", --labels classes.txt, or a built-in set such \
             as --labels pad: {}",
            spellings.values().take(5).map(|found| found[0]).collect::<Vec<_>>().join(", "),
            data.path().display()
        );
    }
    if rows.len() >= MIN_ROWS && spellings.len() as f64 > MANY_LABELS * rows.len() as f64 {
        bail!(
            "the column {name} has {} different texts in {} rows, which is more than classes would be; --label-column \
             names another column, --labels the classes ({}): {}",
            spellings.len(),
            rows.len(),
            data.columns().join(", "),
            data.path().display()
        );
    }
    for found in spellings.values().filter(|found| found.len() > 1) {
        tracing::warn!("these spellings count as one class: {}", found.join(", "));
    }
    Ok(short_names::in_full(&spellings.values().map(|found| found[0].to_owned()).collect::<Vec<_>>()))
}
