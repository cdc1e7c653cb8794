//! Tables with a label for each image.

use super::benchmarks::image_roots;
use super::label_cells::{LabelCells, Numbers};
use super::table::Table;
use anyhow::{Result, bail};
use dermake_features::ImageFile;
use dermake_sources::columns::{LABEL_COLUMN, LABEL_COLUMNS};
use shared_model::labels::{LabelSet, spelling_key};
use std::collections::HashMap;
use std::path::Path;

/// Images with their labels.
pub struct LabeledImages {
    pub files: Vec<ImageFile>,
    /// Places in the class list.
    pub labels: Vec<usize>,
    /// What may be wrong with them, in words.
    pub doubts: Vec<String>,
}

/// Where a table has its labels and its images; without an image column, in one that is named as such.
pub struct Columns<'a> {
    pub label: &'a str,
    pub image: Option<&'a str>,
}

impl LabeledImages {
    /// All rows of a table below `data`. Doubts go to the log, too.
    ///
    /// # Errors
    /// When the table cannot be read, or the first row whose label is not of the class list.
    pub fn read(table: &Path, class_list: &LabelSet, data: &Path) -> Result<Self> {
        let table = Table::read_labeled(table)?;
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let columns = Columns { label: LABEL_COLUMN, image: None };
        let images = Self::of_rows(&table, &rows, &columns, class_list, data)?;
        for doubt in &images.doubts {
            tracing::warn!("{doubt}: {}", table.path.display());
        }
        Ok(images)
    }

    /// Some rows of a table below `data`.
    ///
    /// # Errors
    /// When a column is not there, or the labels that are not of the class list.
    pub fn of_rows(
        table: &Table,
        rows: &[usize],
        columns: &Columns<'_>,
        class_list: &LabelSet,
        data: &Path,
    ) -> Result<Self> {
        let labels = labels_of(table, columns.label, class_list, rows)?;
        let files = table.images(table.image_column(columns.image)?, rows, &image_roots(&table.path, data))?;
        let doubts = [
            repeated_images(&files, |row| labels[row]),
            counts_from_one(table, columns.label, rows, &labels, class_list),
        ];
        Ok(Self { files, doubts: doubts.into_iter().flatten().collect(), labels })
    }
}

/// Labels of some rows by the class list: an integer in its order, or a name in any case.
///
/// # Errors
/// The labels that are neither, with the rows that have them.
fn labels_of(table: &Table, column: &str, class_list: &LabelSet, rows: &[usize]) -> Result<Vec<usize>> {
    let column = label_column(table, column, &class_list.class_names)?;
    labels_in(table, column, rows, &LabelCells::new(&class_list.class_names, Numbers::Names))
}

/// As [`labels_of`], from the column of this place.
///
/// # Errors
/// As [`labels_of`].
pub fn labels_in(table: &Table, column: usize, rows: &[usize], cells: &LabelCells<'_>) -> Result<Vec<usize>> {
    let found: Vec<Option<usize>> = rows.iter().map(|&row| cells.class_of(table.cell(row, column))).collect();
    let unknown: Vec<usize> =
        rows.iter().zip(&found).filter(|(_, class)| class.is_none()).map(|(&row, _)| row).collect();
    if !unknown.is_empty() {
        bail!("{}: {}", unknown_labels(table, column, &unknown, cells), table.path.display());
    }
    Ok(found.into_iter().flatten().collect())
}

/// As [`labels_of`]; `None` for a name that is not of the class list.
///
/// # Errors
/// Numbers that are no places in the class list, with the rows that have them, where numbers are such places.
pub fn known_labels(
    table: &Table,
    column: usize,
    class_list: &LabelSet,
    rows: &[usize],
) -> Result<Vec<Option<usize>>> {
    let cells = LabelCells::new(&class_list.class_names, Numbers::Names);
    let found: Vec<Option<usize>> = rows.iter().map(|&row| cells.class_of(table.cell(row, column))).collect();
    let is_number = |row: usize| table.cell(row, column).trim().parse().is_ok_and(|number: f64| !number.is_nan());
    let is_unknown = |(&row, class): (&usize, &Option<usize>)| (class.is_none() && is_number(row)).then_some(row);
    let unknown: Vec<usize> = rows.iter().zip(&found).filter_map(is_unknown).collect();
    if cells.integers_are_places() && !unknown.is_empty() {
        bail!("{}: {}", unknown_labels(table, column, &unknown, &cells), table.path.display());
    }
    Ok(found)
}

