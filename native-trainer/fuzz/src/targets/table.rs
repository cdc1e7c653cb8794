//! A training table, a benchmark's table and a table of predictions: CSV as it comes.

use dermake_data::{TableOptions, TrainingTable};
use dermake_evaluation::predictions;
use dermake_evaluation::table::Table;
use std::path::Path;

fn training_table(csv: &[u8], n_subcaptions: usize) {
    let options = TableOptions { n_subcaptions, ..TableOptions::default() };
    let Ok(table) = TrainingTable::from_bytes(csv, Path::new("train.csv"), &options) else { return };
    for row in 0..table.len() {
        let fields = table.row(row);
        assert_eq!(fields.captions.len(), options.n_captions());
        assert_eq!(fields.mask.len(), options.n_captions());
        assert!(
            row == 0 || table.line(row).is_none() || table.line(row) > table.line(row - 1),
            "rows follow each other"
        );
    }
    assert!(table.usable_rows().all(|row| !table.image(row).trim().is_empty()));
    assert!(table.problems().iter().all(|problem| problem.row < table.len() && !problem.to_string().is_empty()));
}

/// Reads the input as a training table, with and without subcaptions, and as the table of a benchmark and of
/// predictions.
pub(super) fn run(csv: &[u8]) {
    training_table(csv, 0);
    training_table(csv, 8);
    let Ok(table) = Table::from_bytes(csv, Path::new("test.csv")) else { return };
    for row in 0..table.n_rows() {
        for column in 0..table.header().len() {
            let _ = table.cell(row, column);
        }
    }
    let Ok(read) = predictions::from_table(table, None) else { return };
    let n_classes = read.predictions.class_names.len();
    for row in &read.predictions.rows {
        assert!(row.label < n_classes && row.predicted < n_classes && row.probabilities.len() == n_classes);
        assert!(row.probabilities.iter().all(|probability| (0.0..=1.0).contains(probability)));
    }
    assert!(read.predictions.scored().top1_accuracy(&vec![1; read.predictions.rows.len()]).is_some());
}
