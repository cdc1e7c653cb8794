//! Writes predictions as CSV.

use super::{Prediction, Predictions};
use crate::exclusion::SHA256_COLUMN;
use anyhow::{Context, Result};

/// The table of predictions: a row for each image.
///
/// Probabilities of single precision are written as short as such numbers are; their order stays the same.
pub fn to_csv(predictions: &Predictions) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut header = ["image_path", SHA256_COLUMN, "true_label", "predicted_label"].map(String::from).to_vec();
    header.extend((0..predictions.class_names.len()).map(|class| format!("probability_class_{class}")));
    table.write_record(&header)?;
    for Prediction { image, sha256, label, predicted, probabilities, .. } in &predictions.rows {
        let mut record = vec![image.clone(), sha256.clone().unwrap_or_default()];
        record.extend([label.to_string(), predicted.to_string()]);
        record.extend(probabilities.iter().copied().map(shortest));
        table.write_record(&record)?;
    }
    table.into_inner().context("cannot write a table into memory")
}

/// The shortest text that is read as this number; a number of single precision is written as such.
fn shortest(probability: f64) -> String {
    let single = probability as f32;
    let is_single = f64::from(single) == probability;
    // Tiny numbers would have tens of zeros.
    match (is_single, probability.abs() >= 1e-5 || probability == 0.0) {
        (true, true) => single.to_string(),
        (true, false) => format!("{single:e}"),
        (false, true) => probability.to_string(),
        (false, false) => format!("{probability:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::read;
    use shared_model::labels::LabelSet;

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.csv");
        let row = |row: usize, image: &str, first: f64| Prediction {
            row,
            image: image.into(),
            sha256: (row == 1).then(|| "ab".repeat(32)),
            label: 1,
            predicted: usize::from(first < 0.5),
            probabilities: vec![first, 1.0 - first],
        };
        let rows = vec![row(1, "a, \"b\".jpg", 0.1), row(2, "c;\u{e9}.png", 1.0 / 3.0), row(3, "d", 1e-30)];
        let predictions = Predictions { class_names: vec!["class 0".into(), "class 1".into()], rows };
        std::fs::write(&path, to_csv(&predictions).unwrap()).unwrap();
        assert_eq!(read(&path, None).unwrap().predictions, predictions);
        // A class that is called by a number is still written as its place.
        let names = vec!["1".to_string(), "2".to_string()];
        let classes = LabelSet::from_class_names(names.clone()).unwrap();
        let predictions = Predictions { class_names: names, ..predictions };
        assert_eq!(read(&path, Some(&classes)).unwrap().predictions, predictions);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(shortest(f64::from(0.1f32)), "0.1");
        assert_eq!([0.0, 1.0, 0.1, f64::from(1e-20f32)].map(shortest), ["0", "1", "0.1", "1e-20"]);
    }
}