/// The column of the label.
///
/// # Errors
/// As [`Table::column`]; where it is missing, with what the table has instead.
pub fn label_column(table: &Table, name: &str, class_names: &[String]) -> Result<usize> {
    if table.find_column(&[name]).is_some() {
        return table.column(&[name]);
    }
    let of_classes = |column: &&String| class_names.iter().any(|class| spelling_key(class) == spelling_key(column));
    let one_hot: Vec<&str> = table.header().iter().filter(of_classes).map(String::as_str).collect();
    let hint = match table.find_column(&LABEL_COLUMNS) {
        _ if one_hot.len() > 1 => {
            format!(
                "; a column for each class ({}) is read if each cell is 0 or 1, label_column is not given, and there is \
                 no other column of labels or captions",
                one_hot.join(", ")
            )
        }
        Some(other) => format!("; {} may be it", table.header()[other]),
        None => String::new(),
    };
    bail!(
        "the table lacks the column {name}; label_column in benchmarks.toml names another{hint}; there are {}: {}",
        table.header().join(", "),
        table.path.display()
    )
}

/// Which images occur more than once, in words; `label` is that of a place among the files.
pub fn repeated_images<T: PartialEq>(files: &[ImageFile], label: impl Fn(usize) -> T) -> Option<String> {
    let mut rows_of: HashMap<&Path, Vec<usize>> = HashMap::new();
    for (row, file) in files.iter().enumerate().filter(|(_, file)| !file.path.as_os_str().is_empty()) {
        rows_of.entry(&file.path).or_default().push(row);
    }
    let repeated: Vec<&Vec<usize>> = rows_of.values().filter(|rows| rows.len() > 1).collect();
    let first = repeated.iter().map(|rows| rows[0]).min()?;
    let differ = |rows: &&&Vec<usize>| rows.iter().any(|&row| label(row) != label(rows[0]));
    let n_different = repeated.iter().filter(differ).count();
    let (n_images, name) = (repeated.len(), files[first].path.display());
    Some(format!(
        "images that occur in more than one row: {n_images}, {n_different} of them with different labels; the first is \
         {name}"
    ))
}

/// Returns a warning if labels seem to count from 1: all are integers that are no names, and only the first class has no
/// image.
pub fn counts_from_one(
    table: &Table,
    column: &str,
    rows: &[usize],
    labels: &[usize],
    class_list: &LabelSet,
) -> Option<String> {
    let n_classes = class_list.class_names.len();
    let column = table.find_column(&[column])?;
    let is_integer =
        |&row: &usize| table.cell(row, column).parse::<f64>().is_ok_and(|number| number.fract() == 0.0);
    let has = |class: usize| labels.contains(&class);
    let are_places = LabelCells::new(&class_list.class_names, Numbers::Names).integers_are_places();
    let looks_so = n_classes > 2 && !has(0) && (1..n_classes).all(has) && rows.iter().all(is_integer);
    (looks_so && are_places)
        .then(|| "no image has label 0; do the labels count from 1? Integers count from 0".to_string())
}

