//! Tables that say what is on each image.

use super::benchmarks::image_roots;
use super::table::Table;
use crate::features::ImageFile;
use anyhow::{Result, bail};
use shared_model::labels::{LabelSet, spelling_key};
use std::collections::HashMap;
use std::path::Path;

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
        let files = table.images(table.image_column(None)?, &rows, &image_roots(&table.path, data))?;
        Ok(Self { files, labels })
    }
}

/// Labels of some rows by the class list: an integer in its order, or a name in any case.
///
/// # Errors
/// The labels that are neither, with the rows that have them.
pub fn labels_of(table: &Table, column: &str, class_list: &LabelSet, rows: &[usize]) -> Result<Vec<usize>> {
    let column = table.column(&[column])?;
    let names = &class_list.class_names;
    let exact: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    let by_key: HashMap<String, usize> = names.iter().map(|name| spelling_key(name)).zip(0..).collect();
    let class_of = |cell: &str| {
        let number = || cell.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && *number >= 0.0);
        let by_number = || number().map(|number| number as usize).filter(|&class| class < names.len());
        exact.get(cell).copied().or_else(by_number).or_else(|| by_key.get(&spelling_key(cell)).copied())
    };
    let found: Vec<Option<usize>> = rows.iter().map(|&row| class_of(table.cell(row, column))).collect();
    let unknown: Vec<usize> =
        rows.iter().zip(&found).filter(|(_, class)| class.is_none()).map(|(&row, _)| row).collect();
    if !unknown.is_empty() {
        bail!("{}: {}", unknown_labels(table, column, &unknown, names.len()), table.path.display());
    }
    Ok(found.into_iter().flatten().collect())
}

/// Which labels are not of the class list, in words.
fn unknown_labels(table: &Table, column: usize, rows: &[usize], n_classes: usize) -> String {
    /// Labels that are named.
    const MAX_NAMED: usize = 5;
    let mut first_rows: Vec<(&str, usize)> = Vec::new();
    for &row in rows {
        let cell = table.cell(row, column);
        if first_rows.len() <= MAX_NAMED && first_rows.iter().all(|(known, _)| *known != cell) {
            first_rows.push((cell, row + 1));
        }
    }
    let named: Vec<String> =
        first_rows.iter().take(MAX_NAMED).map(|(cell, row)| format!("row {row} has label {cell:?}")).collect();
    let more = if first_rows.len() > MAX_NAMED { ", …" } else { "" };
    let from_one = if first_rows.len() == 1 && first_rows[0].0.parse() == Ok(n_classes) {
        "; integers count from 0"
    } else {
        ""
    };
    format!(
        "{}{more} ({} rows in all), expected an integer below {n_classes} or a name of the class list{from_one}",
        named.join(", "),
        rows.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(cells: &str) -> Result<Vec<usize>> {
        let table = Table::from_bytes(format!("label\n{cells}\n").as_bytes(), Path::new("t.csv")).unwrap();
        let classes =
            LabelSet::from_class_names(["Acne", "Sj\u{f6}gren", "SJS/TEN"].map(String::from).into()).unwrap();
        labels_of(&table, "label", &classes, &(0..table.n_rows()).collect::<Vec<_>>())
    }

    #[test]
    fn labels_are_numbers_or_names_in_any_spelling() {
        assert_eq!(labels("0\n1.0\n2\nacne\nSJO\u{308}GREN\n sjs/ten").unwrap(), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn labels_that_are_not_of_the_class_list_are_all_named() {
        let message = labels("0\nnevus\n7\nnevus\n-1").unwrap_err().to_string();
        for expected in
            ["row 2 has label \"nevus\", row 3 has label \"7\", row 5 has label \"-1\"", "4 rows in all", "below 3"]
        {
            assert!(message.contains(expected), "{message}");
        }
        assert!(labels("1\n2\n3").unwrap_err().to_string().contains("count from 0"));
        assert!(labels("1\n\"\"\n").is_ok(), "an empty row is left out");
    }
}
