//! Reads a table of predictions. What cannot be a prediction is an error with its row and column; what may not be meant
//! is a doubt.

use super::columns::Columns;
use super::{Prediction, Predictions};
use crate::label_cells::{LabelCells, Numbers};
use crate::labeled::labels_in;
use crate::table::Table;
use anyhow::{Context, Result, bail};
use dermake_metrics::first_largest;
use shared_model::labels::LabelSet;
use std::collections::HashMap;
use std::path::Path;

/// How far from 1 the sum of a row may be: outputs of half precision over many classes are this far.
const SUM_TOLERANCE: f64 = 0.01;
/// How far outside of 0 to 1 rounding may put a probability.
const ROUNDING: f64 = 1e-6;

/// Predictions with what may be wrong with them, in words.
pub struct ReadPredictions {
    pub predictions: Predictions,
    /// Of other columns, such as skin tone.
    pub table: Table,
    pub doubts: Vec<String>,
}

/// Reads a file of predictions. Without a class list, classes are called by their numbers.
///
/// # Errors
/// Names the file, row and column of what cannot be a prediction.
pub fn read(path: &Path, class_list: Option<&LabelSet>) -> Result<ReadPredictions> {
    from_table(Table::read(path)?, class_list)
}

/// As [`read`], of a table that was read.
///
/// # Errors
/// As [`read`].
pub fn from_table(table: Table, class_list: Option<&LabelSet>) -> Result<ReadPredictions> {
    let columns = Columns::of(&table, class_list.map(|list| list.class_names.as_slice()))?;
    let n_classes = columns.probabilities.len();
    if let Some(list) = class_list.filter(|list| list.class_names.len() != n_classes) {
        bail!(
            "the table has probabilities of {n_classes} classes, the class list has {} names: {}",
            list.class_names.len(),
            table.path.display()
        );
    }
    if n_classes < 2 {
        bail!("the table has probabilities of {n_classes} class, expected two or more: {}", table.path.display());
    }
    let class_list = match class_list {
        Some(list) => list.clone(),
        None => LabelSet::from_class_names((0..n_classes).map(|class| format!("class {class}")).collect())?,
    };
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    let classes_in = |column: usize| {
        labels_in(&table, column, &rows, &LabelCells::new(&class_list.class_names, Numbers::Places))
    };
    let labels = classes_in(columns.true_label)?;
    let predicted = columns.predicted_label.map(classes_in).transpose()?;
    let mut predictions = Vec::with_capacity(rows.len());
    for row in rows {
        let in_row = || format!("row {} of {}", row + 1, table.path.display());
        let probabilities = probabilities(&table, row, &columns.probabilities).with_context(in_row)?;
        let likeliest = first_largest(&probabilities);
        let image = table.cell(row, columns.image);
        if image.is_empty() {
            bail!("the row names no image ({}): {}", table.header()[columns.image], in_row());
        }
        predictions.push(Prediction {
            row: row + 1,
            image: image.into(),
            sha256: columns
                .sha256
                .map(|column| sha256(&table, row, column))
                .transpose()
                .with_context(in_row)?
                .flatten(),
            label: labels[row],
            predicted: predicted.as_ref().map_or(likeliest, |predicted| predicted[row]),
            probabilities,
        });
    }
    let doubts = [repeated(&predictions), not_likeliest(&predictions)].into_iter().flatten().collect();
    let predictions = Predictions { class_names: class_list.class_names, rows: predictions };
    Ok(ReadPredictions { predictions, table, doubts })
}

fn probabilities(table: &Table, row: usize, columns: &[usize]) -> Result<Vec<f64>> {
    let mut probabilities = Vec::with_capacity(columns.len());
    for &column in columns {
        let cell = table.cell(row, column);
        let is_probability = |value: &f64| (-ROUNDING..=1.0 + ROUNDING).contains(value);
        let Some(probability) = number(cell).filter(is_probability) else {
            bail!("{} is {cell:?}, expected a probability from 0 to 1", table.header()[column]);
        };
        probabilities.push(probability.clamp(0.0, 1.0));
    }
    let sum: f64 = probabilities.iter().sum();
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        bail!("the probabilities of the row sum to {sum:.4}, expected 1; write the softmax over all classes");
    }
    Ok(probabilities)
}

/// A number, also with the decimal comma of spreadsheets whose cells are separated by semicolons.
fn number(cell: &str) -> Option<f64> {
    let with_point = || cell.replacen(',', ".", 1);
    cell.parse().ok().or_else(|| with_point().parse().ok())
}

/// The hash in a cell; `None` if the cell is empty.
fn sha256(table: &Table, row: usize, column: usize) -> Result<Option<String>> {
    let cell = table.cell(row, column);
    let is_hash = cell.len() == 64 && cell.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hash && !cell.is_empty() {
        bail!("{} is {cell:?}, expected 64 hexadecimal digits", table.header()[column]);
    }
    Ok(is_hash.then(|| cell.to_lowercase()))
}

