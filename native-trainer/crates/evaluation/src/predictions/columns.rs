//! Which columns of a table of predictions have what.

use crate::exclusion::SHA256_COLUMN;
use crate::table::Table;
use anyhow::{Result, bail};
use dermake_files::table_file::find_column;
use shared_model::labels::spelling_key;

const TRUE_LABELS: [&str; 8] =
    ["true_label", "label", "target", "ground_truth", "true_class", "y_true", "actual", "targets"];
const PREDICTED_LABELS: [&str; 8] =
    ["predicted_label", "predicted_class", "prediction", "predicted", "pred_label", "pred_class", "y_pred", "pred"];
/// A number of a class is below this one; another column is no probability.
const MAX_CLASSES: usize = 100_000;
/// Prefixes of columns of probabilities; the number or the name of the class follows.
const PROBABILITIES: [&str; 6] =
    ["probability_class_", "prob_class_", "probability_", "prob_", "proba_", "probabilities_"];

/// The columns of a table of predictions.
pub struct Columns {
    pub image: usize,
    pub true_label: usize,
    pub predicted_label: Option<usize>,
    pub sha256: Option<usize>,
    /// In label order.
    pub probabilities: Vec<usize>,
}

impl Columns {
    /// Finds the columns. With a class list, columns of probabilities may have the names of classes for numbers.
    ///
    /// # Errors
    /// Names the column that is missing, with those that are there.
    pub fn of(table: &Table, class_names: Option<&[String]>) -> Result<Self> {
        let probabilities = probabilities(table, class_names)?;
        for &column in &probabilities {
            table.column(&[&table.header()[column]])?;
        }
        let named = |names: &[&str]| table.find_column(names).map(|_| table.column(names)).transpose();
        let Some(image) = table.image_column(None)? else {
            bail!("predictions need a column that names the images: {}", table.path.display());
        };
        Ok(Self {
            image,
            true_label: table.column(&TRUE_LABELS)?,
            predicted_label: named(&PREDICTED_LABELS)?,
            sha256: named(&[SHA256_COLUMN])?,
            probabilities,
        })
    }
}

fn probabilities(table: &Table, class_names: Option<&[String]>) -> Result<Vec<usize>> {
    for prefix in PROBABILITIES {
        let numbered = numbered(table, prefix);
        if numbered.is_empty() {
            continue;
        }
        let n_expected = numbered.iter().map(|(class, _)| class + 1).max().unwrap_or(0);
        let of_class = |class: usize| numbered.iter().find(|(number, _)| *number == class).map(|(_, at)| *at);
        if let Some(missing) = (0..n_expected).find(|&class| of_class(class).is_none()) {
            bail!(
                "the table has the column {prefix}{} but not {prefix}{missing}; classes count from 0: {}",
                n_expected - 1,
                table.path.display()
            );
        }
        return Ok((0..n_expected).filter_map(of_class).collect());
    }
    let by_name = |prefix: &str| -> Option<Vec<usize>> {
        let column = |name: &String| {
            let wanted = spelling_key(name);
            let of_column = |column: &String| {
                let start = column.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
                start.is_some() && spelling_key(&column[prefix.len()..]) == wanted
            };
            table.header().iter().position(of_column)
        };
        class_names?.iter().map(column).collect()
    };
    if let Some(columns) = PROBABILITIES.iter().chain(&[""]).find_map(|prefix| by_name(prefix)) {
        return Ok(columns);
    }
    bail!(
        "the table has no columns of probabilities, expected probability_class_0, probability_class_1, …; there are {}: {}",
        table.header().join(", "),
        table.path.display()
    )
}

/// The columns that are a prefix and a number, with that number.
fn numbered(table: &Table, prefix: &str) -> Vec<(usize, usize)> {
    let number = |(at, column): (usize, &String)| {
        let start = column.get(..prefix.len())?;
        let rest = start.eq_ignore_ascii_case(prefix).then(|| &column[prefix.len()..])?;
        let is_number = !rest.is_empty() && rest.bytes().all(|digit| digit.is_ascii_digit());
        let class = rest.parse().ok().filter(|&class: &usize| is_number && class < MAX_CLASSES)?;
        // Of two columns of one name, the one that is found by its name counts.
        (find_column(table.header(), column) == Some(at)).then_some((class, at))
    };
    table.header().iter().enumerate().filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn columns(header: &str, classes: Option<&[&str]>) -> Result<Columns> {
        let row = vec!["0"; header.split(',').count()].join(",");
        let table = Table::from_bytes(format!("{header}\n{row}\n").as_bytes(), Path::new("t.csv")).unwrap();
        let classes: Option<Vec<String>> = classes.map(|names| names.iter().map(|name| name.to_string()).collect());
        Columns::of(&table, classes.as_deref())
    }

    #[test]
    fn columns_are_found_by_their_usual_names() {
        let found = columns("probability_class_1,image_path,true_label,predicted_label,probability_class_0", None);
        let found = found.unwrap();
        assert_eq!((found.image, found.true_label, found.predicted_label), (1, 2, Some(3)));
        assert_eq!((found.probabilities, found.sha256), (vec![4, 0], None));
        let found = columns("Filename,SHA256,y_true,Prob_0,Prob_1", None).unwrap();
        assert_eq!((found.predicted_label, found.sha256, found.probabilities), (None, Some(1), vec![3, 4]));
        let named = columns("image,label,prob_Nevus,prob_acne", Some(&["Acne", "nevus"])).unwrap();
        assert_eq!(named.probabilities, [3, 2]);
        assert_eq!(columns("image,label,nevus,acne", Some(&["acne", "nevus"])).unwrap().probabilities, [3, 2]);
    }

    #[test]
    fn a_missing_column_is_named() {
        let message = |header: &str| columns(header, None).err().unwrap().to_string();
        assert!(message("image,label,probability_class_0,probability_class_2").contains("not probability_class_1"));
        assert!(message("image,label,melanoma").contains("no columns of probabilities"));
        assert!(
            message("image,probability_class_0,probability_class_1").contains("lacks the column true_label or")
        );
        assert!(message("label,probability_class_0,probability_class_1").contains("name the images"));
    }
}