/// Which labels are not of the class list, in words.
fn unknown_labels(table: &Table, column: usize, rows: &[usize], cells: &LabelCells<'_>) -> String {
    /// Labels that are named.
    const MAX_NAMED: usize = 5;
    let mut first_rows: Vec<(&str, usize)> = Vec::new();
    for &row in rows {
        let cell = table.cell(row, column);
        if first_rows.len() <= MAX_NAMED && first_rows.iter().all(|(known, _)| *known != cell) {
            first_rows.push((cell, row + 1));
        }
    }
    let name = &table.header()[column];
    let named: Vec<String> =
        first_rows.iter().take(MAX_NAMED).map(|(cell, row)| format!("row {row} has {name} {cell:?}")).collect();
    let more = if first_rows.len() > MAX_NAMED { ", …" } else { "" };
    let may_count_from_one = cells.integers_are_places() && first_rows.len() == 1;
    let is_number_of_classes = || first_rows[0].0.parse() == Ok(cells.n_classes());
    let from_one = if may_count_from_one && is_number_of_classes() { "; integers count from 0" } else { "" };
    format!("{}{more} ({} rows in all), expected {}{from_one}", named.join(", "), rows.len(), cells.expected())
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
    fn where_classes_are_called_by_numbers_labels_are_no_places() {
        let classes = LabelSet::from_class_names(["1", "2", "3"].map(String::from).into()).unwrap();
        let labels = |cells: &str| {
            let table = Table::from_bytes(format!("label\n{cells}\n").as_bytes(), Path::new("t.csv")).unwrap();
            let rows: Vec<usize> = (0..table.n_rows()).collect();
            let labels = labels_of(&table, "label", &classes, &rows)?;
            anyhow::Ok((counts_from_one(&table, "label", &rows, &labels, &classes), labels))
        };
        assert_eq!(labels("1.0\n2\n3.00").unwrap(), (None, vec![0, 1, 2]));
        assert_eq!(labels("2\n3").unwrap(), (None, vec![1, 2]), "they need not begin with the first");
        let message = labels("3\n4").unwrap_err().to_string();
        assert!(message.contains("row 2 has label \"4\" (1 rows in all), expected a number of"), "{message}");
        assert!(!message.contains("count from 0"), "{message}");
    }

    #[test]
    fn a_table_without_its_label_column_is_told_what_may_be_it() {
        let names = ["Acne", "Nevus"].map(String::from);
        let message = |header: &str| {
            let row = vec!["a"; header.split(',').count()].join(",");
            let table = Table::from_bytes(format!("{header}\n{row}\n").as_bytes(), Path::new("t.csv")).unwrap();
            label_column(&table, "label", &names).map_err(|err| err.to_string())
        };
        assert_eq!(message("filename,LABEL"), Ok(1));
        for (header, expected) in [
            ("filename,Diagnosis", "label_column in benchmarks.toml names another; Diagnosis may be it; there are"),
            ("filename,diagnosis_name", "names another; diagnosis_name may be it; there are"),
            ("image,acne,nevus", "a column for each class (acne, nevus) is read if each cell is 0 or 1"),
            ("filename,acne", "benchmarks.toml names another; there are filename, acne: t.csv"),
        ] {
            let message = message(header).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn repeated_images_and_labels_from_one_are_named() {
        let files = |names: &[&str]| -> Vec<ImageFile> {
            names.iter().map(|name| ImageFile { name: name.to_string(), path: name.into() }).collect()
        };
        let labels = [0, 1, 0, 0, 1];
        let found = repeated_images(&files(&["a", "b", "b", "a", "c"]), |row| labels[row]).unwrap();
        assert!(found.contains("more than one row: 2, 1 of them with different labels; the first is a"), "{found}");
        assert_eq!(repeated_images(&files(&["a", "b", "c"]), |row| labels[row]), None);

        let from_one = |cells: &str| {
            let table = Table::from_bytes(format!("label\n{cells}\n").as_bytes(), Path::new("t.csv")).unwrap();
            let classes = LabelSet::from_class_names(["x", "y", "z"].map(String::from).into()).unwrap();
            let rows: Vec<usize> = (0..table.n_rows()).collect();
            let labels = labels_of(&table, "label", &classes, &rows).unwrap();
            counts_from_one(&table, "label", &rows, &labels, &classes)
        };
        assert!(from_one("1\n2\n1").unwrap().contains("do the labels count from 1?"));
        for cells in ["0\n1\n2", "y\nz", "2\n2"] {
            assert_eq!(from_one(cells), None, "{cells:?}");
        }
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