/// Names images that have more than one row.
fn repeated(rows: &[Prediction]) -> Option<String> {
    let mut first_rows: HashMap<&str, usize> = HashMap::new();
    let mut found: Vec<(&str, usize, usize)> = Vec::new();
    for prediction in rows {
        match first_rows.get(prediction.image.as_str()) {
            Some(&first) => found.push((&prediction.image, first, prediction.row)),
            None => {
                first_rows.insert(&prediction.image, prediction.row);
            }
        }
    }
    let &(image, first, second) = found.first()?;
    let rows = if found.len() == 1 { "row repeats" } else { "rows repeat" };
    Some(format!(
        "{} {rows} an image of an earlier row; all of them count; the first is row {second}, as row {first}: {image}",
        found.len()
    ))
}

/// Counts the rows whose predicted label is not the likeliest one.
fn not_likeliest(rows: &[Prediction]) -> Option<String> {
    let is_other = |row: &&Prediction| {
        let best = row.probabilities[first_largest(&row.probabilities)];
        row.probabilities[row.predicted] < best
    };
    let first = rows.iter().find(is_other)?;
    let n = rows.iter().filter(is_other).count();
    Some(format!(
        "in {n} of {} rows the predicted label is not the likeliest class, which counts as it is written; the first is \
         row {}",
        rows.len(),
        first.row
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(text: &str) -> Result<ReadPredictions> {
        from_table(Table::from_bytes(text.as_bytes(), Path::new("p.csv")).unwrap(), None)
    }

    const HEADER: &str = "image_path,true_label,predicted_label,probability_class_0,probability_class_1";

    #[test]
    fn a_row_is_an_image_with_its_answers() {
        let read =
            predictions(&format!("\u{feff}{HEADER}\r\na/1.jpg,1,0,0.75,0.25\r\n\r\na/2.jpg,0,0,1,9e-12\r\n"))
                .unwrap();
        let first = &read.predictions.rows[0];
        assert_eq!((first.row, first.image.as_str(), first.label, first.predicted), (1, "a/1.jpg", 1, 0));
        assert_eq!(first.probabilities, [0.75, 0.25]);
        assert_eq!(read.predictions.class_names, ["class 0", "class 1"]);
        assert!(read.doubts.is_empty() && read.predictions.rows.len() == 2);
        let semicolons = "image;label;prob_0;prob_1\n1.jpg;0;0,25;0,75\n";
        assert_eq!(predictions(semicolons).unwrap().predictions.rows[0].probabilities, [0.25, 0.75]);
    }

    #[test]
    fn what_is_no_prediction_is_an_error_with_row_and_column() {
        for (row, expected) in [
            ("b.jpg,0,0,nan,0.5", "row 2 of p.csv: probability_class_0 is \"nan\""),
            ("b.jpg,0,0,0.5,", "row 2 of p.csv: probability_class_1 is \"\", expected a probability from 0 to 1"),
            ("b.jpg,0,0,1.5,-0.5", "probability_class_0 is \"1.5\""),
            ("b.jpg,0,0,inf,0", "probability_class_0 is \"inf\""),
            ("b.jpg,0,0,0.4,0.4", "row 2 of p.csv: the probabilities of the row sum to 0.8000, expected 1"),
            ("b.jpg,2,0,0.5,0.5", "row 2 has true_label \"2\""),
            ("b.jpg,,0,0.5,0.5", "row 2 has true_label \"\""),
            ("b.jpg,0,7,0.5,0.5", "row 2 has predicted_label \"7\""),
            (",0,0,0.5,0.5", "names no image (image_path): row 2 of p.csv"),
        ] {
            let text = format!("{HEADER}\na.jpg,1,0,0.75,0.25\n{row}\n");
            let message = format!("{:#}", predictions(&text).err().unwrap());
            assert!(message.contains(expected), "{row}: {message}");
        }
        let one = predictions("image,label,probability_class_0\na,0,1\n").err().unwrap();
        assert!(one.to_string().contains("expected two or more"));
        let classes = LabelSet::from_class_names(["a", "b", "c"].map(String::from).into()).unwrap();
        let table = Table::from_bytes(format!("{HEADER}\na,0,0,1,0\n").as_bytes(), Path::new("p.csv")).unwrap();
        let message = from_table(table, Some(&classes)).err().unwrap().to_string();
        assert!(message.contains("2 classes, the class list has 3 names: p.csv"), "{message}");
    }

    #[test]
    fn repeated_images_and_other_predicted_labels_are_doubts() {
        let text = format!("{HEADER}\na,0,0,0.5,0.5\na,0,1,0.5,0.5\nb,0,1,0.9,0.1\n");
        let read = predictions(&text).unwrap();
        assert_eq!(read.doubts.len(), 2, "{:?}", read.doubts);
        assert!(read.doubts[0].contains("the first is row 2, as row 1: a"), "{:?}", read.doubts);
        assert!(read.doubts[1].contains("in 1 of 3 rows") && read.doubts[1].contains("row 3"), "a tie is no doubt");
        assert_eq!(read.predictions.rows[2].predicted, 1);
    }
}
