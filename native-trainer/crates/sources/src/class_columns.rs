//! Labels that are a column for each class, with 1 where the image shows it, as the tables of the ISIC challenges have
//! them.

use crate::cells::Cells;
use crate::error::listed;
use dermake_files::missing::is_missing;

/// Names of a column for what is none of the classes.
const UNKNOWN_NAMES: [&str; 2] = ["UNK", "unknown"];
/// End of the names of columns that say how much a row counts, such as `score_weight`.
const WEIGHT_ENDING: &str = "weight";

/// The columns of the classes, and what their rows say.
pub(crate) struct ClassColumns {
    /// Places of the columns.
    columns: Vec<usize>,
    /// Their names, in their order.
    names: Vec<String>,
    /// Columns for what is unknown, which no row has.
    left_out: Vec<String>,
    /// For each row, the place of its class among the names, if it has just one.
    classes: Vec<Option<usize>>,
}

impl ClassColumns {
    /// The columns whose cells in `n_rows` rows are all 0 or 1, if there are several. A cell may be empty or `NaN`. A column
    /// of weights is none.
    pub fn find(cells: &Cells, names: &[String], n_rows: usize) -> Option<Self> {
        let is_of_class = |&column: &usize| {
            let mut cells = (0..n_rows).map(|row| cells.get(row, column).trim()).filter(|cell| !is_missing(cell));
            let has_cells = cells.clone().next().is_some();
            let is_weight = names[column].to_lowercase().ends_with(WEIGHT_ENDING);
            !is_weight && has_cells && cells.all(|cell| indicator(cell).is_some())
        };
        let all: Vec<usize> = (0..names.len()).filter(is_of_class).collect();
        let name = |&column: &usize| names[column].clone();
        let is_unknown = |column: &usize| {
            let is_named = UNKNOWN_NAMES.iter().any(|name| names[*column].eq_ignore_ascii_case(name));
            is_named && (0..n_rows).all(|row| !is_shown(cells, row, *column))
        };
        let (left_out, columns): (Vec<usize>, Vec<usize>) = all.into_iter().partition(is_unknown);
        if columns.len() < 2 {
            return None;
        }
        let class_of = |row: usize| {
            let mut shown = (0..columns.len()).filter(|&at| is_shown(cells, row, columns[at]));
            shown.next().filter(|_| shown.next().is_none())
        };
        Some(Self {
            names: columns.iter().map(name).collect(),
            left_out: left_out.iter().map(name).collect(),
            classes: (0..n_rows).map(class_of).collect(),
            columns,
        })
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of a row's class; empty if it has none or several.
    pub fn cell(&self, row: usize) -> &str {
        self.classes[row].map_or("", |class| &self.names[class])
    }

    /// Says what was read.
    pub fn description(&self) -> String {
        let left_out = match self.left_out.as_slice() {
            [] => String::new(),
            names => format!("; {} is 0 in every row and left out", names.join(", ")),
        };
        format!("the labels are columns: {}{left_out}", listed(&self.names))
    }

    /// What is wrong with a row that has no class or several.
    pub fn problem(&self, cells: &Cells, row: usize) -> Option<String> {
        if self.classes[row].is_some() {
            return None;
        }
        let shown = self.columns.iter().zip(&self.names).filter(|(column, _)| is_shown(cells, row, **column));
        let shown: Vec<String> = shown.map(|(_, name)| name.clone()).collect();
        Some(match shown.len() {
            0 => format!("none of the columns of classes is 1 ({})", listed(&self.names)),
            n => format!("{n} columns of classes are 1 ({}), expected one", listed(&shown)),
        })
    }
}

fn is_shown(cells: &Cells, row: usize, column: usize) -> bool {
    indicator(cells.get(row, column).trim()) == Some(true)
}

/// What a cell says: 0 or 1, also as `0.0`, `1,0`, `true` and `false`.
fn indicator(cell: &str) -> Option<bool> {
    match cell.replace(',', ".").parse::<f64>() {
        Ok(1.0) => Some(true),
        Ok(0.0) => Some(false),
        Ok(_) => None,
        Err(_) if cell.eq_ignore_ascii_case("true") => Some(true),
        Err(_) => cell.eq_ignore_ascii_case("false").then_some(false),
    }
}

#[cfg(test)]
mod tests {
    use crate::Dataset;
    use std::path::Path;

    fn read(text: &str) -> Dataset {
        let mut data = Dataset::of_bytes(text.as_bytes(), Path::new("isic.csv")).unwrap();
        data.join_class_columns();
        data
    }

    #[test]
    fn columns_of_classes_are_one_of_labels() {
        let data = read("image,MEL,NV,UNK\na,1.0,0.0,0\nb,false,TRUE,0.0\nc,0,0,0\nd,1,1,0\ne,,1,\n");
        let label = data.label_column(None).unwrap();
        assert_eq!((label, data.columns()[label].as_str()), (4, "label"));
        let labels: Vec<&str> = (0..data.len()).map(|row| data.cell(row, label)).collect();
        assert_eq!(labels, ["MEL", "NV", "", "", "NV"]);
        assert_eq!(data.class_names(label).unwrap(), ["MEL", "NV"]);
        assert_eq!(
            data.class_columns_description(label).unwrap(),
            "the labels are columns: MEL, NV; UNK is 0 in every row and left out"
        );
        assert_eq!(data.label_problem(2, label).unwrap(), "none of the columns of classes is 1 (MEL, NV)");
        assert_eq!(data.label_problem(3, label).unwrap(), "2 columns of classes are 1 (MEL, NV), expected one");
        assert_eq!((data.label_problem(0, label), data.class_columns_description(1)), (None, None));
    }

    #[test]
    fn a_missing_cell_is_no_class_and_costs_no_other_row() {
        let data = read("image,MEL,NV\na,1,0\nb,0,1\nc,NaN,1\nd,NA,\n");
        let labels: Vec<&str> = (0..4).map(|row| data.cell(row, 3)).collect();
        assert_eq!(labels, ["MEL", "NV", "NV", ""]);
        assert_eq!(data.label_problem(3, 3).unwrap(), "none of the columns of classes is 1 (MEL, NV)");
    }

    #[test]
    fn a_table_is_read_as_spreadsheets_save_it() {
        let data = read("\u{feff}image;MEL;NV\r\na;1,0;0,0\r\nb;0,0;1,0\r\n");
        assert_eq!([data.cell(0, 3), data.cell(1, 3)], ["MEL", "NV"]);
    }

    #[test]
    fn a_column_of_weights_is_no_class() {
        let data = read("image,MEL,NV,score_weight,Weight\na,1,0,1.0,0\nb,0,1,1.0,1\n");
        assert_eq!(data.class_names(5).unwrap(), ["MEL", "NV"]);
    }

    #[test]
    fn an_unknown_class_with_images_stays_a_class() {
        let data = read("image,MEL,NV,UNK\na,1,0,0\nb,0,0,1\n");
        assert_eq!(data.class_names(4).unwrap(), ["MEL", "NV", "UNK"]);
    }

    #[test]
    fn other_tables_stay_as_they_are() {
        for text in [
            "image,MEL,NV,dx\na,1,0,mel\n",
            "image,MEL,NV,caption\na,1,0,a mole\n",
            "image,MEL,age\na,1,40\n",
            "image,MEL,NV\na,0.7,0.3\n",
        ] {
            let n_columns = text.lines().next().unwrap().split(',').count();
            assert_eq!(read(text).columns().len(), n_columns, "{text}");
        }
    }
}
